import { quote } from "../../../components/values/shell";
import type { Guest } from "../api/types";

/** What the scheduler's machine is given as a file; holds no secret. */
export interface Schedule {
  readonly app: string;
  readonly stack: string;
  /** Owner tag of the machines, `hotrod-prod`. */
  readonly id: string;
  readonly machinesUrl: string;
  readonly org: string;
  readonly jobs: readonly PlannedJob[];
  readonly backups: readonly PlannedBackup[];
  /** What is looked at every few minutes; empty where nobody is to be told of it. */
  readonly watch: readonly WatchedGroup[];
}

/** Machines that are alike, as they are to be. */
export interface WatchedGroup {
  /** As alerts call it: the service or database. */
  readonly subject: string;
  readonly flyApp: string;
  readonly group: string;
  readonly count: number;
  readonly volumes: boolean;
}

/** What is begun at its times. */
export interface Timed {
  readonly name: string;
  readonly expression: string;
  readonly timeZone: string;
}

export interface PlannedJob extends Timed {
  /** The app of Fly and the process group whose image, variables and size it runs with. */
  readonly flyApp: string;
  readonly group: string;
  /**
   * True where the group has volumes: then it runs in the machine that has the first of them, as no other machine can have it.
   * Otherwise each run has a machine of its own.
   */
  readonly inPlace: boolean;
  readonly commands: readonly string[];
  readonly onFailure: "stop" | "continue";
  readonly timeoutSeconds: number;
  readonly env: Readonly<Record<string, string>>;
}

/** A database's backup to a bucket. */
interface Saved extends Timed {
  /** `backup.<database>`, which no job can be called. */
  readonly name: string;
  readonly database: string;
  /** Copies kept in the bucket. */
  readonly keep: number;
  readonly bucket: { readonly name: string; readonly region: string; readonly endpoint?: string };
}

export interface PostgresBackup extends Saved {
  readonly engine: "postgres";
  /** An image with bash, the database's programs and its server, on which a copy is proven. */
  readonly image: string;
  readonly guest: Guest;
  /** Environment variable that holds the database's URL. */
  readonly variable: string;
}

export interface SqliteBackup extends Saved {
  readonly engine: "sqlite";
  /** The app of Fly and the group whose first machine has the file on its volume. */
  readonly flyApp: string;
  readonly group: string;
  /** As that machine sees it. */
  readonly file: string;
}

export type PlannedBackup = PostgresBackup | SqliteBackup;

export const isBackup = (one: PlannedJob | PlannedBackup): one is PlannedBackup => "database" in one;

export const backupName = (database: string): string => `backup.${database}`;

/** Folder of the scheduler's own files in its machine. */
export const schedulerFolder = "/homeport";

/** Environment variables that hold a backup's secrets. */
export const backupVariables = (database: string) => {
  const name = database.toUpperCase().replaceAll("-", "_");
  return { url: `DATABASE_${name}`, accessKeyId: `KEY_ID_${name}`, secretAccessKey: `KEY_SECRET_${name}` };
};

/** Environment variable that holds the token for an app of Fly. */
export const tokenVariable = (flyApp: string): string => `TOKEN_${flyApp.toUpperCase().replaceAll("-", "_")}`;

/** Metadata of a job's machine. */
export const jobTags = { name: "homeport_job", at: "homeport_at" } as const;

/**
 * Jobs of a service with a volume run in its machine, by Fly's exec, which promises neither variables nor working folder: so
 * the program's own are written down for them, where root alone reads.
 */
export const environmentFile = "/run/homeport.env";

/** A job's commands as one line of shell: the first failure is its result. */
export function jobScript({ commands, onFailure, env }: Pick<PlannedJob, "commands" | "onFailure" | "env">): string {
  const exports = Object.entries(env).map(([name, value]) => `export ${name}=${quote(value)}`);
  if (onFailure === "stop" || commands.length === 1) return ["set -e", ...exports, ...commands].join("\n");
  const each = commands.map((command) => `( ${command}\n) || { code=$?; [ "$result" != 0 ] || result=$code; }`);
  return [...exports, "result=0", ...each, "exit $result"].join("\n");
}
