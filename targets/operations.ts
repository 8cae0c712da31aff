import type { ResolvedApp } from "../components/resolvedApp";
import type { ObjectAccess } from "../drivers/s3/objects";
import type { IncomingFile } from "./putFile";

/** An app and where the stack puts it: what day-two work needs to know, without its code and variables. */
export type PlacedApp = Pick<ResolvedApp, "stack" | "environment" | "declaration" | "target" | "settings" | "domains">;

/**
 * Day-two work on one deployed app. Each target brings its own; the `homeport` command words what comes back.
 *
 * What streams (commands, jobs, backups, restores) is attached to this process's own standard streams and resolves to an
 * exit code: 0, the program's own, or one of `exitCodes`. Failures of the way there are thrown as DriverError.
 */
export interface Operations {
  /** Where the app lives, in a few words: `main (203.0.113.7)`. Apps of one place share what `examine` looks at. */
  readonly place: string;
  /** Names of what `homeport exec` and `homeport logs` can be asked for are checked against the declaration before. */
  status(): Promise<AppStatus>;
  logs(query: LogQuery, onLine: (line: LogLine) => void, signal: AbortSignal): Promise<void>;
  /** Starts a declared job now, follows its log and ends with its result. `busy` where it runs already. */
  runJob(job: string): Promise<number>;
  /** Runs a declared command with further arguments. */
  runCommand(command: string, args: readonly string[]): Promise<number>;
  /** Runs a command line with a service's version, variables, volumes and rights. */
  exec(service: string, argv: readonly string[]): Promise<number>;
  /**
   * Puts a file of this machine into a service's volume. @returns 0, `exitCodes.exists` where one of its name stayed, or
   * the code of what failed there, which has said why
   */
  put(service: string, file: IncomingFile): Promise<number>;
  /**
   * How this machine reads an archive of the app's. Undefined, or left out: by the key that the stack has for it, its
   * own or that of `s3:`.
   */
  archive?(known: KnownArchive): Promise<ObjectAccess | undefined>;
  /** Backs a database up now, as its schedule would. */
  backup(database: string): Promise<number>;
  backups(): Promise<BackupList>;
  /** Puts a backup in the place of the present data, which is kept aside. */
  restore(database: string, from: RestoreSource): Promise<number>;
  /** Left out where the place makes no snapshots of services' volumes. */
  readonly volumes?: VolumeOperations;
  /** Makes the version deployed before the present one the active one. @returns what was changed, one line each */
  rollback(progress: (line: string) => void): Promise<readonly string[]>;
  /** Restarts one service, or all, instance by instance, each healthy before the next. */
  restart(service: string | undefined): Promise<number>;
  /** Looks at the place itself: reachable, rights, disk, clock. */
  examine(): Promise<readonly Finding[]>;
}

/** Work on services' volumes, which have names of the place, `web_1`: the same verbs as for databases take those. */
export interface VolumeOperations {
  /** Whether the place overwrites the present data for good: then a restore is asked about first. @default false */
  readonly isFinal?: boolean;
  /** Of those that are in use. */
  names(): Promise<readonly string[]>;
  /** Makes a snapshot now. */
  snapshot(volume: string): Promise<number>;
  snapshots(): Promise<BackupList>;
  /** Puts a snapshot in the place of the present data, which is kept aside unless that `isFinal`. */
  restore(volume: string, from: RestoreSource): Promise<number>;
}

/** Exit codes of what streams, besides the program's own. */
export const exitCodes = {
  /** A file of that name is there and stays (EX_CANTCREAT of sysexits(3)). */
  exists: 73,
  /** It runs already (EX_TEMPFAIL of sysexits(3)). */
  busy: 75,
  /** It took longer than it may, as timeout(1) has it. */
  timeout: 124,
  /** What was asked for isn't there; deploy first (as a shell has it). */
  absent: 127,
  /** Ended by Ctrl-C. */
  interrupted: 130,
} as const;

/** An archive as the stack's state tells of it. Secret: it may hold its key. */
export interface KnownArchive {
  /** As the app declares it. */
  readonly name: string;
  /** As the store knows it. */
  readonly bucket: string;
  readonly region?: string;
  /** Left out: AWS. */
  readonly endpoint?: string;
  /** A key of the bucket's own, where its place gave one. */
  readonly key?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** Times are RFC 3339 in UTC. */
export interface AppStatus {
  /** False where the app was never deployed to its place; all lists are empty then. */
  readonly deployed: boolean;
  /** When this was true, by the place's own clock. */
  readonly time: string;
  readonly services: readonly ServiceStatus[];
  readonly schedules: readonly ScheduleStatus[];
  readonly databases: readonly DatabaseStatus[];
  readonly disks: readonly DiskStatus[];
  /** What is declared and isn't there, though a deploy left it: `machine web/2`. Left out where the place doesn't tell. */
  readonly missing?: readonly string[];
  /** Parts that have failed, by the name under which `homeport logs` has them, if it has. */
  readonly failed: readonly string[];
}

export interface ServiceStatus {
  readonly name: string;
  readonly release: string;
  /** Which of the places that versions take turns in, where the target has such. */
  readonly slot?: string;
  /** When this release took over. */
  readonly since?: string;
  /** `none` for what has no health path: then its instances tell. */
  readonly health: "healthy" | "unhealthy" | "none";
  readonly instances: readonly InstanceStatus[];
}
export interface InstanceStatus {
  readonly name: string;
  readonly running: boolean;
  /** The target's own word for it: `active`, `failed`, `started`. */
  readonly state: string;
  readonly since?: string;
  readonly memoryBytes?: number;
  readonly restarts?: number;
}
export interface ScheduleStatus {
  readonly name: string;
  readonly kind: "job" | "backup" | "watch" | "report";
  readonly last?: string;
  /** `running` while it runs, `unknown` before its first run and where the place has forgotten how that went. */
  readonly result: "success" | "failed" | "running" | "unknown";
  /** The target's own word for a failure: `timeout`, `exit-code`. */
  readonly reason?: string;
  readonly next?: string;
}
export interface DatabaseStatus {
  readonly name: string;
  /** With its version, where the place tells of it. */
  readonly engine: string;
  /** The target's own words for how it is, and how large: `ready, basic, 10 GB`. */
  readonly state?: string;
  /** Copies next to the database. */
  readonly copies: number;
  /** Its bytes are 0 where the place tells no size. */
  readonly newest?: { readonly name: string; readonly bytes: number; readonly time: string };
}
export interface DiskStatus {
  readonly path: string;
  /** The disk's own, where the place tells disks apart. Without it, paths with one size are taken to be of one file system. */
  readonly id?: string;
  readonly bytes: number;
  readonly freeBytes: number;
  readonly usedPercent: number;
  /** From here on `homeport status` says that it isn't well; hosts raise an alarm by themselves. */
  readonly limitPercent: number;
}

export interface LogQuery {
  /** Left out: everything of the app. */
  readonly part?: { readonly kind: "service" | "job" | "database"; readonly name: string };
  /** Goes on until the signal, with new lines as they come. */
  readonly follow: boolean;
  /** The newest so many lines. Left out: all since `since`. */
  readonly lines?: number;
  readonly since?: Date;
}
export interface LogLine {
  readonly time: Date;
  /** The service and instance, or the job: `web/b1`, `ingest`. */
  readonly part: string;
  readonly text: string;
  readonly level: "error" | "warning" | "other";
}

export interface BackupList {
  readonly copies: readonly BackupCopy[];
  /** What could not be looked at, and why. */
  readonly problems: readonly string[];
}
export interface BackupCopy {
  readonly database: string;
  /** Next to the database, or in the archive. */
  readonly kept: "place" | "archive";
  /** As `homeport restore` takes it. */
  readonly key: string;
  /** 0 where the place doesn't tell. */
  readonly bytes: number;
  readonly time: string;
}
export type RestoreSource =
  | { readonly kind: "latest" }
  /** A file of this machine, sent there. */
  | { readonly kind: "file"; readonly path: string }
  /** A name or key that `backups` lists. */
  | { readonly kind: "key"; readonly key: string };

/** One thing that `homeport doctor` has looked at. */
export interface Finding {
  readonly level: "ok" | "warning" | "problem";
  readonly what: string;
  readonly fix?: string;
}
