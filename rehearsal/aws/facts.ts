/** A rule by which a security group lets packets in. */
export interface Ingress {
  /** `tcp`, `udp`, `icmp`, or `-1` for all. */
  readonly protocol: string;
  readonly from: number | null;
  readonly to: number | null;
  /** IPv4 addresses and CIDRs. */
  readonly sources: readonly string[];
}

/** An instance as AWS's API says that it is; what boots here follows it. */
export interface InstanceFacts {
  readonly id: string;
  readonly region: string;
  readonly zone: string;
  readonly type: string;
  readonly state: "pending" | "running" | "shutting-down" | "terminated" | "stopping" | "stopped";
  /** In the site's network. */
  readonly address: string;
  /** The Elastic IPs that lead to it. */
  readonly elastic: readonly string[];
  readonly image: string;
  /** The login of its image. */
  readonly user: string;
  /** Its key pair's public key. */
  readonly key: string | null;
  readonly userData: string | null;
  readonly profile: {
    readonly arn: string;
    readonly id: string;
    readonly roles: readonly { readonly name: string; readonly arn: string }[];
  } | null;
  /** Whether it has a metadata service, and over how many hops it answers. */
  readonly metadata: boolean;
  readonly hopLimit: number;
  /** Attached ones besides the root's. */
  readonly volumes: readonly { readonly id: string; readonly device: string }[];
  readonly ingress: readonly Ingress[];
}

/** What the relay reads from the emulator. */
export interface Facts {
  readonly instances: readonly InstanceFacts[];
  /** By id; sizes in GiB. */
  readonly volumes: Readonly<Record<string, { readonly size: number; readonly snapshot: string | null }>>;
  /** The volumes of which they are, by the snapshots' ids. */
  readonly snapshots: Readonly<Record<string, string>>;
}
