import type { Connection } from "./plan";

/** A host that runs systemd, as a stack configures or a target has made it. */
export interface Host {
  /** As `<app>:host` names it. */
  readonly name: string;
  readonly connection: Connection;
  /** Where others reach it; shown in URLs. */
  readonly publicAddress: string;
  /** CIDRs that may open SSH, besides the address that deploys. */
  readonly sshFrom: readonly string[];
  /** Whether its packet filter is ours to set. */
  readonly firewall: boolean;
  readonly acme: { readonly email?: string; readonly directory?: string };
  /** A disk of its own for data, which outlives the machine. Left out: data lies on the machine's own disk. */
  readonly dataDisk?: DataDisk;
  /** Size in GiB of the machine's own disk, where the stack has made it: the file system on / grows with it. */
  readonly rootGib?: number;
  /** Where the host's figures and logs go, besides its own journal and alarms. */
  readonly monitoring?: Monitoring;
}

/** A disk that the host finds by its serial number, formats where it is blank, and mounts for everything that is data. */
export interface DataDisk {
  /** As the kernel shows it below /dev/disk/by-id and lsblk in SERIAL: an EBS volume's id without its hyphen. */
  readonly serial: string;
  /** Its size in GiB where the stack made it: a disk that has grown is a change to act on. */
  readonly sizeGib?: number;
}

/** Where a host mounts its data disk: what lies there is mounted once more below /var, where it is on other hosts. */
export const dataMount = "/mnt/homeport";

/** AWS CloudWatch, reached with the machine's own role. */
export interface Monitoring {
  readonly region: string;
  /** Left out: AWS itself. */
  readonly endpoint?: string;
  /** Namespace of metrics. */
  readonly namespace: string;
  /**
   * What the host's metrics are told apart by, `{ InstanceId: "i-…" }`. They are `DiskUsedPercent` with `Path` besides (`/` and,
   * where there is a data disk, `dataMount`) and `MemoryUsedPercent`, both in percent, each 5 minutes.
   */
  readonly dimensions: Readonly<Record<string, string>>;
  /** Log group of each app on the host, by the app's name. */
  readonly logGroups: Readonly<Record<string, string>>;
  /** Where the host's own alerts go besides the webhook: failed jobs, health checks and backups. Left out: nowhere. */
  readonly topic?: AlertTopic;
}

/** A topic of AWS SNS, which writes e-mails; published to with the machine's own role. */
export interface AlertTopic {
  readonly arn: string;
  readonly region: string;
  /** Left out: AWS itself. */
  readonly endpoint?: string;
}
