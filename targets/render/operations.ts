import { quote } from "../../components/values/shell";
import { DriverError } from "../../drivers/error";
import { realWorld, type World } from "../../drivers/http";
import { ownSsh, runInInstance, scpLine, type Ssh } from "../containers/session";
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
import { bytesOf, putCommand, type IncomingFile } from "../putFile";
import type { Run as JobRun, Service } from "./api/types";
import { workspaceOf } from "./deploy/find";
import { Run } from "./deploy/run";
import { jobsPath, needsDisk } from "./buildPlan";
import { idOf, nameOf, partsOf } from "./names";
import type { RenderService } from "./plan";
import { RenderBackups } from "./operationsBackups";
import { sessionIn } from "./operationsInstance";
import { readLogs } from "./operationsLogs";
import { rollBack } from "./operationsRollback";
import { RenderVolumes } from "./operationsVolumes";
import { connectionOf, type RenderSettings } from "./settings";
import { readStatus } from "./status";

const toPerson = (line: string): void => void process.stderr.write(`${line}\n`);
/** Seconds that a one-off job may take: Render's own end for cron jobs. */
const jobSeconds = 12 * 3600;
const followMs = 2_000;

/** A component and what it is on Render. */
export interface Placed {
  readonly part: string;
  readonly service: Service;
}

/** Day-two work on an app of Render. */
export class RenderOperations implements Operations {
  readonly place: string;
  private readonly run: Run;
  private readonly saved: RenderBackups;
  readonly volumes: RenderVolumes;
  private owner: string | undefined;

  constructor(
    private readonly app: PlacedApp,
    private readonly settings: RenderSettings,
    world: World = realWorld,
    private readonly ssh: Ssh = ownSsh,
  ) {
    if (settings.apiKey === undefined) {
      throw new DriverError({
        what: "The stack has no key for Render.",
        where: "render:apiKey",
        why: "Render can't be asked without one",
        fix: "pulumi config set --secret render:apiKey",
      });
    }
    this.place = `Render (${app.declaration.name}/${app.stack})`;
    const spec = {
      ...{ connection: connectionOf(settings), id: idOf(app), pepper: "", project: app.declaration.name },
      ...{ environment: app.stack, isProtected: false, region: settings.region, postgres: [], keyValues: [] },
      ...{ services: [], adopt: [], onDelete: "keep data" as const },
    };
    this.run = new Run(spec, { progress: toPerson, signal: new AbortController().signal }, world);
    this.saved = new RenderBackups(this.run, app, settings, () => this.ownerId());
    this.volumes = new RenderVolumes(
      this.run,
      () => this.services(),
      (part, service) => this.asPlanned(part, service),
    );
  }

  private async ownerId(): Promise<string> {
    this.owner ??= workspaceOf(this.run, await this.run.render.owners());
    return this.owner;
  }

  /** What is there of the app's services and cron jobs. */
  private async services(): Promise<Placed[]> {
    const parts = new Map(partsOf(this.app).map((part) => [nameOf(this.app, this.settings, part), part]));
    const found = await this.run.render.services(await this.ownerId(), { name: [...parts.keys()].join(",") });
    return found.map((service) => ({ part: parts.get(service.name) ?? service.name, service }));
  }

  private async service(part: string): Promise<Service | undefined> {
    return (await this.services()).find((one) => one.part === part)?.service;
  }

  async status(): Promise<AppStatus> {
    return readStatus(this.run, this.app, await this.services(), await this.saved.databases());
  }

  async logs(query: LogQuery, onLine: (line: LogLine) => void, signal: AbortSignal): Promise<void> {
    const all = await this.services();
    const wanted = query.part?.name;
    // A job that runs beside its service is in that one's log, its name in front of each line.
    const job = this.app.declaration.jobs.find(({ name }) => name === wanted && query.part?.kind === "job");
    const beside = job !== undefined && needsDisk(job.in) ? job.in.name : undefined;
    const parts = all.filter(({ part }) => wanted === undefined || part === (beside ?? wanted));
    const only = beside === undefined ? undefined : `[${wanted}] `;
    await readLogs(this.run, await this.ownerId(), parts, query, only, onLine, signal);
  }

  async runJob(job: string): Promise<number> {
    const declared = this.app.declaration.jobs.find(({ name }) => name === job);
    if (declared !== undefined && needsDisk(declared.in))
      return this.inInstance(job, declared.in.name, `exec sh ${jobsPath} ${job}`);
    const service = await this.service(job);
    if (service === undefined) return this.absent(job);
    const began = new Date(this.run.render.client.world.now() - followMs);
    const run = await this.run.render.call<JobRun>("POST", `/cron-jobs/${service.id}/runs`);
    toPerson(`${job}: begun as ${run.id}; homeport logs ${this.app.declaration.name} ${job} shows more`);
    return this.followCron(service, run.id, began);
  }

  /** A run can't be asked for: its end is an event of its service. */
  private async followCron(service: Service, id: string, since: Date): Promise<number> {
    const { render } = this.run;
    const deadline = render.deadline(jobSeconds, `a run of ${service.name}`);
    const seen = new Set<string>();
    return this.run.poll(deadline, async () => {
      await this.printNew(service, since, seen);
      const ended = await render.events(service.id, { type: "cron_job_run_ended", since });
      const end = ended.find(({ details }) => details?.cronJobRunId === id);
      if (end === undefined) return undefined;
      await this.printNew(service, since, seen);
      return end.details?.status === "successful" ? 0 : 1;
    });
  }

  private async printNew(service: Service, since: Date, seen: Set<string>): Promise<void> {
    const query = { ownerId: service.ownerId, resource: service.id, startTime: since.toISOString(), limit: 100 };
    const { logs } = await this.run.render.logs({ ...query, direction: "forward" });
    for (const { timestamp, message } of logs) {
      const key = `${timestamp} ${message}`;
      if (!seen.has(key)) process.stdout.write(`${message}\n`);
      seen.add(key);
    }
  }

  async runCommand(command: string, args: readonly string[]): Promise<number> {
    const declared = this.app.declaration.commands.find(({ name }) => name === command);
    if (declared === undefined) return this.absent(command);
    const line = [declared.command, ...args.map(quote)].join(" ");
    return needsDisk(declared.in)
      ? this.inInstance(command, declared.in.name, line)
      : this.oneOff(declared.in.name, line);
  }

  exec(service: string, argv: readonly string[]): Promise<number> {
    const declared = this.app.declaration.services.find(({ name }) => name === service);
    const line = argv.map(quote).join(" ");
    if (declared === undefined || !needsDisk(declared)) return this.oneOff(service, line);
    return this.inInstance(argv[0] ?? service, service, `exec ${line}`);
  }

  private async inInstance(what: string, part: string, line: string, file?: IncomingFile): Promise<number> {
    const service = await this.service(part);
    if (service === undefined) return this.absent(part);
    const session = sessionIn(service, what, line);
    return file === undefined
      ? runInInstance(this.ssh, session, line)
      : runInInstance(this.ssh, { ...session, byHand: scpLine(session, file) }, line, bytesOf(file));
  }

  put(service: string, file: IncomingFile): Promise<number> {
    return this.inInstance(file.to, service, `exec ${putCommand(file).map(quote).join(" ")}`, file);
  }

  /** Runs a command in an instance of its own, with the service's version and variables. */
  private async oneOff(part: string, line: string): Promise<number> {
    const { render } = this.run;
    const service = await this.service(part);
    if (service === undefined) return this.absent(part);
    const since = new Date(render.client.world.now() - followMs);
    const body = { startCommand: `/bin/sh -c ${quote(line)}` };
    const job = await render.call<JobRun>("POST", `/services/${service.id}/jobs`, { body });
    const deadline = render.deadline(jobSeconds, `a command in ${service.name}`);
    const seen = new Set<string>();
    return this.run.poll(deadline, async () => {
      const { status } = await render.call<JobRun>("GET", `/services/${service.id}/jobs/${job.id}`, { deadline });
      await this.printNew({ ...service, id: job.id }, since, seen);
      if (status === "succeeded") return 0;
      return /failed|canceled/.test(status) ? 1 : undefined;
    });
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
    const all = await this.services();
    return rollBack(this.run, all, (part, service) => this.asPlanned(part, service), progress);
  }

  /** As much of a plan as waiting for a deploy needs. */
  private asPlanned(part: string, { name }: Service): RenderService {
    return {
      ...{ part, name, type: "web_service", stage: 0, code: { kind: "image", image: "" }, plan: "starter" },
      ...{ env: {}, secrets: [], files: {}, domains: [], deploySeconds: 45 * 60 },
    };
  }

  async restart(service: string | undefined): Promise<number> {
    const all = (await this.services()).filter(
      ({ part, service: { type } }) => type !== "cron_job" && (service === undefined || part === service),
    );
    if (all.length === 0) return this.absent(service ?? this.app.declaration.name);
    for (const { part, service: found } of all) {
      await this.run.render.call("POST", `/services/${found.id}/restart`);
      toPerson(`${part}: restarted`);
    }
    return 0;
  }

  async examine(): Promise<readonly Finding[]> {
    const services = await this.services();
    const known: Finding = { level: "ok", what: `Render takes the key; ${services.length} services are there.` };
    const synced = await this.syncedBlueprints(services);
    const suspended = services.filter((one) => one.service.suspended === "suspended");
    return [
      known,
      ...synced,
      ...suspended.map(({ service }): Finding => ({
        level: "problem",
        what: `${service.name} is suspended.`,
        fix: `resume it at ${service.dashboardUrl}`,
      })),
    ];
  }

  /** A blueprint that syncs by itself would undo what is deployed. */
  private async syncedBlueprints(services: readonly Placed[]): Promise<Finding[]> {
    const { render } = this.run;
    interface Blueprint {
      readonly id: string;
      readonly name: string;
      readonly autoSync: boolean;
      readonly resources?: readonly { readonly id: string }[];
    }
    const all = await render.list<Blueprint>("/blueprints", "blueprint", { ownerId: await this.ownerId() });
    const whole = await Promise.all(
      all.filter(({ autoSync }) => autoSync).map(({ id }) => render.find<Blueprint>(`/blueprints/${id}`)),
    );
    return whole.flatMap((blueprint): Finding[] =>
      blueprint?.resources?.some(({ id }) => services.some(({ service }) => service.id === id)) === true
        ? [
            {
              level: "problem",
              what: `The blueprint ${blueprint.name} syncs these services by itself, and would undo what is deployed.`,
              fix: "switch its Auto Sync off, or disconnect it, at dashboard.render.com (Blueprints)",
            },
          ]
        : [],
    );
  }

  private absent(name: string): number {
    process.stderr.write(`${name} isn't there; pulumi up deploys it\n`);
    return exitCodes.absent;
  }
}
