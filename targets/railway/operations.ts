import { quote } from "../../components/values/shell";
import { DriverError } from "../../drivers/error";
import { realWorld, type World } from "../../drivers/http";
import { hostName } from "../../components/values/names";
import type { ObjectAccess } from "../../drivers/s3/objects";
import { ownSsh, runInInstance, scpLine, type Ssh } from "../containers/session";
import type {
  AppStatus,
  BackupList,
  Finding,
  KnownArchive,
  LogLine,
  LogQuery,
  Operations,
  PlacedApp,
  RestoreSource,
} from "../operations";
import { exitCodes } from "../operations";
import { bytesOf, putCommand, type IncomingFile } from "../putFile";
import { findPlace, type Place } from "./deploy/find";
import { look, type Found } from "./deploy/look";
import { rollBackApp } from "./deploy/rollback";
import { Run } from "./deploy/run";
import { waitHealthy } from "./deploy/wait";
import { jobsFile, runsBeside } from "./jobs";
import { environmentOf, projectOf } from "./names";
import { ownBucket } from "./operationsArchive";
import { backUp, listBackups, restore } from "./operationsBackups";
import { sessionIn } from "./operationsInstance";
import { followLogs } from "./operationsLogs";
import { executions, isGood, isRunning, lastRuns } from "./operationsRuns";
import type { RailwaySettings } from "./settings";
import { readStatus } from "./status";

/** Seconds that a person waits for a job, or for a service that restarts. */
const waitSeconds = 3600;

/** Day-two work on an app of Railway. */
export class RailwayOperations implements Operations {
  readonly place: string;

  constructor(
    private readonly app: PlacedApp,
    private readonly settings: RailwaySettings,
    private readonly world: World = realWorld,
    private readonly ssh: Ssh = ownSsh,
  ) {
    const [project, environment] = [projectOf(app, settings), environmentOf(app, settings)];
    this.place = `Railway (${environment} of ${project})`;
    if ((settings.apiToken ?? settings.projectToken) !== undefined) return;
    throw new DriverError({
      what: "The stack has no token for Railway.",
      where: "railway:apiToken",
      why: "Railway can't be asked without one",
      fix: "pulumi config set --secret railway:apiToken",
    });
  }

  async status(): Promise<AppStatus> {
    const run = this.run();
    const found = await this.find(run);
    return readStatus(this.app, found, found === undefined ? new Map() : await lastRuns(run, found, this.app));
  }

  async logs(query: LogQuery, onLine: (line: LogLine) => void, signal: AbortSignal): Promise<void> {
    const run = this.run(toPerson, signal);
    const found = await this.find(run);
    if (found !== undefined) await followLogs(run, found, this.app, query, onLine, signal);
  }

  /** Starts it as its schedule would, and waits for its end; beside its service where it runs there. */
  async runJob(job: string): Promise<number> {
    const declared = this.app.declaration.jobs.find(({ name }) => name === job);
    if (declared !== undefined && runsBeside(declared.in)) {
      return this.inInstance(job, declared.in.name, `exec sh ${jobsFile} ${job}`);
    }
    const run = this.run();
    const found = await this.find(run);
    const instance = found === undefined ? undefined : instanceOf(found, job);
    if (found === undefined || instance === undefined) return absent(job);
    const before = await executions(run, found.place, instance.serviceId);
    if (before.some(isRunning)) return exitCodes.busy;
    const known = new Set(before.map(({ id }) => id));
    await run.railway.ask(
      "mutation RunNow($input: DeploymentInstanceExecutionCreateInput!) { deploymentInstanceExecutionCreate(input: $input) }",
      { input: { serviceInstanceId: instance.id } },
    );
    toPerson(`${job}: started`);
    const deadline = run.railway.deadline(waitSeconds, `the job ${job}`);
    for (let wait = 2000; ; wait = Math.min(30_000, wait * 1.5)) {
      const started = (await executions(run, found.place, instance.serviceId)).find(({ id }) => !known.has(id));
      if (started !== undefined && !isRunning(started)) {
        toPerson(`${job}: ${started.status.toLowerCase()}`);
        return isGood(started) ? 0 : 1;
      }
      if (!(await run.pause(wait, deadline))) return exitCodes.timeout;
    }
  }

  async runCommand(command: string, args: readonly string[]): Promise<number> {
    const declared = this.app.declaration.commands.find(({ name }) => name === command);
    if (declared === undefined) return absent(command);
    return this.inInstance(command, declared.in.name, [declared.command, ...args.map(quote)].join(" "));
  }

  exec(service: string, argv: readonly string[]): Promise<number> {
    return this.inInstance(argv[0] ?? service, service, `exec ${argv.map(quote).join(" ")}`);
  }

  private async inInstance(what: string, service: string, line: string, file?: IncomingFile): Promise<number> {
    const found = await this.find(this.run());
    const instance = found === undefined ? undefined : instanceOf(found, service);
    if (instance === undefined) return absent(service);
    const session = sessionIn(instance, what, `${service} on ${this.place}`);
    return file === undefined
      ? runInInstance(this.ssh, session, line)
      : runInInstance(this.ssh, { ...session, byHand: scpLine(session, file) }, line, bytesOf(file));
  }

  put(service: string, file: IncomingFile): Promise<number> {
    return this.inInstance(file.to, service, `exec ${putCommand(file).map(quote).join(" ")}`, file);
  }

  async archive({ bucket }: KnownArchive): Promise<ObjectAccess | undefined> {
    if (this.settings.archives !== "railway") return undefined;
    const run = this.run();
    const found = await this.find(run);
    return found === undefined ? undefined : ownBucket(run, found.place, found.buckets, bucket);
  }

  async backup(database: string): Promise<number> {
    const run = this.run();
    const found = await this.find(run);
    return found !== undefined && (await backUp(run, found, this.app, database)) ? 0 : absent(database);
  }

  async backups(): Promise<BackupList> {
    const run = this.run();
    const found = await this.find(run);
    return found === undefined ? { copies: [], problems: [] } : listBackups(run, found, this.app);
  }

  async restore(database: string, from: RestoreSource): Promise<number> {
    const run = this.run();
    const found = await this.find(run);
    return found !== undefined && (await restore(run, found, this.app, database, from)) ? 0 : absent(database);
  }

  async rollback(progress: (line: string) => void): Promise<readonly string[]> {
    const run = this.run(progress);
    const found = await this.find(run);
    if (found === undefined) throw run.error("There is nothing to go back from.", "it was never deployed", "pulumi up");
    await rollBackApp(run, found.place, found);
    return run.changes;
  }

  async restart(service: string | undefined): Promise<number> {
    const run = this.run();
    const found = await this.find(run);
    if (found === undefined) return absent(service ?? this.app.declaration.name);
    const names = this.app.declaration.services.map(({ name }) => name);
    for (const name of names.filter((one) => service === undefined || one === service)) {
      const deployment = instanceOf(found, name)?.latestDeployment?.id;
      if (deployment === undefined) return absent(name);
      toPerson(`${name}: restarts`);
      await run.railway.ask("mutation Restart($id: String!) { deploymentRestart(id: $id) }", { id: deployment });
      const failed = await waitHealthy(run, [{ name, deployment, seconds: 600, unchecked: true }]);
      if (failed !== undefined) {
        toPerson(`${name}: ${failed.why}`);
        return 1;
      }
    }
    return 0;
  }

  async examine(): Promise<readonly Finding[]> {
    const run = this.run();
    const found = await this.find(run);
    if (found === undefined) return [{ level: "ok", what: `Railway takes the token; ${this.place} isn't there yet.` }];
    const id = hostName(this.app.declaration.name, this.app.stack);
    const owner = found.state?.app;
    const staged = found.environment.unmergedChangesCount ?? 0;
    return [
      owner === id
        ? { level: "ok", what: `Railway takes the token, and ${this.place} is this stack's.` }
        : {
            level: owner === undefined && found.instances.size === 0 ? "ok" : "problem",
            what: owner === undefined ? `${this.place} isn't Homeport's.` : `${this.place} is ${owner}'s.`,
            fix: "pulumi config set railway:environment ANOTHER-NAME",
          },
      ...(staged === 0
        ? []
        : [
            {
              level: "warning" as const,
              what: `${this.place} has changes that somebody staged; some deploys are refused until they are decided.`,
              fix: "deploy or discard them in the project's page at railway.com",
            },
          ]),
    ];
  }

  private async find(run: Run): Promise<(Found & { readonly place: Place }) | undefined> {
    const place = await findPlace(run);
    return place === undefined ? undefined : { ...(await look(run, place)), place };
  }

  private run(progress: (line: string) => void = toPerson, signal: AbortSignal = new AbortController().signal): Run {
    const { app, settings } = this;
    const { projectToken, apiToken, workspace } = settings;
    const spec = {
      connection: {
        url: settings.url,
        token: projectToken ?? apiToken ?? "",
        kind: projectToken === undefined ? "api" : "project",
      },
      id: hostName(app.declaration.name, app.stack),
      pepper: "",
      ...(workspace === undefined ? {} : { workspace }),
      project: projectOf(app, settings),
      environment: environmentOf(app, settings),
      adopt: false,
      services: [],
      buckets: [],
      onDelete: "keep data",
    } as const;
    return new Run(spec, { progress, signal }, this.world);
  }
}

const instanceOf = (found: Found, name: string) => found.instances.get(found.services.get(name) ?? "");

function absent(name: string): number {
  toPerson(`${name} isn't there; pulumi up deploys it`);
  return exitCodes.absent;
}

const toPerson = (line: string): void => void process.stderr.write(`${line}\n`);
