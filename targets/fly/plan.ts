import type { FlyConnection } from "./api/connection";
import type { MachineConfig } from "./api/types";

/** What the driver reads from stdin: one app of one stack on Fly.io. Secret as a whole. */
export interface FlySpec {
  readonly connection: FlyConnection;
  /** `hotrod-prod`: the tag of everything that belongs to it. */
  readonly id: string;
  /** Key of the hashes that stand for secrets on the platform, where others could otherwise guess short ones by their hash. */
  readonly pepper: string;
  /** In the order in which they are deployed: what others connect to comes first. */
  readonly apps: readonly FlyAppPlan[];
  readonly postgres: readonly FlyPostgresPlan[];
  /** Seconds from a machine's cordon until no proxy sends it new requests. */
  readonly propagationSeconds: number;
  readonly onDelete: "keep data" | "delete data";
}

/** `shared_v4` and `v6` are free, `v4` is billed, `private_v6` answers inside of the organization only (Flycast). */
export type IpKind = "shared_v4" | "v6" | "v4" | "private_v6";

/** One app of Fly: the services that the world or nobody connects to share one, each internal one has its own. */
export interface FlyAppPlan {
  readonly name: string;
  readonly region: string;
  readonly ips: readonly IpKind[];
  readonly groups: readonly FlyGroup[];
  /** Seen by every machine of the app. Values may hold `@@postgres:<name>@@`, which becomes the database's URL. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly domains: readonly string[];
  readonly release?: FlyRelease;
}

/** A command run once with the new version before it takes over. */
export interface FlyRelease {
  /** The group whose image, variables and size it has. */
  readonly group: string;
  readonly command: string;
  readonly timeoutSeconds: number;
}

/** Machines that are alike but for their volumes: a process group in Fly's words. */
export interface FlyGroup {
  readonly name: string;
  readonly count: number;
  /** All of it but what differs between machines: metadata and mounts. */
  readonly config: MachineConfig;
  /** One for each machine. */
  readonly volume?: FlyVolume;
  /** `blue-green` makes new machines beside the old ones; `rolling` changes one after the other in its place. */
  readonly strategy: "blue-green" | "rolling";
  /** From start to health. */
  readonly startSeconds: number;
  /** That a replaced machine has to end. */
  readonly drainSeconds: number;
  /** Whether the proxy stops machines that have nothing to do: then a stopped one is as it should be. */
  readonly idle: boolean;
}

export interface FlyVolume {
  readonly path: string;
  readonly sizeGb: number;
  /** Days that daily snapshots are kept. */
  readonly snapshotDays: number;
}

/** A Managed Postgres cluster. */
export interface FlyPostgresPlan {
  /** As `@@postgres:<name>@@` has it. */
  readonly name: string;
  /** Name of the cluster in the organization. */
  readonly cluster: string;
  readonly region: string;
  /** Fly's word for the size: `basic`, `starter`, `launch`, `scale`. */
  readonly plan: string;
  readonly diskGb: number;
  readonly database: string;
  readonly extensions: readonly string[];
}

/** What the driver prints on stdout; holds no secret. */
export interface FlyResult {
  readonly apps: Readonly<Record<string, FlyAppResult>>;
  /** What was done, in order; empty where all was as asked. */
  readonly changes: readonly string[];
  /** How many calls were made. */
  readonly calls: number;
}
export interface FlyAppResult {
  /** Where it is reached; undefined where nobody connects to it. */
  readonly url?: string;
  readonly ips: readonly string[];
  /** Ids of the machines by group. */
  readonly machines: Readonly<Record<string, readonly string[]>>;
  readonly volumes: readonly string[];
  /** What a person has to enter at the domain's registrar. */
  readonly dns: readonly DnsRecord[];
}
export interface DnsRecord {
  readonly domain: string;
  readonly type: "A" | "AAAA" | "CNAME" | "TXT";
  readonly name: string;
  readonly value: string;
}
