import { quote } from "../../components/values/shell";
import { realWorld, type World } from "../../drivers/http";
import { DriverError } from "../../drivers/error";
import type {
  AppStatus,
  BackupList,
  Finding,
  LogLine,
  LogQuery,
  Operations,
  PlacedApp,
  RestoreSource,
} from "../operations";
import { exitCodes } from "../operations";
import type { IncomingFile } from "../putFile";
import { configOf, metadataOf } from "./api/types";
import type { FlyConnection } from "./api/connection";
import { Fly } from "./api/fly";
import { FlyLogs } from "./api/logs";
import { listClusters } from "./deploy/postgres";
import { look, strange } from "./deploy/claim";
import { groupLike, waitHealthy } from "./deploy/health";
import { rollBack } from "./deploy/rollback";
import { Run } from "./deploy/run";
import { tag } from "./deploy/tags";
import { environmentFile, type PlannedJob } from "./scheduler/schedule";
import { runJob } from "./scheduler/runJob";
import { FlyBackups } from "./operationsBackups";
import { databaseStatuses, findDatabases } from "./operationsDatabases";
import { domainFindings } from "./operationsDomains";
import { Whereabouts } from "./operationsFind";
import { FlyVolumes } from "./operationsVolumes";
import { followLogs } from "./operationsLogs";
import { putIntoMachine } from "./operationsPut";
import type { FlySettings } from "./settings";
import { readStatus } from "./status";

/** Seconds that a command which a person starts may take. */
const commandSeconds = 24 * 3600;

/** Day-two work on an app of Fly.io. */
export class FlyOperations implements Operations {
  readonly place: string;
  private readonly fly: Fly;
  private readonly connection: FlyConnection;
  private readonly where: Whereabouts;
  private readonly saved: FlyBackups;
  readonly volumes: FlyVolumes;

  constructor(
    private readonly app: PlacedApp,
    private readonly settings: FlySettings,
    private readonly world: World = realWorld,
  ) {
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
    this.where = new Whereabouts(this.fly, app, settings);
    this.place = `Fly.io (${this.where.main})`;
    this.saved = new FlyBackups(this.fly, app, this.where, (job) => this.follow(job), toPerson);
    this.volumes = new FlyVolumes(this.where, () => this.run());
  }

  async status(): Promise<AppStatus> {
    const { where, fly, app } = this;
    const clustered = app.declaration.databases.some(({ engine }) => engine === "postgres");
    const [machines, schedule, volumes, clusters] = await Promise.all([
      where.allMachines(),
      where.schedule(),
      where.volumes(),
      clustered ? listClusters(fly) : [],
    ]);
    const found = findDatabases(app, where, { machines, volumes, clusters });
    return readStatus(app, { machines, schedule, volumes, found, databases: await databaseStatuses(fly, found) });
  }

  logs(query: LogQuery, onLine: (line: LogLine) => void, signal: AbortSignal): Promise<void> {
    const logs = new FlyLogs(this.connection, [], { signal, world: this.world });
    return followLogs(this.fly, logs, this.where, this.app, query, onLine, signal);
  }

  async runJob(job: string): Promise<number> {
    const planned = (await this.where.schedule()).jobs.find(({ name }) => name === job);
    if (planned === undefined) return this.absent(job);
    return this.follow(planned);
  }

  async runCommand(command: string, args: readonly string[]): Promise<number> {
    const declared = this.app.declaration.commands.find(({ name }) => name === command);
    if (declared === undefined) return this.absent(command);
    const service = declared.in;
    if (declared.interactive === true) {
      throw new DriverError({
        what: `${command} talks to a person, which Fly's API has no way for.`,
        where: this.place,
        why: "it runs a command and tells what it wrote, and takes no input meanwhile",
        fix: `fly ssh console --app ${this.where.appOf(service.name)} --command ${quote(declared.command)}`,
      });
    }
    return this.follow({
      name: command,
      expression: "@yearly",
      timeZone: "UTC",
      flyApp: this.where.appOf(service.name),
      group: service.name,
      inPlace: (service.volumes ?? []).length > 0,
      commands: [[declared.command, ...args.map(quote)].join(" ")],
      onFailure: "stop",
      timeoutSeconds: commandSeconds,
      env: {},
    });
  }

  async exec(service: string, argv: readonly string[]): Promise<number> {
    const machine = await this.running(service);
    if (machine === undefined) return this.absent(service);
    const script = `[ ! -r ${environmentFile} ] || . ${environmentFile}; exec ${argv.map(quote).join(" ")}`;
    const {
      exit_code,
      stdout = "",
      stderr = "",
    } = await this.fly.exec(this.where.appOf(service), machine.id, ["/bin/sh", "-c", script], 60);
    process.stdout.write(stdout);
    process.stderr.write(stderr);
    return exit_code ?? 0;
  }

  async put(service: string, file: IncomingFile): Promise<number> {
    const app = this.where.appOf(service);
    const machine = await this.running(service);
    if (machine === undefined) return this.absent(service);
    return putIntoMachine((command, seconds) => this.fly.exec(app, machine.id, command, seconds), file, app);
  }

  private async running(service: string) {
    const tags = { [tag.group]: service, [tag.owner]: this.where.id };
    return (await this.fly.machines(this.where.appOf(service), tags)).find(({ state }) => state === "started");
  }

  backup(database: string): Promise<number> {
    return this.saved.backup(database);
  }

  backups(): Promise<BackupList> {
    return this.saved.list();
  }

  restore(database: string, from: RestoreSource): Promise<number> {
    return this.saved.restore(database, from);
  }

  async rollback(progress: (line: string) => void): Promise<readonly string[]> {
    const run = this.run(progress);
    await rollBack(run, this.where.serviceApps());
    return run.changes;
  }

  async restart(service: string | undefined): Promise<number> {
    for (const { machine, app, group } of await this.where.allMachines()) {
      const config = configOf(machine);
      const serves = metadataOf(machine)[tag.role] === "service" && machine.state === "started";
      if ((service !== undefined && group !== service) || !serves || config === undefined) continue;
      process.stderr.write(`${group} ${machine.id}: restarts\n`);
      await this.fly.restart(app, machine.id);
      await waitHealthy(this.run(), app, groupLike(group, config), machine.id);
    }
    return 0;
  }

  async examine(): Promise<readonly Finding[]> {
    const { main } = this.where;
    const app = await this.fly.app(main);
    if (app === undefined) return [{ level: "ok", what: `Fly takes the token; ${main} isn't there yet.` }];
    const run = this.run();
    const found = await look(run, main);
    const why = await strange(run, main, found);
    if (why !== undefined) {
      const fix = `pulumi config set --path fly:names.${this.app.declaration.name} ANOTHER-NAME`;
      return [{ level: "problem", what: `${main} isn't this stack's: ${why}.`, fix }];
    }
    return [
      { level: "ok", what: `Fly takes the token, and ${main} is this stack's.` },
      ...(await domainFindings(this.fly, main, Object.values(this.app.domains), found.ips)),
    ];
  }

  private run(progress: (line: string) => void = toPerson): Run {
    const spec = {
      connection: this.connection,
      id: this.where.id,
      pepper: "",
      apps: [],
      postgres: [],
      propagationSeconds: this.settings.propagation.toSeconds(),
      onDelete: "keep data",
    } as const;
    const signal = new AbortController().signal;
    return new Run(spec, { progress, signal }, [], this.world);
  }

  private async follow(job: PlannedJob): Promise<number> {
    const { code, reason, log } = await runJob(this.fly, this.where.id, job, new Date());
    for (const line of log) {
      const machine = /^machine (\w+)$/.exec(line)?.[1];
      const said = machine === undefined ? [line] : await this.saidBy(job.flyApp, machine);
      for (const each of said) process.stdout.write(`${each}\n`);
    }
    if (reason === "timeout") return exitCodes.timeout;
    return reason === "lost" ? exitCodes.absent : (code ?? 1);
  }

  /** What a machine that is gone by now wrote; its result stands whether that can be read or not. */
  private async saidBy(app: string, machine: string): Promise<string[]> {
    const logs = new FlyLogs(this.connection, [], { world: this.world });
    const { lines } = await logs
      .read(app, this.fly.deadline(15, "the logs"), { instance: machine })
      .catch(() => ({ lines: [] }));
    return lines.map(({ message }) => message);
  }

  private absent(name: string): number {
    process.stderr.write(`${name} isn't there; pulumi up deploys it\n`);
    return exitCodes.absent;
  }
}

const toPerson = (line: string): void => void process.stderr.write(`${line}\n`);
