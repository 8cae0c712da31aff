import type {
  AppDeclaration,
  Bucket,
  BucketArgs,
  ChecklistItem,
  Command,
  CommandArgs,
  Database,
  DatabaseArgs,
  Domain,
  Job,
  JobArgs,
  Service,
  ServiceArgs,
} from "./declaration";
import { reference, type Environment } from "./environment";
import type { Cron } from "./values/cron";

/** What an app's function is given to declare its parts with. */
export interface AppScope {
  /** The stack's column of the matrix, for the rare part that exists in one of them only. */
  readonly environment: Environment;
  /** A long-running program. */
  service(name: string, args: ServiceArgs): Service;
  /** A command that runs on a schedule. */
  job(name: string, args: JobArgs): Job;
  /** A command that runs when a person asks. */
  command(name: string, args: CommandArgs): Command;
  /** An archive for files. */
  bucket(name: string, args?: BucketArgs): Bucket;
  /** A database. */
  database(name: string, args: DatabaseArgs): Database;
  /** A host name that the stack may give to a service, `<app>:<variable>`. @default variable: "domain" */
  domain(service: Service, variable?: string): void;
  /** Share of the data's disk that raises an alarm. @default 0.8 */
  diskAlarm(share: number): void;
  /** Sends a report of the disk's use to the alert address. */
  diskReport(at: Cron): void;
  /** A step that stays with a person. */
  checklist(...items: ChecklistItem[]): void;
}

/** An app as `apps/` exports it. */
export interface App {
  readonly name: string;
  readonly about: string;
  /** The app's parts for one column of the matrix. Pure: nothing is registered, read or sent. */
  declare(environment: Environment): AppDeclaration;
}

/**
 * Declares an app in terms of what it needs, without a word about hosts.
 * @example export const hello = app("hello", "Says hello", (a) => { a.service("web", { … }); });
 */
export function app(name: string, about: string, declare: (scope: AppScope) => void): App {
  return {
    name,
    about,
    declare: (environment) => {
      const scope = new Scope(environment);
      declare(scope);
      return { name, about, ...scope.parts() };
    },
  };
}

class Scope implements AppScope {
  private readonly services: Service[] = [];
  private readonly jobs: Job[] = [];
  private readonly commands: Command[] = [];
  private readonly buckets: Bucket[] = [];
  private readonly databases: Database[] = [];
  private readonly domains: Domain[] = [];
  private readonly items: ChecklistItem[] = [];
  private alarm = 0.8;
  private report: Cron | undefined;

  constructor(readonly environment: Environment) {}

  service(name: string, args: ServiceArgs): Service {
    return keep(this.services, {
      ...args,
      name,
      url: reference(name, "url"),
      internalUrl: reference(name, "internalUrl"),
    });
  }

  job(name: string, args: JobArgs): Job {
    return keep(this.jobs, { ...args, name });
  }

  command(name: string, args: CommandArgs): Command {
    return keep(this.commands, { ...args, name });
  }

  bucket(name: string, args: BucketArgs = {}): Bucket {
    return keep(this.buckets, {
      ...args,
      name,
      bucketName: reference(name, "name"),
      region: reference(name, "region"),
      endpoint: reference(name, "endpoint"),
    });
  }

  database(name: string, args: DatabaseArgs): Database {
    return keep(this.databases, { ...args, name, url: reference(name, "url"), path: reference(name, "path") });
  }

  domain(service: Service, variable = "domain"): void {
    this.domains.push({ service, variable });
  }

  diskAlarm(share: number): void {
    this.alarm = share;
  }

  diskReport(at: Cron): void {
    this.report = at;
  }

  checklist(...items: ChecklistItem[]): void {
    this.items.push(...items);
  }

  parts(): Omit<AppDeclaration, "name" | "about"> {
    return {
      services: this.services,
      jobs: this.jobs,
      commands: this.commands,
      buckets: this.buckets,
      databases: this.databases,
      domains: this.domains,
      checklist: this.items,
      diskAlarm: this.alarm,
      ...(this.report === undefined ? {} : { diskReport: this.report }),
    };
  }
}

function keep<T>(list: T[], item: T): T {
  list.push(item);
  return item;
}
