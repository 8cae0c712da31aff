import { hostName } from "../../components/values/names";
import { realWorld, type World } from "../../drivers/http";
import { DriverError } from "../../drivers/error";
import type { AppStatus, BackupList, Finding, LogLine, LogQuery, Operations, PlacedApp } from "../operations";
import { exitCodes } from "../operations";
import { configOf, metadataOf, type Machine } from "./api/types";
import type { FlyConnection } from "./api/connection";
import { Fly } from "./api/fly";
import { FlyLogs } from "./api/logs";
import { listVolumes } from "./api/volumes";
import { look, strange } from "./deploy/claim";
import { waitHealthy } from "./deploy/health";
import { rollBack } from "./deploy/rollback";
import { Run } from "./deploy/run";
import { tag } from "./deploy/tags";
import { environmentFile, type PlannedJob, type Schedule } from "./scheduler/schedule";
import { runJob } from "./scheduler/runJob";
import { backUp, listBackups } from "./operationsBackups";
import { mainName, partName } from "./names";
import type { FlySettings } from "./settings";
import { readStatus } from "./status";

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** Seconds that a command which a person starts may take. */
const commandSeconds = 24 * 3600;

/** Day-two work on an app of Fly.io. */
export class FlyOperations implements Operations {
  readonly place: string;
  private readonly id: string;
  private readonly fly: Fly;
  private readonly connection: FlyConnection;
  private readonly main: string;

  constructor(
    private readonly app: PlacedApp,
    private readonly settings: FlySettings,
    private readonly world: World = realWorld,
  ) {
    this.id = hostName(app.declaration.name, app.stack);
    this.main = mainName(app, settings);
    this.place = `Fly.io (${this.main})`;
    if (settings.apiToken === undefined) {
      throw new DriverError({
        what: "The stack has no token for Fly.",
        where: "fly:apiToken",
        why: "Fly can't be asked without one",
        fix: "pulumi config set --secret fly:apiToken",
      });
    }
    this.connection = {
      machinesUrl: settings.machinesUrl,
      apiUrl: settings.apiUrl,
      org: settings.org,
      token: settings.apiToken,
    };
    const io = { progress: toPerson, signal: new AbortController().signal };
    this.fly = new Fly(this.connection, io, [], world);
  }

  async status(): Promise<AppStatus> {
    const machines = await this.allMachines();
    const main = await this.fly.app(this.main);
    const schedules = await this.schedule();
    return readStatus(this.app, machines, schedules, main === undefined ? [] : await listVolumes(this.fly, this.main));
  }

  async logs(query: LogQuery, onLine: (line: LogLine) => void, signal: AbortSignal): Promise<void> {
    const logs = new FlyLogs(this.connection, [], { signal, world: this.world });
    const deadline = () => this.fly.deadline(60, "the logs");
    const names = new Map((await this.allMachines()).map(({ machine, part }) => [machine.id, part]));
    const wanted = (part: string): boolean => query.part === undefined || part.split("/")[0] === partOf(query.part);
    const apps =
      query.part?.kind === "job" ? [this.main, partName(this.app, this.settings, "scheduler")] : this.appNames();
    const after = new Map<string, string>();
    let first = true;
    for (;;) {
      const found: LogLine[] = [];
      for (const app of apps) {
        const next = after.get(app);
        const { lines, next: following } = await logs
          .read(app, deadline(), next === undefined ? {} : { after: next })
          .catch((error: unknown) =>
            signal.aborted ? { lines: [], next: undefined } : Promise.reject(error as Error),
          );
        if (following !== undefined) after.set(app, following);
        for (const { time, instance, level, message } of lines) {
          const part = names.get(instance) ?? instance;
          const at = new Date(time);
          if (!wanted(part) || (query.since !== undefined && at < query.since)) continue;
          found.push({ time: at, part, text: message, level: levelOf(level) });
        }
      }
      found.sort((a, b) => a.time.getTime() - b.time.getTime());
      const shown = first && query.lines !== undefined ? found.slice(-query.lines) : found;
      for (const line of shown) onLine(line);
      first = false;
      if (!query.follow || signal.aborted) return;
      await this.fly.client.world.sleep(2000, signal).catch(() => undefined);
      if (isOver(signal)) return;
    }
  }

  async runJob(job: string): Promise<number> {
    const planned = (await this.schedule()).jobs.find(({ name }) => name === job);
    if (planned === undefined) return this.absent(job);
    return this.follow(planned);
  }

  async runCommand(command: string, args: readonly string[]): Promise<number> {
    const declared = this.app.declaration.commands.find(({ name }) => name === command);
    if (declared === undefined) return this.absent(command);
    const service = declared.in;
    return this.follow({
      name: command,
      expression: "@yearly",
      timeZone: "UTC",
      flyApp: this.appOf(service.name),
      group: service.name,
      inPlace: (service.volumes ?? []).length > 0,
      commands: [[declared.command, ...args.map(quote)].join(" ")],
      onFailure: "stop",
      timeoutSeconds: commandSeconds,
      env: {},
    });
  }

  async exec(service: string, argv: readonly string[]): Promise<number> {
    const [machine] = (
      await this.fly.machines(this.appOf(service), { [tag.group]: service, [tag.owner]: this.id })
    ).filter(({ state }) => state === "started");
    if (machine === undefined) return this.absent(service);
    const script = `[ ! -r ${environmentFile} ] || . ${environmentFile}; exec ${argv.map(quote).join(" ")}`;
    const {
      exit_code,
      stdout = "",
      stderr = "",
    } = await this.fly.exec(this.appOf(service), machine.id, ["/bin/sh", "-c", script], 60);
    process.stdout.write(stdout);
    process.stderr.write(stderr);
    return exit_code ?? 0;
  }

  async backup(database: string): Promise<number> {
    return (await backUp(this.fly, this.app, database, toPerson)) ? 0 : this.absent(database);
  }

  backups(): Promise<BackupList> {
    return listBackups(this.fly, this.app);
  }

  restore(database: string): Promise<number> {
    return Promise.reject(
      this.unable(`restore "${database}"`, "Managed Postgres restores into a new cluster", "fly mpg restore"),
    );
  }

  async rollback(progress: (line: string) => void): Promise<readonly string[]> {
    const run = this.run(progress);
    await rollBack(run, this.main);
    return run.changes;
  }

  async restart(service: string | undefined): Promise<number> {
    for (const { machine, app, group } of await this.allMachines()) {
      const config = configOf(machine);
      if ((service !== undefined && group !== service) || machine.state !== "started" || config === undefined) continue;
      process.stderr.write(`${group} ${machine.id}: restarts\n`);
      await this.fly.restart(app, machine.id);
      const like = {
        name: group,
        count: 1,
        config,
        strategy: "rolling",
        startSeconds: 300,
        drainSeconds: 30,
        idle: false,
      } as const;
      await waitHealthy(this.run(), app, like, machine.id);
    }
    return 0;
  }

  async examine(): Promise<readonly Finding[]> {
    const app = await this.fly.app(this.main);
    if (app === undefined) return [{ level: "ok", what: `Fly takes the token; ${this.main} isn't there yet.` }];
    const why = strange(this.id, await look(this.run(), this.main));
    return [
      why === undefined
        ? { level: "ok", what: `Fly takes the token, and ${this.main} is this stack's.` }
        : {
            level: "problem",
            what: `${this.main} isn't this stack's: ${why}.`,
            fix: `pulumi config set --path fly:names.${this.app.declaration.name} ANOTHER-NAME`,
          },
    ];
  }

  private run(progress: (line: string) => void = toPerson): Run {
    const spec = {
      connection: this.connection,
      id: this.id,
      pepper: "",
      apps: [],
      postgres: [],
      propagationSeconds: this.settings.propagation.toSeconds(),
      onDelete: "keep data",
    } as const;
    const signal = new AbortController().signal;
    return new Run(spec, { progress, signal }, [], this.world);
  }

  private appOf(service: string): string {
    const declared = this.app.declaration.services.find(({ name }) => name === service);
    return declared?.access === "internal" && declared.port !== undefined
      ? partName(this.app, this.settings, service)
      : this.main;
  }

  private appNames(): string[] {
    const { services, databases, jobs } = this.app.declaration;
    const parts = databases.filter(({ engine }) => engine === "redis").map(({ name }) => name);
    if (jobs.length > 0) parts.push("scheduler");
    return [
      ...new Set([
        ...services.map(({ name }) => this.appOf(name)),
        ...parts.map((part) => partName(this.app, this.settings, part)),
      ]),
    ];
  }

  private async allMachines(): Promise<PlacedMachine[]> {
    const all: PlacedMachine[] = [];
    for (const app of this.appNames()) {
      if ((await this.fly.app(app)) === undefined) continue;
      for (const machine of await this.fly.machines(app, { [tag.owner]: this.id })) {
        const metadata = metadataOf(machine);
        const group = metadata[tag.group] ?? app;
        all.push({
          machine,
          app,
          group,
          part: group.startsWith("job-") ? group.slice(4) : `${group}/${metadata[tag.slot] ?? machine.id}`,
        });
      }
    }
    return all;
  }

  /** The schedule that the scheduler's machine has. */
  private async schedule(): Promise<Pick<Schedule, "jobs"> & { machine?: Machine }> {
    if (this.app.declaration.jobs.length === 0) return { jobs: [] };
    const name = partName(this.app, this.settings, "scheduler");
    if ((await this.fly.app(name)) === undefined) return { jobs: [] };
    const [machine] = await this.fly.machines(name, { [tag.owner]: this.id });
    const file =
      machine === undefined
        ? undefined
        : configOf(machine)?.files?.find(({ guest_path }) => guest_path.endsWith(".json"));
    if (machine === undefined || file?.raw_value === undefined) return { jobs: [] };
    const { jobs } = JSON.parse(Buffer.from(file.raw_value, "base64").toString("utf8")) as Schedule;
    return { jobs, machine };
  }

  private async follow(job: PlannedJob): Promise<number> {
    const { code, reason, log } = await runJob(this.fly, this.id, job, new Date());
    for (const line of log) process.stdout.write(`${line}\n`);
    if (reason === "timeout") return exitCodes.timeout;
    return reason === "lost" ? exitCodes.absent : (code ?? 1);
  }

  private absent(name: string): number {
    process.stderr.write(`${name} isn't there; pulumi up deploys it\n`);
    return exitCodes.absent;
  }

  private unable(what: string, why: string, fix: string): DriverError {
    return new DriverError({ what: `Homeport can't ${what} on Fly yet.`, where: this.place, why, fix });
  }
}

/** A machine and what it is to the app. */
export interface PlacedMachine {
  readonly machine: Machine;
  readonly app: string;
  readonly group: string;
  /** `web/1`, or a job's name. */
  readonly part: string;
}

const toPerson = (line: string): void => void process.stderr.write(`${line}\n`);
const isOver = (signal: AbortSignal): boolean => signal.aborted;
const partOf = ({ kind, name }: { kind: string; name: string }): string => (kind === "database" ? "redis" : name);
const levelOf = (level: string): LogLine["level"] =>
  level === "error" || level === "fatal" ? "error" : level === "warn" || level === "warning" ? "warning" : "other";
