import type { Stop } from "../platform/runtime";

/** A workspace. */
export interface Owner {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly type: "user" | "team";
}

export interface Project {
  readonly id: string;
  name: string;
  readonly ownerId: string;
  readonly createdAt: number;
}

export interface Environment {
  readonly id: string;
  name: string;
  readonly projectId: string;
  protectedStatus: string;
  networkIsolationEnabled: boolean;
  readonly createdAt: number;
}

export type ServiceType = "web_service" | "private_service" | "background_worker" | "cron_job";

/** Docker's details, or a native runtime's. */
export interface EnvSpecificDetails {
  readonly dockerCommand?: string;
  readonly dockerContext?: string;
  readonly dockerfilePath?: string;
  readonly registryCredentialId?: string;
  readonly buildCommand?: string;
  readonly startCommand?: string;
}

export interface Cidr {
  readonly cidrBlock: string;
  readonly description: string;
}

/** The fields of `serviceDetails` that are kept, whatever the service's type. */
export interface Details {
  readonly runtime: string;
  readonly plan: string;
  readonly region: string;
  readonly numInstances: number;
  readonly autoscaling?: { readonly enabled: boolean; readonly min: number; readonly max: number };
  readonly healthCheckPath?: string;
  readonly preDeployCommand?: string;
  readonly maxShutdownDelaySeconds?: number;
  readonly schedule?: string;
  readonly ipAllowList?: readonly Cidr[];
  readonly previews?: { readonly generation?: string };
  readonly envSpecificDetails: EnvSpecificDetails;
}

export interface Service {
  readonly id: string;
  readonly type: ServiceType;
  name: string;
  /** The first part of its host name; not its name where that was taken. */
  readonly slug: string;
  readonly ownerId: string;
  environmentId?: string | undefined;
  repo?: string | undefined;
  branch?: string | undefined;
  rootDir: string;
  autoDeploy: string;
  imagePath?: string | undefined;
  registryCredentialId?: string | undefined;
  envVars: Record<string, string>;
  /** Contents by name. */
  secretFiles: Record<string, string>;
  details: Details;
  suspended: boolean;
  readonly createdAt: number;
  updatedAt: number;
  /** When a cron job was last looked at, in milliseconds since 1970. */
  lookedAt: number;
}

export interface Disk {
  readonly id: string;
  readonly serviceId: string;
  name: string;
  mountPath: string;
  sizeGB: number;
  readonly createdAt: number;
  updatedAt: number;
}

/** What a disk held at a time. Its data lies in a volume of its id. */
export interface DiskSnapshot {
  readonly id: string;
  readonly diskId: string;
  readonly createdAt: number;
}

export type DeployStatus =
  | "created"
  | "queued"
  | "build_in_progress"
  | "pre_deploy_in_progress"
  | "update_in_progress"
  | "live"
  | "deactivated"
  | "build_failed"
  | "pre_deploy_failed"
  | "update_failed"
  | "canceled";

/** What a deploy's instances are made of: later changes of the service wait for the next deploy. */
export interface Snapshot {
  readonly image: string;
  readonly env: Readonly<Record<string, string>>;
  readonly secretFiles: Readonly<Record<string, string>>;
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly stop: Stop;
}

export interface Deploy {
  readonly id: string;
  readonly serviceId: string;
  status: DeployStatus;
  readonly trigger: string;
  commit?: { readonly id: string; readonly message: string };
  /** An image service's reference and digest. */
  image?: { readonly ref: string; readonly sha: string };
  /** What a call asked for besides the newest commit or the configured image. */
  readonly wanted: { readonly commitId?: string; readonly imageUrl?: string; readonly artifactOf?: string };
  /** What was built, by the name that the runtime knows it by. */
  artifact?: string;
  snapshot?: Snapshot;
  readonly createdAt: number;
  updatedAt: number;
  startedAt?: number;
  finishedAt?: number;
}

/** One running copy of a service, a job's or a pre-deploy command's container. */
export interface Instance {
  readonly id: string;
  readonly serviceId: string;
  readonly deployId: string;
  /** Its number in the private network. */
  readonly index: number;
  readonly port: number;
  readonly createdAt: number;
  isUp: boolean;
  /** Whether it is to stay: what ends by itself is started again. */
  isKept: boolean;
  /** A fault keeps it from ever being healthy. */
  isSick: boolean;
  restarts: number;
}

/** A one-off job, or a cron job's run. */
export interface Run {
  readonly id: string;
  readonly serviceId: string;
  readonly kind: "job" | "cron";
  readonly startCommand?: string;
  readonly triggeredBy: string;
  status: "pending" | "running" | "succeeded" | "failed" | "canceled";
  readonly createdAt: number;
  startedAt?: number;
  finishedAt?: number;
}

export interface Postgres {
  readonly id: string;
  name: string;
  readonly ownerId: string;
  environmentId?: string | undefined;
  plan: string;
  readonly version: string;
  readonly region: string;
  readonly databaseName: string;
  readonly databaseUser: string;
  readonly password: string;
  diskSizeGB: number;
  highAvailability: boolean;
  ipAllowList: readonly Cidr[];
  status: string;
  suspended: boolean;
  exports: { readonly id: string; readonly createdAt: number; readonly readyAt: number }[];
  readonly createdAt: number;
  updatedAt: number;
}

export interface KeyValue {
  readonly id: string;
  name: string;
  readonly ownerId: string;
  environmentId?: string | undefined;
  plan: string;
  readonly region: string;
  maxmemoryPolicy: string;
  ipAllowList: readonly Cidr[];
  readonly password: string;
  status: string;
  readonly createdAt: number;
  updatedAt: number;
}

export interface Domain {
  readonly id: string;
  readonly serviceId: string;
  readonly name: string;
  readonly redirectForName: string;
  verified: boolean;
  readonly createdAt: number;
}

export interface RegistryCredential {
  readonly id: string;
  name: string;
  readonly ownerId: string;
  registry: string;
  username: string;
  authToken: string;
  updatedAt: number;
}

/** A blueprint that somebody connected in the dashboard. */
export interface Blueprint {
  readonly id: string;
  readonly name: string;
  readonly ownerId: string;
  readonly autoSync: boolean;
  readonly repo: string;
  readonly resources: readonly { readonly id: string; readonly name: string; readonly type: string }[];
}

/** All that the platform knows. */
export interface RenderState {
  readonly version: 1;
  counter: number;
  apiKeys: { readonly key: string; readonly ownerIds: readonly string[] }[];
  owners: Owner[];
  projects: Record<string, Project>;
  environments: Record<string, Environment>;
  services: Record<string, Service>;
  disks: Record<string, Disk>;
  snapshots: Record<string, DiskSnapshot>;
  deploys: Record<string, Deploy>;
  instances: Record<string, Instance>;
  runs: Record<string, Run>;
  postgres: Record<string, Postgres>;
  keyValues: Record<string, KeyValue>;
  /** Data services' numbers in the private network, by their ids. */
  dataServers: Record<string, number>;
  domains: Record<string, Domain>;
  credentials: Record<string, RegistryCredential>;
  blueprints: Record<string, Blueprint>;
  /** Host names of onrender.com that are other people's. */
  takenSlugs: string[];
  /** Where a web service is reached on this machine, by its id. */
  edges: Record<string, number>;
}
