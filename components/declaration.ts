import type { Source } from "../drivers/source";
import type { Reference } from "./environment";
import type { Cron } from "./values/cron";
import type { Duration } from "./values/duration";
import type { Size } from "./values/size";
import type { Variable, VariableSource } from "./variables";

/** How a service's code is installed and started where no container image is built. */
export type Runtime =
  | {
      readonly language: "python";
      /** Lowest version that the code runs on, `3.11`. A host takes the lowest one it has or can install from there up. */
      readonly version: string;
      /**
       * What describes the dependencies: `requirements.txt`, or `uv.lock` with `pyproject.toml`.
       * @default the one that is in the source; `uv.lock` where both are
       */
      readonly dependencies?: "requirements.txt" | "uv.lock";
    }
  | { readonly language: "node"; readonly version: string };

/** Code that runs on Python `version` or newer. */
export const python = (
  version: string,
  options: Pick<Extract<Runtime, { language: "python" }>, "dependencies"> = {},
): Runtime => ({ language: "python", version, ...options });

/** Code that runs on Node.js `version` or newer, its dependencies installed by `npm ci`. */
export const node = (version: string): Runtime => ({ language: "node", version });

/** Code whose place each stack must tell, `<app>:source`. */
export interface StackSource {
  readonly kind: "stack";
  /** Folder of it that becomes the root of the release. @default the whole of it */
  readonly directory?: string;
}
export const fromStack = (options: Omit<StackSource, "kind"> = {}): StackSource => ({ kind: "stack", ...options });

/** A folder whose content outlives releases, hosts' restarts and redeploys. */
export interface Volume {
  /** Absolute path at which the service sees it. */
  readonly path: string;
  /** The space it is meant to need. Targets that sell disks use it as their size; hosts check that it is there. */
  readonly size: Size;
}
export const Volume = {
  at: (path: string, size: Size): Volume => ({ path, size }),
};

/** What a service's processes may use. */
export interface Resources {
  /** Memory of one instance. @default 512 MiB */
  readonly memory?: Size;
  /** Shares of a CPU. @default 1 */
  readonly cpus?: number;
  /** `performance` asks for cores that aren't shared, where the target makes a difference. @default "shared" */
  readonly cpuKind?: "shared" | "performance";
}

/** Log files that a service writes by itself (what goes to stdout is kept by the target). */
export interface LogFiles {
  /** Folder below one of the service's volumes. */
  readonly path: string;
  /** Rotated files kept, one a day, compressed. @default 30 */
  readonly keep?: number;
}

/** An address that is called again and again, and an alert when it doesn't answer 2xx. */
export interface Check {
  /** Path of the request. */
  readonly path: string;
  readonly every: Duration;
}

export interface ServiceArgs {
  /** Where the code comes from; a stack may replace it by `<app>:source`. Exactly one of `source` and `image`. */
  readonly source?: Source | StackSource;
  /** A published container image, by reference with a tag or digest. */
  readonly image?: string;
  /** Needed with `source`. Targets that build images use the source's `Dockerfile` instead. */
  readonly runtime?: Runtime;
  /** The Dockerfile for targets that build images, relative to the source's directory. @default "Dockerfile" */
  readonly dockerfile?: string;
  /** Run once after the dependencies are installed, `npm run build`. It sees no variable of the app. */
  readonly build?: string;
  /** The program. `$PORT` is the port it must listen on. @default the image's own, with `image` */
  readonly command?: string;
  /** The port it is reached on. Left out: a worker that nothing connects to. */
  readonly port?: number;
  /**
   * Who may connect: everyone, the addresses that the stack configures, or the app's own services only.
   * @default "public"
   */
  readonly access?: "public" | "restricted" | "internal";
  /**
   * With restricted access: whether the service asks everyone for a login itself. Where the stack configures no addresses
   * (`<app>:allowFrom`), targets that can't tell addresses apart then open it to everyone; they refuse it otherwise.
   * @default false
   */
  readonly ownLogin?: boolean;
  /** Path that answers 2xx when the service is ready. Needed with `port`. */
  readonly health?: string;
  /** Time from start to the first good answer of `health`. @default 60 s */
  readonly startTimeout?: Duration;
  /** Time that connections of a replaced version, WebSockets among them, have to end by themselves. @default 30 s */
  readonly drain?: Duration;
  /** Run once with the new version and its variables before it takes over; its failure stops the deploy. */
  readonly release?: string;
  /** Number of instances, or bounds for targets that scale by load. @default 1 */
  readonly instances?: number | { readonly min: number; readonly max: number };
  /** Keep a browser on one instance (sessions in memory, Socket.IO's polling). @default false */
  readonly sticky?: boolean;
  readonly resources?: Resources;
  readonly volumes?: readonly Volume[];
  /** Folders made at first start, below a volume. */
  readonly folders?: readonly string[];
  readonly logs?: LogFiles;
  /** Calls besides `health`, which is checked every 5 minutes as it is. */
  readonly checks?: readonly Check[];
  readonly env?: Readonly<Record<string, VariableSource>>;
}

export interface Service extends ServiceArgs {
  readonly name: string;
  readonly url: Reference;
  readonly internalUrl: Reference;
}

export interface JobArgs {
  /** The service whose version, variables and volumes the job runs with. */
  readonly in: Service;
  readonly at: Cron;
  /** One command, or several that run one after the other. */
  readonly command: string | readonly string[];
  /** With several commands: whether a failed one keeps the later ones from running. The job has failed in both cases. @default "stop" */
  readonly onFailure?: "stop" | "continue";
  /** After it the job is stopped and counts as failed. @default 1 hour */
  readonly timeout?: Duration;
  /** Variables besides the service's. */
  readonly env?: Readonly<Record<string, VariableSource>>;
}
export interface Job extends JobArgs {
  readonly name: string;
}

/** A command that a person runs when needed: `homeport run <app> <name> [-- arguments]`. */
export interface CommandArgs {
  readonly in: Service;
  readonly command: string;
  /** One line for the list of commands. */
  readonly about: string;
  /** True where the command talks to the person (a login, a prompt). @default false */
  readonly interactive?: boolean;
}
export interface Command extends CommandArgs {
  readonly name: string;
}

export interface BucketArgs {
  /** Objects move to infrequent-access storage after this. @default never */
  readonly coldAfter?: Duration;
  /** Objects are deleted after this. @default never */
  readonly expireAfter?: Duration;
  /** An existing bucket to use instead of a new one, by name. Also `<app>:buckets.<name>` in the stack. */
  readonly existing?: string;
}
export interface Bucket extends BucketArgs {
  readonly name: string;
  readonly bucketName: Reference;
  readonly region: Reference;
  readonly endpoint: Reference;
}

/** How a database is saved, and how many copies are kept where. */
export interface Backup {
  readonly at: Cron;
  /** Copies kept next to the database. @default 7 */
  readonly keep?: number;
  /** Where each copy is uploaded. @default nowhere */
  readonly to?: Bucket;
}

export type DatabaseArgs =
  | {
      readonly engine: "postgres";
      /** Extensions made available in the database. @default none */
      readonly extensions?: readonly string[];
      readonly size?: Size;
      readonly backup?: Backup;
    }
  | { readonly engine: "redis"; readonly size?: Size }
  | {
      readonly engine: "sqlite";
      /** The file, as its service sees it, below one of the service's volumes. */
      readonly file: string;
      readonly backup?: Backup;
    }
  | {
      /** Run by somebody else. The stack gives its URL as a secret, `<app>:<variable>`. */
      readonly engine: "external";
      readonly variable: string;
      readonly schemes: readonly string[];
      readonly about: string;
    };
export type Database = DatabaseArgs & {
  readonly name: string;
  readonly url: Reference;
  readonly path: Reference;
};

/** Something a person must do or look at, which no program can: shown by `homeport checklist <app>`. */
export interface ChecklistItem {
  readonly when: "before the first deploy" | "after a deploy" | "weekly";
  readonly what: string;
  /** The command that does or shows it, where there is one. */
  readonly command?: string;
}

/** Everything an app needs, as plain data. */
export interface AppDeclaration {
  readonly name: string;
  readonly about: string;
  readonly services: readonly Service[];
  readonly jobs: readonly Job[];
  readonly commands: readonly Command[];
  readonly buckets: readonly Bucket[];
  readonly databases: readonly Database[];
  readonly domains: readonly Domain[];
  readonly checklist: readonly ChecklistItem[];
  /** Share of the data's disk that raises an alarm, 0 to 1. */
  readonly diskAlarm: number;
  /** When a report of the disk's use is sent to the alert address. */
  readonly diskReport?: Cron;
}

/** A host name of the app's own; the stack sets it as `<app>:<variable>`. */
export interface Domain {
  readonly service: Service;
  readonly variable: string;
}

/** A named variable together with the component it belongs to. */
export interface NamedVariable {
  readonly name: string;
  readonly component: string;
  readonly variable: Variable;
}
