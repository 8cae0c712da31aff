import type { ServiceConfig, VariableConfig } from "./serviceConfig";

/** Who may ask, and for what. */
export interface Token {
  readonly id: string;
  readonly token: string;
  readonly name: string;
  /** An account's does everything; a workspace's in its workspace; a project's in one environment. */
  readonly kind: "account" | "workspace" | "project";
  readonly workspaceId?: string;
  readonly projectId?: string;
  readonly environmentId?: string;
  readonly createdAt: number;
}

export interface Workspace {
  readonly id: string;
  readonly name: string;
  plan: "FREE" | "HOBBY" | "PRO";
  readonly createdAt: number;
}

export interface Project {
  readonly id: string;
  name: string;
  description?: string;
  readonly workspaceId: string;
  isPublic: boolean;
  prDeploys: boolean;
  baseEnvironmentId?: string;
  readonly createdAt: number;
  updatedAt: number;
  /** When it is to go, 48 hours after it was asked for. */
  deletedAt?: number;
}

/** Changes of an environment, committed or waiting for somebody to commit them. */
export interface Patch {
  readonly id: string;
  patch: Record<string, unknown>;
  status: "STAGED" | "COMMITTED";
  message?: string;
  readonly createdAt: number;
  updatedAt: number;
  appliedAt?: number;
}

export interface Environment {
  readonly id: string;
  readonly projectId: string;
  name: string;
  readonly isEphemeral: boolean;
  /** What it was cloned from: it is a fork then. */
  readonly sourceEnvironmentId?: string;
  sharedVariables: Record<string, VariableConfig>;
  privateNetworkDisabled?: boolean;
  /** Which buckets are in it, with their region. */
  buckets: Record<string, { region: string }>;
  staged?: Patch;
  patches: Patch[];
  readonly createdAt: number;
  updatedAt: number;
}

export interface Service {
  readonly id: string;
  readonly projectId: string;
  name: string;
  icon?: string;
  readonly createdAt: number;
  updatedAt: number;
}

/** A service in an environment. */
export interface Instance {
  readonly id: string;
  readonly serviceId: string;
  readonly environmentId: string;
  config: ServiceConfig;
  /** Whether a commit on its branch deploys it. */
  autoDeploy: boolean;
  /** Its deployment trigger's id; one comes with each repository that is connected. */
  triggerId?: string;
  nextCronRunAt?: number;
  readonly createdAt: number;
  updatedAt: number;
}

export type DeploymentStatus =
  | "QUEUED"
  | "INITIALIZING"
  | "BUILDING"
  | "DEPLOYING"
  | "SUCCESS"
  | "FAILED"
  | "CRASHED"
  | "REMOVING"
  | "REMOVED"
  | "SKIPPED";

/** One container of a deployment. */
export interface Replica {
  readonly id: string;
  readonly region: string;
  /** Its number in the private network. */
  readonly index: number;
  status: "CREATED" | "RUNNING" | "RESTARTING" | "EXITED" | "CRASHED" | "REMOVED" | "STOPPED";
  restarts: number;
  isUp: boolean;
  /** Whether its health check fails whatever it answers, by a fault. */
  isSick: boolean;
  stopRequested: boolean;
}

/** One run of a cron service. */
export interface CronRun {
  readonly id: string;
  readonly startedAt: number;
  endedAt?: number;
  code?: number;
}

export interface Commit {
  readonly sha: string;
  readonly message: string;
  readonly branch: string;
}

export interface Deployment {
  readonly id: string;
  readonly projectId: string;
  readonly environmentId: string;
  readonly serviceId: string;
  readonly snapshotId: string;
  readonly reason: "deploy" | "redeploy" | "rollback";
  status: DeploymentStatus;
  /** The settings and variables that it was made with. */
  readonly config: ServiceConfig;
  readonly commit?: Commit;
  /** What its variables came to, with the platform's own. */
  variables: Record<string, string>;
  /** The image that it runs, once it is built or found. */
  image?: string;
  replicas: Replica[];
  runs: CronRun[];
  isCancelled: boolean;
  /** Whether requests go to it. */
  isActive: boolean;
  /** When it was a success. */
  succeededAt?: number;
  readonly createdAt: number;
  updatedAt: number;
  statusUpdatedAt: number;
}

export interface Volume {
  readonly id: string;
  readonly projectId: string;
  name: string;
  readonly createdAt: number;
  /** Deleted everywhere, and to be had back for 48 hours. */
  deletedAt?: number;
}

export interface Backup {
  readonly id: string;
  readonly name?: string;
  readonly createdAt: number;
  expiresAt?: number;
  readonly sizeMB: number;
  readonly scheduleKind?: BackupKind;
}

export type BackupKind = "DAILY" | "WEEKLY" | "MONTHLY";

export interface VolumeInstance {
  readonly id: string;
  readonly volumeId: string;
  readonly environmentId: string;
  serviceId?: string;
  mountPath: string;
  region: string;
  sizeMB: number;
  state: "READY" | "UPDATING" | "RESTORING";
  schedules: BackupKind[];
  backups: Backup[];
  readonly createdAt: number;
  /** Deleted, and to be had back for 48 hours. */
  deletedAt?: number;
}

export interface Bucket {
  readonly id: string;
  readonly projectId: string;
  name: string;
  readonly createdAt: number;
  /** By environment; `bucketName` is the whole world's. */
  readonly credentials: Record<string, BucketCredentials>;
}

export interface BucketCredentials {
  readonly bucketName: string;
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly urlStyle: string;
  readonly createdAt: number;
}

/** A name that leads to a service: Railway's own, or somebody's. */
export interface DomainRecord {
  readonly id: string;
  readonly kind: "service" | "custom";
  domain: string;
  readonly serviceId: string;
  readonly environmentId: string;
  readonly projectId: string;
  targetPort?: number;
  readonly createdAt: number;
  updatedAt: number;
  /** Of a custom domain: what its CNAME is to name, and what its TXT record is to say. */
  readonly cname?: string;
  readonly verificationToken?: string;
  /** When its certificate is there. */
  readonly issuedAt?: number;
}

export interface TcpProxy {
  readonly id: string;
  readonly serviceId: string;
  readonly environmentId: string;
  readonly applicationPort: number;
  readonly createdAt: number;
}

/** Something that goes on in the background. */
export interface Workflow {
  readonly id: string;
  /** Asked about before, nobody knows it. */
  readonly visibleAt: number;
  status: "Running" | "Complete" | "Error";
  error?: string;
}

/** All that the emulator keeps. */
export interface RailwayState {
  readonly version: 1;
  counter: number;
  tokens: Token[];
  workspaces: Workspace[];
  projects: Record<string, Project>;
  environments: Record<string, Environment>;
  services: Record<string, Service>;
  instances: Record<string, Instance>;
  deployments: Record<string, Deployment>;
  volumes: Record<string, Volume>;
  volumeInstances: Record<string, VolumeInstance>;
  buckets: Record<string, Bucket>;
  domains: Record<string, DomainRecord>;
  tcpProxies: Record<string, TcpProxy>;
  workflows: Record<string, Workflow>;
  /** Calls in the hour that runs, by token. */
  hours: Record<string, { startedAt: number; calls: number }>;
  /** The ports that domains and proxies are reached on, by their ids. */
  edges: Record<string, number>;
}
