import type { Runtime } from "../../components/declaration";
import type { Fingerprint, Source } from "../../drivers/source";
import type { DataDisk, Monitoring } from "./host";

/** How to reach a host. `privateKey` is secret; without it the user's own ssh agent and files are used. */
export interface Connection {
  readonly address: string;
  readonly port: number;
  /** Root, or a user with `sudo` that asks for no password. */
  readonly user: string;
  /** The host's public key, `ssh-ed25519 AAAA…`, as `ssh-keyscan` prints it. Any other key is refused. */
  readonly hostKey: string;
  readonly privateKey?: string;
}

/** What the driver reads from stdin: one app of one stack on one host. Secret as a whole. */
export interface HostSpec {
  readonly connection: Connection;
  readonly plan: HostPlan;
}

/**
 * One app of one stack as a systemd host is to have it. Values may hold `@@port:<key>@@`, which the host replaces with
 * the loopback port that it has given to `<key>` (see `ports` below).
 *
 * Port keys: `<service>` the proxy's stable loopback port of a service, `<service>/<slot>/<n>` an instance of a slot,
 * `<database>` a database server of the app's own (redis).
 */
export interface HostPlan {
  readonly app: string;
  readonly stack: string;
  /** Name of everything of this app and stack on the host, `catscan-prod`; from `releaseRoot` in components/values/names. */
  readonly id: string;
  /** System user that the app runs as. */
  readonly user: string;
  readonly services: readonly PlannedService[];
  readonly jobs: readonly PlannedJob[];
  readonly commands: readonly PlannedCommand[];
  readonly databases: readonly PlannedDatabase[];
  readonly buckets: readonly PlannedBucket[];
  /** Address that alerts are posted to as JSON, and the base URL that successful jobs ping as `<url>/<id>-<job>`. Both secret. */
  readonly alertWebhook?: string;
  readonly pingUrl?: string;
  /** Share of a file system's space, 0 to 1, that raises an alarm. */
  readonly diskAlarm: number;
  /** OnCalendar lines of the disk report. */
  readonly diskReport: readonly string[];
  readonly firewall: PlannedFirewall;
  /** Contact and directory URL for ACME certificates of domains. @default Let's Encrypt, no contact */
  readonly acme: { readonly email?: string; readonly directory?: string };
  /** Releases kept, the active one included. */
  readonly releasesKept: number;
  readonly dataDisk?: DataDisk;
  /** Size in GiB of the machine's own disk. Left out: that is nobody's to grow. */
  readonly rootGib?: number;
  /** Where the app's logs and the host's figures go besides the journal. */
  readonly monitoring?: PlannedMonitoring;
  /** By which resource of the stack the app is here, `vps/main`: its own `delete` takes it away, and no other's. */
  readonly owner: string;
  /** What `delete` does with data folders, databases and local backups. */
  readonly onDelete: "keep data" | "delete data";
}

/** CloudWatch, and the topic of alerts, with the machine's own role. */
export interface PlannedMonitoring extends Omit<Monitoring, "logGroups"> {
  /** Left out where the app's logs stay on the host. */
  readonly logGroup?: string;
}

export interface PlannedFirewall {
  /** False leaves the host's packet filter alone. */
  readonly manage: boolean;
  /** CIDRs that may open SSH, besides the address that deploys. */
  readonly sshFrom: readonly string[];
  /** Ports open to others. An empty `from` means everyone. */
  readonly open: readonly { readonly port: number; readonly from: readonly string[] }[];
}

export interface PlannedService {
  readonly name: string;
  /** Code on the host, or an image in the distribution's container engine. */
  readonly code: PlannedRelease | { readonly image: string };
  /** Shell text, run with `exec`; `$PORT` is the instance's port. Absent only for images. */
  readonly command?: string;
  /** Port inside the container, for images. */
  readonly containerPort?: number;
  /** The port that the proxy listens on for others. Absent: a worker (`health` absent too) or internal. */
  readonly publicPort?: number;
  /** True where the service listens on a port at all. */
  readonly listens: boolean;
  /** Host name served on 80 and 443 with a certificate. */
  readonly domain?: string;
  readonly health?: string;
  readonly startTimeoutSeconds: number;
  readonly drainSeconds: number;
  /** Shell text, run once with the new code and variables before the switch. */
  readonly release?: string;
  readonly instances: number;
  readonly sticky: boolean;
  readonly memoryMib: number;
  readonly cpus: number;
  readonly volumes: readonly { readonly path: string; readonly sizeMib: number }[];
  readonly folders: readonly string[];
  readonly logs?: { readonly path: string; readonly keep: number };
  readonly checks: readonly { readonly path: string; readonly everySeconds: number }[];
  readonly env: Readonly<Record<string, string>>;
  readonly secretFiles: readonly PlannedSecretFile[];
}

/** Code to be installed as a release. Two services of one source and runtime share a release. */
export interface PlannedRelease {
  /** 16 hex characters: source, runtime and build together. The folder's name below `releases/`. */
  readonly releaseId: string;
  readonly source: Source;
  readonly fingerprint: Fingerprint;
  readonly runtime: Runtime;
  readonly build?: string;
}

export interface PlannedSecretFile {
  /** The variable that holds the file's path. */
  readonly variable: string;
  readonly content: string;
  /** Placed on the first volume when the content changes, and the app's to rewrite; otherwise a systemd credential. */
  readonly rewritten: boolean;
}

export interface PlannedJob {
  readonly name: string;
  /** Runs with this service's release, variables, volumes and hardening. */
  readonly service: string;
  readonly onCalendar: readonly string[];
  readonly commands: readonly string[];
  readonly onFailure: "stop" | "continue";
  readonly timeoutSeconds: number;
  readonly env: Readonly<Record<string, string>>;
}

export interface PlannedCommand {
  readonly name: string;
  readonly service: string;
  readonly command: string;
}

export interface PlannedBackup {
  readonly onCalendar: readonly string[];
  readonly keep: number;
  /** Name of one of `buckets`. */
  readonly bucket?: string;
}

export type PlannedDatabase =
  | {
      readonly name: string;
      readonly engine: "postgres";
      /** Database and role of the same name. */
      readonly database: string;
      readonly password: string;
      readonly extensions: readonly string[];
      readonly backup?: PlannedBackup;
      /** Left out: the host's own PostgreSQL. */
      readonly server?: PlannedServer;
    }
  | { readonly name: string; readonly engine: "redis"; readonly password: string; readonly memoryMib: number }
  | {
      readonly name: string;
      readonly engine: "sqlite";
      /** As the app sees it; the service says below which volume. */
      readonly path: string;
      readonly service: string;
      readonly backup?: PlannedBackup;
    };

/** A bucket that the host uploads backups to. */
export interface PlannedBucket {
  readonly name: string;
  readonly bucket: string;
  readonly region: string;
  readonly endpoint?: string;
  /** Left out where the machine has an identity of its own that may use the bucket. */
  readonly key?: AccessKey;
}

/** Secret as a whole. */
export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** A database server that isn't the host's own, with a database and a user of the app alone. */
export interface PlannedServer {
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly tls: boolean;
}

/** What the driver prints on stdout; holds no secret. */
export interface HostResult {
  /** Release id and slot of each service that is now active. */
  readonly services: Readonly<Record<string, { readonly release: string; readonly slot: "a" | "b" }>>;
  /** What was done, in order: `api: release 3fa2… on slot b`; empty where all was as asked. */
  readonly changes: readonly string[];
}
