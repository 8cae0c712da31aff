import type { RailwayConnection } from "./api/railway";

/** What the driver reads from stdin: one app of one stack on Railway. Secret as a whole. */
export interface RailwaySpec {
  readonly connection: RailwayConnection;
  /** `clausea-prod`: whose the environment is. */
  readonly id: string;
  /** Key of the hashes that stand for what services were made of, where others could otherwise guess secrets by them. */
  readonly pepper: string;
  /** Name or id of the workspace; left out where the token knows one alone. */
  readonly workspace?: string;
  /** Name or id. */
  readonly project: string;
  readonly environment: string;
  /** Railway's name of the region, `europe-west4-drams3a`; the workspace's own where left out. */
  readonly region?: string;
  /** Takes over services in an environment that Homeport didn't make. */
  readonly adopt: boolean;
  readonly services: readonly RailwayService[];
  readonly buckets: readonly RailwayBucket[];
  readonly onDelete: "keep data" | "delete data";
}

/** What a service runs: an image, or a commit of a repository at GitHub, which Railway builds. */
export type RailwaySource = { readonly image: string } | { readonly repo: string; readonly commit: string };

/** One service of an environment: a service, a database or a job of the app. */
export interface RailwayService {
  readonly name: string;
  readonly role: "service" | "database" | "job";
  /** Others connect to it, so it is deployed before them. */
  readonly first: boolean;
  readonly source: RailwaySource;
  readonly settings: InstanceSettings;
  readonly limits: { readonly vCPUs: number; readonly memoryGB: number };
  /** Names of the variables that hold secrets. */
  readonly secrets: readonly string[];
  /** All of its variables. Values may hold Railway's references, `${{redis.REDIS_URL}}`, and tokens of buckets. */
  readonly variables: Readonly<Record<string, string>>;
  readonly volume?: RailwayVolume;
  /** The port that its address leads to; undefined where it has none. */
  readonly publicPort?: number;
  readonly domain?: string;
  /** The port that a TCP proxy leads to, where the stack wishes one. */
  readonly tcpPort?: number;
  /** From the end of its build to its health. */
  readonly startSeconds: number;
}

/** The part of a service's settings that `serviceInstanceUpdate` sets; null is Railway's own choice. */
export interface InstanceSettings {
  readonly rootDirectory: string | null;
  readonly dockerfilePath: string | null;
  readonly startCommand: string | null;
  readonly preDeployCommand: readonly string[];
  readonly healthcheckPath: string | null;
  /** Seconds. */
  readonly healthcheckTimeout: number;
  readonly cronSchedule: string | null;
  readonly restartPolicyType: "ON_FAILURE" | "ALWAYS" | "NEVER";
  readonly restartPolicyMaxRetries: number;
  /** Left out for jobs, which have no replicas. */
  readonly numReplicas?: number;
  readonly multiRegionConfig?: Readonly<Record<string, { readonly numReplicas: number }>>;
  readonly overlapSeconds: number;
  readonly drainingSeconds: number;
  readonly sleepApplication: false;
}

export interface RailwayVolume {
  readonly path: string;
  readonly sizeMb: number;
  /** Railway's schedules of snapshots: kept for 6 days, a month and three (docs.railway.com/reference/backups). */
  readonly backups: readonly BackupKind[];
}
export type BackupKind = "DAILY" | "WEEKLY" | "MONTHLY";

export interface RailwayBucket {
  /** As the tokens in variables have it. */
  readonly name: string;
  /** `sjc`, `iad`, `ams` or `sin`. */
  readonly region: string;
}

/** What the driver prints on stdout; holds no secret. */
export interface RailwayResult {
  readonly project: string;
  readonly environment: string;
  readonly services: Readonly<Record<string, RailwayServiceResult>>;
  readonly buckets: Readonly<Record<string, string>>;
  /** What was done, in order; empty where all was as asked. */
  readonly changes: readonly string[];
  /** How many requests were made. */
  readonly calls: number;
}
export interface RailwayServiceResult {
  readonly id: string;
  readonly deployment: string;
  readonly url?: string;
  /** `host:port` of a TCP proxy. */
  readonly tcp?: string;
  readonly volume?: string;
  /** What a person has to enter at the domain's registrar. */
  readonly dns: readonly DnsRecord[];
}
export interface DnsRecord {
  readonly domain: string;
  readonly type: string;
  readonly name: string;
  readonly value: string;
}
