import { instancesOf } from "../../components/check/declaration";
import type { Database, Job, Service } from "../../components/declaration";
import type { ResolvedApp } from "../../components/resolvedApp";
import { quote } from "../../components/values/shell";
import { Size } from "../../components/values/size";
import { exported, jobCommand, jobsScript } from "../containers/jobs";
import { rememberPlace } from "../containers/session";
import { idOf, nameOf, partKey, partsOf } from "./names";
import type { RenderCode, RenderKeyValue, RenderPostgres, RenderService, RenderSpec } from "./plan";
import { connectionOf, type RenderSettings } from "./settings";
import { keyValuePlanFor, planFor, postgresDisk } from "./sizes";
import { codeOf } from "./source";
import { inStages } from "./stages";
import { renderEnv, type RenderMade } from "./values";

/** Builds wait for a free builder, and health checks for 15 minutes (https://render.com/docs/deploys). */
const deploySeconds = 45 * 60;
/** https://render.com/docs/deploys#zero-downtime-deploys: from 1 to 300. */
const maxDrainSeconds = 300;

/** Name of the secret file with the jobs of a service that has a disk. */
const jobsFile = "homeport-jobs";
/** Where the service's instances see it. */
export const jobsPath = `/etc/secrets/${jobsFile}`;

/** One app of one stack as Render is to have it. Pure: everything that it needs is in its arguments. */
export function buildPlan(app: ResolvedApp, settings: RenderSettings, made: RenderMade, pepper: string): RenderSpec {
  const { declaration, stack, environment } = app;
  const services = declaration.services.map((service) => planService(app, settings, made, service));
  const crons = declaration.jobs.filter((job) => !needsDisk(job.in)).map((job) => planCron(app, settings, made, job));
  return {
    connection: connectionOf(settings),
    id: idOf(app),
    pepper,
    project: declaration.name,
    environment: stack,
    isProtected: environment === "live",
    region: settings.region,
    postgres: declaration.databases.flatMap((database) => planPostgres(app, settings, database)),
    keyValues: declaration.databases.flatMap((database) => planKeyValue(app, settings, database)),
    services: inStages([...services, ...crons]),
    adopt: partsOf(app)
      .filter((part) => settings.adopt.includes(partKey(app, part)))
      .map((part) => nameOf(app, settings, part)),
    onDelete: app.settings.onDelete,
  };
}

/** Whether a service's jobs have to run in its instance: cron jobs can't have its disk. */
export const needsDisk = (service: Service): boolean => (service.volumes ?? []).length > 0;

function requireCode(app: ResolvedApp, settings: RenderSettings, service: Service): RenderCode {
  const code = codeOf(app, settings, service);
  if (code.kind === "unfit") throw new Error(`${service.name} reached the plan unchecked.`);
  return code;
}

/** How many instances a service has, at least and at most. */
export function countOf(app: Pick<ResolvedApp, "settings">, service: Service): { min: number; max: number } {
  const fixed = app.settings.instances[service.name];
  return fixed === undefined ? instancesOf(service) : { min: fixed, max: fixed };
}

function planService(app: ResolvedApp, settings: RenderSettings, made: RenderMade, service: Service): RenderService {
  const { env, secrets, files } = renderEnv(app, settings, made, app.serviceEnv[service.name] ?? {});
  const isInternal = service.access === "internal";
  const [volume] = service.volumes ?? [];
  const jobs = needsDisk(service) ? app.declaration.jobs.filter((job) => job.in.name === service.name) : [];
  const plan = planFor(app, settings, service);
  if (plan === undefined) throw new Error(`${service.name} reached the plan unchecked.`);
  const drain = Math.min(maxDrainSeconds, Math.max(1, service.drain?.toSeconds() ?? 30));
  const domain = app.domains[service.name];
  return {
    part: service.name,
    name: nameOf(app, settings, service.name),
    type: service.port === undefined ? "background_worker" : isInternal ? "private_service" : "web_service",
    stage: service.port !== undefined && isInternal ? 0 : service.release === undefined ? 2 : 1,
    code: requireCode(app, settings, service),
    plan,
    ...(service.command === undefined ? {} : { command: commandOf(service, service.command, jobs) }),
    ...(service.release === undefined ? {} : { release: service.release }),
    ...(service.port === undefined || isInternal || service.health === undefined ? {} : { healthPath: service.health }),
    drainSeconds: drain,
    instances: countOf(app, service),
    ...(volume === undefined
      ? {}
      : { disk: { name: "data", path: volume.path, sizeGb: Math.ceil(volume.size.toGib({ integral: false })) } }),
    ...(service.access === "restricted" ? { allowFrom: app.settings.allowFrom } : {}),
    env: { ...(service.port === undefined ? {} : { PORT: String(service.port) }), ...env },
    secrets,
    ...(jobs.length === 0 ? {} : { jobSecrets: jobs.flatMap((job) => ownSecrets(app, settings, made, job)) }),
    files: {
      ...files,
      ...(jobs.length === 0 ? {} : { [jobsFile]: jobsScript(jobs, (job) => ownVariables(app, settings, made, job)) }),
    },
    domains: domain === undefined ? [] : [domain],
    deploySeconds: deploySeconds + (service.startTimeout?.toSeconds() ?? 0),
  };
}

/** A job's own variables, as its shell gets them. */
function ownVariables(app: ResolvedApp, settings: RenderSettings, made: RenderMade, job: Job): string {
  const { env } = renderEnv(app, settings, made, app.jobEnv[job.name] ?? {});
  return exported(Object.fromEntries(Object.entries(env).map(([name, value]) => [name, quote(value)])));
}

function ownSecrets(app: ResolvedApp, settings: RenderSettings, made: RenderMade, job: Job): string[] {
  const { env, secrets } = renderEnv(app, settings, made, app.jobEnv[job.name] ?? {});
  return secrets.flatMap((name) => env[name] ?? []);
}

/** What a service's shell runs: sessions in its instance are for what needs its disk. */
function commandOf(service: Service, command: string, jobs: readonly Job[]): string {
  if (!needsDisk(service)) return `exec ${command}`;
  return `${rememberPlace}; ${jobs.length === 0 ? "" : `sh ${jobsPath} & `}exec ${command}`;
}

/** A job without a disk is a service of its own, with the code and variables of the one it belongs to. */
function planCron(app: ResolvedApp, settings: RenderSettings, made: RenderMade, job: Job): RenderService {
  const own = { ...app.serviceEnv[job.in.name], ...app.jobEnv[job.name] };
  const { env, secrets, files } = renderEnv(app, settings, made, own);
  const plan = planFor(app, settings, job.in, job.name);
  if (plan === undefined) throw new Error(`${job.name} reached the plan unchecked.`);
  return {
    part: job.name,
    name: nameOf(app, settings, job.name),
    type: "cron_job",
    stage: 3,
    code: requireCode(app, settings, job.in),
    plan,
    command: jobCommand(job),
    schedule: job.at.toCrontab(),
    env,
    secrets,
    files,
    domains: [],
    deploySeconds,
  };
}

function planPostgres(app: ResolvedApp, settings: RenderSettings, database: Database): RenderPostgres[] {
  if (database.engine !== "postgres") return [];
  return [
    {
      part: database.name,
      name: nameOf(app, settings, database.name),
      plan: settings.postgresPlans[app.declaration.name] ?? "basic_256mb",
      diskGb: postgresDisk(database.size),
      version: settings.postgresVersion,
    },
  ];
}

function planKeyValue(app: ResolvedApp, settings: RenderSettings, database: Database): RenderKeyValue[] {
  if (database.engine !== "redis") return [];
  const plan =
    settings.keyValuePlans[app.declaration.name] ?? keyValuePlanFor(database.size ?? Size.mib(256)) ?? "pro_plus";
  return [{ part: database.name, name: nameOf(app, settings, database.name), plan }];
}
