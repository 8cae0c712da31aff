import type { PoolMode, PostgresPorts } from "../platform/postgres";

/** What a machine is to run, as the Machines API spells it. Only what the emulator acts on is typed. */
export interface MachineConfig {
  readonly image: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly init?: { readonly exec?: string[]; readonly entrypoint?: string[]; readonly cmd?: string[] };
  readonly guest?: { readonly cpu_kind?: string; readonly cpus?: number; readonly memory_mb?: number };
  readonly metadata?: Readonly<Record<string, string>>;
  readonly mounts?: readonly Mount[];
  readonly services?: readonly Service[];
  readonly checks?: Readonly<Record<string, CheckConfig>>;
  readonly files?: readonly FileConfig[];
  readonly schedule?: string;
  readonly auto_destroy?: boolean;
  readonly restart?: { readonly policy?: "no" | "always" | "on-failure"; readonly max_retries?: number };
  readonly stop_config?: { readonly signal?: string; readonly timeout?: string | number };
  readonly standbys?: readonly string[];
  readonly processes?: readonly { readonly cmd?: string[]; readonly env?: Readonly<Record<string, string>> }[];
}

export interface Mount {
  readonly volume?: string;
  readonly path?: string;
  readonly name?: string;
}

export interface FileConfig {
  readonly guest_path: string;
  readonly raw_value?: string;
  readonly secret_name?: string;
  readonly mode?: number;
}

export interface Service {
  readonly protocol: "tcp" | "udp";
  readonly internal_port: number;
  readonly autostop?: "off" | "stop" | "suspend" | boolean;
  readonly autostart?: boolean;
  readonly min_machines_running?: number;
  readonly ports?: readonly Port[];
  readonly checks?: readonly CheckConfig[];
  readonly concurrency?: { readonly type?: string; readonly soft_limit?: number; readonly hard_limit?: number };
}

export interface Port {
  readonly port?: number;
  readonly start_port?: number;
  readonly end_port?: number;
  readonly handlers?: readonly string[];
  readonly force_https?: boolean;
}

export interface CheckConfig {
  readonly type?: "tcp" | "http";
  readonly kind?: "informational" | "readiness";
  readonly port?: number;
  readonly interval?: string | number;
  readonly timeout?: string | number;
  readonly grace_period?: string | number;
  readonly method?: string;
  readonly path?: string;
  readonly headers?: readonly { readonly name?: string; readonly values?: readonly string[] }[];
}

export interface CheckStatus {
  readonly name: string;
  status: "passing" | "warning" | "critical";
  output: string;
  updated_at: string;
}

export interface MachineEvent {
  readonly id: string;
  readonly type: string;
  readonly status: string;
  readonly source: "user" | "flyd" | "proxy";
  readonly timestamp: number;
  readonly request?: unknown;
}

export interface Lease {
  readonly nonce: string;
  /** Unix seconds. */
  readonly expires_at: number;
  readonly owner: string;
  readonly description: string;
  readonly version: string;
}

export interface Machine {
  readonly id: string;
  readonly app: string;
  readonly name: string;
  readonly region: string;
  readonly createdAt: number;
  /** Reads answer 404 before this time. */
  readonly visibleAt: number;
  /** Its number in the private network. */
  readonly index: number;
  state: string;
  instanceId: string;
  config: MachineConfig;
  digest: string;
  updatedAt: number;
  cordoned: boolean;
  /** The secrets that its running version was given, by this version of them. */
  secretsVersion: number;
  skipSecrets: boolean;
  restarts: number;
  /** Whether it runs a container at the moment. */
  isUp: boolean;
  /** Whether its checks fail whatever it answers, by a fault. */
  isSick: boolean;
  /** Whether somebody asked it to stop: it isn't restarted then. */
  stopRequested: boolean;
  lease?: Lease;
  checks: CheckStatus[];
  events: MachineEvent[];
  versions: { readonly version: string; readonly config: MachineConfig }[];
  hostStatus: "ok" | "unknown" | "unreachable";
}

export interface Snapshot {
  readonly id: string;
  readonly createdAt: number;
  readonly size: number;
  readonly retentionDays: number;
  status: "creating" | "created";
}

export interface Volume {
  readonly id: string;
  readonly app: string;
  readonly name: string;
  readonly region: string;
  readonly zone: string;
  readonly encrypted: boolean;
  readonly fstype: string;
  readonly createdAt: number;
  /** The guest that its host has room for, as memory in MB; undefined: none was named. */
  readonly roomMb?: number;
  state: string;
  sizeGb: number;
  machine?: string;
  snapshotRetention: number;
  autoBackup: boolean;
  snapshots: Snapshot[];
}

export interface Secret {
  readonly value: string;
  readonly digest: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface Address {
  readonly id: string;
  readonly ip: string;
  readonly type: string;
  readonly region: string;
  readonly shared: boolean;
  readonly createdAt: string;
}

export interface Certificate {
  readonly hostname: string;
  readonly source: "fly" | "custom";
  readonly createdAt: string;
  /** When it becomes active by itself, in milliseconds since 1970. */
  readonly activeAt: number;
}

export interface Release {
  readonly id: string;
  readonly version: number;
  readonly createdAt: string;
  readonly image: string;
  readonly strategy: string;
  /** The fly.toml that it was deployed with, as JSON. Undefined in records of an earlier rehearsal. */
  readonly definition?: unknown;
  status: string;
  metadata?: unknown;
}

export interface App {
  readonly id: string;
  readonly number: number;
  readonly name: string;
  readonly org: string;
  readonly network: string;
  readonly createdAt: number;
  readonly visibleAt: number;
  readonly idempotencyKey?: string;
  secretsVersion: number;
  secrets: Record<string, Secret>;
  /** What lists tell of them until then, in milliseconds since 1970. */
  secretsBefore?: { readonly secrets: Record<string, Secret>; readonly until: number };
  addresses: Address[];
  certificates: Record<string, Certificate>;
  releases: Release[];
}

export interface Organization {
  readonly id: string;
  readonly number: number;
  readonly slug: string;
  readonly name: string;
}

/** A token, told by its text without a scheme. */
export interface Token {
  readonly token: string;
  readonly org: string;
  /** Set: good for this app alone. */
  readonly app?: string;
  /** Milliseconds since 1970. */
  readonly expiresAt?: number;
}

export interface Region {
  readonly code: string;
  readonly name: string;
  /** How many more machines fit. */
  capacity: number;
}

/** A Managed Postgres cluster. */
export interface Cluster {
  readonly id: string;
  readonly org: string;
  readonly name: string;
  readonly region: string;
  readonly plan: string;
  readonly diskGb: number;
  readonly version: string;
  readonly poolMode: PoolMode;
  readonly createdAt: number;
  readonly readyAt: number;
  /** Of its endpoints in the private network. */
  readonly numbers: { readonly direct: number; readonly pooler: number };
  /** Where its server listens, once it does. Never set on paper. */
  ports?: PostgresPorts;
  /** Why it can't be made. */
  failure?: string;
  /** What it is restored from. */
  readonly source?: { readonly cluster: string; readonly backup: string; readonly until?: number };
  databases: { name: string; extensions: string[] }[];
  users: { name: string; role: string; password: string }[];
  backups: { id: string; type: string; createdAt: number; completedAt?: number; size?: number }[];
  attachedApps: string[];
}

/** A Tigris bucket or an Upstash Redis, as GraphQL's add-ons. */
export interface AddOn {
  readonly id: string;
  readonly name: string;
  readonly provider: string;
  readonly org: string;
  readonly app?: string;
  readonly region: string;
  readonly plan?: string;
  readonly publicUrl: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly createdAt: number;
}

/** All that the platform knows. */
export interface FlyState {
  readonly version: 1;
  counter: number;
  organizations: Organization[];
  tokens: Token[];
  regions: Region[];
  /** App names that others have. */
  takenNames: string[];
  apps: Record<string, App>;
  machines: Record<string, Machine>;
  volumes: Record<string, Volume>;
  clusters: Record<string, Cluster>;
  addOns: Record<string, AddOn>;
  agreedProviders: string[];
  /** The proxy's ports by `app:port`. */
  edges: Record<string, number>;
}
