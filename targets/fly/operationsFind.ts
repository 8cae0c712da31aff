import { hostName } from "../../components/values/names";
import type { PlacedApp } from "../operations";
import type { Fly } from "./api/fly";
import { configOf, metadataOf, type Machine, type Volume } from "./api/types";
import { listVolumes } from "./api/volumes";
import { tag } from "./deploy/tags";
import { clusterName, mainName, partName } from "./names";
import type { Schedule } from "./scheduler/schedule";
import type { FlySettings } from "./settings";

/** A machine and what it is to the app. */
export interface PlacedMachine {
  readonly machine: Machine;
  readonly app: string;
  readonly group: string;
  /** `web/1`, or the name of a job or of the database that it backs up. */
  readonly part: string;
}

/** A volume and the app of Fly that it is in. */
export interface PlacedVolume {
  readonly app: string;
  readonly volume: Volume;
}

/** The schedule that the scheduler's machine has, and that machine. */
export type FoundSchedule = Pick<Schedule, "jobs" | "backups"> & { readonly machine?: Machine };

/** Where an app's parts are on Fly. */
export class Whereabouts {
  readonly id: string;
  readonly main: string;
  readonly scheduler: string;

  constructor(
    private readonly fly: Fly,
    private readonly app: PlacedApp,
    private readonly settings: FlySettings,
  ) {
    this.id = hostName(app.declaration.name, app.stack);
    this.main = mainName(app, settings);
    this.scheduler = partName(app, settings, "scheduler");
  }

  /** The name of a database's cluster of Managed Postgres. */
  clusterName(database: string): string {
    return clusterName(this.app, this.settings, database);
  }

  /** The app of Fly that a service's machines are in. */
  appOf(service: string): string {
    const declared = this.app.declaration.services.find(({ name }) => name === service);
    return declared?.access === "internal" && declared.port !== undefined
      ? partName(this.app, this.settings, service)
      : this.main;
  }

  /** The app of Fly of a database that has one of its own. */
  partApp(database: string): string {
    return partName(this.app, this.settings, database);
  }

  /** Apps of Fly that hold services, what others connect to first. */
  serviceApps(): string[] {
    const apps = new Set(this.app.declaration.services.map(({ name }) => this.appOf(name)));
    return [...apps].sort((a, b) => Number(a === this.main) - Number(b === this.main));
  }

  appNames(): string[] {
    const { databases, jobs } = this.app.declaration;
    const own = databases.filter(({ engine }) => engine === "redis").map(({ name }) => this.partApp(name));
    const scheduled = jobs.length > 0 || databases.some((database) => "backup" in database);
    return [...new Set([...this.serviceApps(), ...own, ...(scheduled ? [this.scheduler] : [])])];
  }

  /** The app's own machines in an app of Fly, which needn't be there. */
  private async machinesIn(app: string): Promise<Machine[]> {
    return (await this.fly.app(app)) === undefined ? [] : this.fly.machines(app, { [tag.owner]: this.id });
  }

  async allMachines(): Promise<PlacedMachine[]> {
    const found = await Promise.all(
      this.appNames().map(async (app) => (await this.machinesIn(app)).map((machine) => placedIn(app, machine))),
    );
    return found.flat();
  }

  /** All volumes of the app's services and databases. */
  async volumes(): Promise<PlacedVolume[]> {
    const found = await Promise.all(
      this.appNames().map(async (app) => {
        const volumes = (await this.fly.app(app)) === undefined ? [] : await listVolumes(this.fly, app);
        return volumes.map((volume) => ({ app, volume }));
      }),
    );
    return found.flat();
  }

  async schedule(): Promise<FoundSchedule> {
    const none = { jobs: [], backups: [] };
    if (!this.appNames().includes(this.scheduler)) return none;
    const machine = (await this.machinesIn(this.scheduler)).find(
      (one) => metadataOf(one)[tag.role] === "service" && metadataOf(one)[tag.group] === "scheduler",
    );
    const files = machine === undefined ? [] : (configOf(machine)?.files ?? []);
    const text = files.find(({ guest_path }) => guest_path.endsWith(".json"))?.raw_value;
    if (machine === undefined || text === undefined) return none;
    // One that an earlier Homeport made knew of no backups.
    const { jobs, backups = [] } = JSON.parse(Buffer.from(text, "base64").toString("utf8")) as Partial<Schedule> &
      Pick<Schedule, "jobs">;
    return { jobs, backups, machine };
  }
}

function placedIn(app: string, machine: Machine): PlacedMachine {
  const metadata = metadataOf(machine);
  const group = metadata[tag.group] ?? app;
  const single = /^(?:job-|backup\.)(.+)$/.exec(group)?.[1];
  return { machine, app, group, part: single ?? `${group}/${metadata[tag.slot] ?? machine.id}` };
}
