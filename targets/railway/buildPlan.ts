import { instancesOf } from "../../components/check/declaration";
import type { Database, Job, Service } from "../../components/declaration";
import type { ResolvedApp } from "../../components/resolvedApp";
import { Duration } from "../../components/values/duration";
import { hostName } from "../../components/values/names";
import { Size } from "../../components/values/size";
import { cronCommand, releaseCommand, startCommand } from "./commands";
import { kindsOf, planDatabase, type PlannedDatabase } from "./databases";
import { planJobsBeside, runsBeside } from "./jobs";
import { environmentOf, holderOf, projectOf, repositoryOf } from "./names";
import type { BackupKind, InstanceSettings, RailwayService, RailwaySource, RailwaySpec } from "./plan";
import { utcSchedule } from "./schedule";
import type { RailwaySettings } from "./settings";
import { isPublic, railwayEnv, type RailwayEnv, type RailwayMade } from "./values";

const defaults = {
  memory: Size.mib(512),
  cpus: 1,
  startTimeout: Duration.seconds(60),
  drain: Duration.seconds(30),
};
/** Seconds that an old version still serves beside the new one: Railway's proxies learn of a switch one after the other. */
const overlapSeconds = 10;
/** How often a service that fails is started again, Railway's own number (docs.railway.com/reference/restart-policy). */
const restarts = 10;

/** One app of one stack as Railway is to have it. Pure: everything that it needs is in its arguments. */
export function buildPlan(app: ResolvedApp, settings: RailwaySettings, made: RailwayMade, pepper: string): RailwaySpec {
  const { declaration, stack } = app;
  const { projectToken, apiToken, workspace, region } = settings;
  return {
    connection: {
      url: settings.url,
      token: projectToken ?? apiToken ?? "",
      kind: projectToken === undefined ? "api" : "project",
    },
    id: hostName(declaration.name, stack),
    pepper,
    ...(workspace === undefined ? {} : { workspace }),
    project: projectOf(app, settings),
    environment: environmentOf(app, settings),
    ...(region === undefined ? {} : { region }),
    adopt: settings.adopt.includes(declaration.name),
    services: [
      ...declaration.databases.flatMap((database) => planOfDatabase(app, settings, made, database)),
      ...declaration.services.map((service) => planService(app, settings, made, service)),
      ...declaration.jobs.filter((job) => !runsBeside(job.in)).map((job) => planJob(app, settings, made, job)),
    ],
    buckets:
      settings.archives === "railway"
        ? declaration.buckets.map(({ name }) => ({ name, region: settings.bucketRegion }))
        : [],
    onDelete: app.settings.onDelete,
  };
}

/** How many instances a service has: Railway doesn't scale by load. */
export const countOf = (app: Pick<ResolvedApp, "settings">, service: Service): number =>
  app.settings.instances[service.name] ?? instancesOf(service).min;

export function limitsOf(app: Pick<ResolvedApp, "settings">, { name, resources }: Service): RailwayService["limits"] {
  const memory = app.settings.memory[name] ?? resources?.memory ?? defaults.memory;
  return { vCPUs: resources?.cpus ?? defaults.cpus, memoryGB: gigabytes(memory) };
}

const gigabytes = (size: Size): number => Math.round(size.toGib({ integral: false }) * 1000) / 1000;

function sourceOf(app: ResolvedApp, settings: RailwaySettings, service: Service): RailwaySource {
  if (service.image !== undefined) return { image: service.image };
  const code = app.code[service.name];
  const repo =
    settings.repositories[app.declaration.name] ?? (code === undefined ? undefined : repositoryOf(code.source));
  const commit = code?.fingerprint.commit;
  if (repo === undefined || commit === undefined) throw new Error(`${service.name} reached the plan unchecked.`);
  return { repo, commit };
}

/** What a service and the jobs in it are built by. */
function buildSettings(app: ResolvedApp, service: Service): Pick<InstanceSettings, "rootDirectory" | "dockerfilePath"> {
  if (service.image !== undefined) return { rootDirectory: null, dockerfilePath: null };
  return {
    rootDirectory: app.code[service.name]?.source.directory ?? null,
    // Without it, a repository without a Dockerfile would be built by guesses.
    dockerfilePath: service.dockerfile ?? "Dockerfile",
  };
}

function replicas(
  settings: RailwaySettings,
  count: number,
): Pick<InstanceSettings, "numReplicas" | "multiRegionConfig"> {
  if (settings.region === undefined) return { numReplicas: count };
  return { multiRegionConfig: { [settings.region]: { numReplicas: count } } };
}

function planService(app: ResolvedApp, settings: RailwaySettings, made: RailwayMade, service: Service): RailwayService {
  const env = railwayEnv(app, made, service, app.serviceEnv[service.name] ?? {});
  const jobs = planJobsBeside(app, made, service);
  const [volume] = service.volumes ?? [];
  const startSeconds = (service.startTimeout ?? defaults.startTimeout).toSeconds();
  const tcpPort = settings.tcpProxies[`${app.declaration.name}.${service.name}`];
  const domain = app.domains[service.name];
  return {
    name: service.name,
    role: "service",
    first: service.access === "internal",
    source: sourceOf(app, settings, service),
    settings: {
      ...buildSettings(app, service),
      startCommand: startCommand(service, env.files, jobs),
      preDeployCommand: releaseCommand(service, env.files),
      healthcheckPath: service.health ?? null,
      healthcheckTimeout: startSeconds,
      cronSchedule: null,
      restartPolicyType: settings.restartPolicy === "always" ? "ALWAYS" : "ON_FAILURE",
      restartPolicyMaxRetries: restarts,
      ...replicas(settings, countOf(app, service)),
      // Two versions can't have one volume, and two of a worker would both take from the queue.
      overlapSeconds: volume === undefined && service.port !== undefined ? overlapSeconds : 0,
      drainingSeconds: (service.drain ?? defaults.drain).toSeconds(),
      sleepApplication: false,
    },
    limits: limitsOf(app, service),
    secrets: [...env.secrets, ...(jobs?.secrets ?? [])],
    variables: {
      ...(service.port === undefined ? {} : { PORT: String(service.port) }),
      ...env.variables,
      ...jobs?.variables,
    },
    ...(volume === undefined
      ? {}
      : {
          volume: {
            path: volume.path,
            sizeMb: Math.ceil(volume.size.toMib({ integral: false })),
            backups: backupsOf(app, service),
          },
        }),
    ...(isPublic(service) && service.port !== undefined ? { publicPort: service.port } : {}),
    ...(domain === undefined ? {} : { domain }),
    ...(tcpPort === undefined ? {} : { tcpPort }),
    startSeconds,
  };
}

/** Live data is saved every day unless the declaration says otherwise. */
const backupsByDefault = (app: ResolvedApp): BackupKind[] => (app.environment === "live" ? ["DAILY"] : []);

/** As often as the databases on a service's volume are to be saved. */
function backupsOf(app: ResolvedApp, service: Service): BackupKind[] {
  const declared = app.declaration.databases.flatMap((database) =>
    "backup" in database && holderOf(app.declaration, database) === service.name ? kindsOf(database.backup) : [],
  );
  return [...new Set([...backupsByDefault(app), ...declared])];
}

/** A job is a service that Railway starts at its times and that ends by itself. */
function planJob(app: ResolvedApp, settings: RailwaySettings, made: RailwayMade, job: Job): RailwayService {
  const schedule = utcSchedule(job.at);
  if (schedule === undefined) throw new Error(`${job.name} reached the plan unchecked.`);
  const resolved = { ...app.serviceEnv[job.in.name], ...app.jobEnv[job.name] };
  const env: RailwayEnv = railwayEnv(app, made, job.in, resolved, job.name);
  return {
    name: job.name,
    role: "job",
    first: false,
    source: sourceOf(app, settings, job.in),
    settings: {
      ...buildSettings(app, job.in),
      startCommand: cronCommand(job, env.files),
      preDeployCommand: [],
      healthcheckPath: null,
      healthcheckTimeout: defaults.startTimeout.toSeconds(),
      cronSchedule: schedule,
      restartPolicyType: "NEVER",
      restartPolicyMaxRetries: restarts,
      overlapSeconds: 0,
      drainingSeconds: defaults.drain.toSeconds(),
      sleepApplication: false,
    },
    limits: limitsOf(app, job.in),
    secrets: env.secrets,
    variables: { ...(job.in.port === undefined ? {} : { PORT: String(job.in.port) }), ...env.variables },
    startSeconds: defaults.startTimeout.toSeconds(),
  };
}

function planOfDatabase(
  app: ResolvedApp,
  settings: RailwaySettings,
  made: RailwayMade,
  database: Database,
): RailwayService[] {
  const planned: PlannedDatabase | undefined = planDatabase(settings, made, database, backupsByDefault(app));
  if (planned === undefined) return [];
  const tcpPort = settings.tcpProxies[`${app.declaration.name}.${database.name}`];
  return [
    {
      name: database.name,
      role: "database",
      first: true,
      source: { image: planned.image },
      settings: {
        rootDirectory: null,
        dockerfilePath: null,
        startCommand: planned.command,
        preDeployCommand: [],
        healthcheckPath: null,
        healthcheckTimeout: defaults.startTimeout.toSeconds(),
        cronSchedule: null,
        restartPolicyType: settings.restartPolicy === "always" ? "ALWAYS" : "ON_FAILURE",
        restartPolicyMaxRetries: restarts,
        ...replicas(settings, 1),
        overlapSeconds: 0,
        drainingSeconds: defaults.drain.toSeconds(),
        sleepApplication: false,
      },
      limits: { vCPUs: 1, memoryGB: gigabytes(planned.memory) },
      secrets: planned.secrets,
      variables: planned.variables,
      volume: planned.volume,
      ...(tcpPort === undefined ? {} : { tcpPort }),
      startSeconds: defaults.startTimeout.toSeconds(),
    },
  ];
}
