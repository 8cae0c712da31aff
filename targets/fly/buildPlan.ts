import type { Database, Service } from "../../components/declaration";
import type { ResolvedApp } from "../../components/resolvedApp";
import { hostName } from "../../components/values/names";
import { Duration } from "../../components/values/duration";
import { Size } from "../../components/values/size";
import { planGroup } from "./group";
import { guestFor } from "./guest";
import { clusterDatabase } from "./deploy/postgres";
import { clusterName, mainName, partName, regionOf } from "./names";
import type { FlyAppPlan, FlyPostgresPlan, FlySpec, IpKind } from "./plan";
import { planScheduler } from "./scheduler/plan";
import { connectionOf, type FlySettings } from "./settings";
import { publicServices, redisPort, splitEnv, type FlyMade, type SplitEnv } from "./values";

/** Fly's smallest disk of a Postgres cluster, in GB. */
const leastPostgresGb = 10;
/** How long a release command may take unless the stack says it, as flyctl has it (release_command_timeout). */
const releaseTimeout = Duration.minutes(5);
const redisMemory = Size.mib(256);

/**
 * One app of one stack as Fly is to have it. Pure: everything that it needs is in its arguments.
 * @param script the scheduler's program; used where the app has a scheduler
 */
export function buildPlan(
  app: ResolvedApp,
  settings: FlySettings,
  made: FlyMade,
  pepper: string,
  script: () => string,
): FlySpec {
  const { declaration, stack } = app;
  const internal = declaration.services.filter(({ access, port }) => access === "internal" && port !== undefined);
  const main = planMain(
    app,
    settings,
    made,
    declaration.services.filter((service) => !internal.includes(service)),
  );
  const apps = [
    ...declaration.databases.flatMap((database) => planRedis(app, settings, made, database)),
    ...internal.map((service) => planInternal(app, settings, made, service)),
    main,
  ];
  return {
    connection: connectionOf(settings),
    id: hostName(declaration.name, stack),
    pepper,
    apps: [...apps, ...planScheduler(app, settings, made, apps, script)],
    postgres: declaration.databases.flatMap((database) => planPostgres(app, settings, database)),
    propagationSeconds: settings.propagation.toSeconds(),
    onDelete: app.settings.onDelete,
  };
}

function imageOf(made: FlyMade, service: Service): string {
  const image = service.image ?? made.images[service.name];
  if (image === undefined) throw new Error(`${service.name} reached the plan without an image.`);
  return image;
}

function planMain(app: ResolvedApp, settings: FlySettings, made: FlyMade, services: readonly Service[]): FlyAppPlan {
  const split = services.map((service) => splitEnv(app, settings, made, app.serviceEnv[service.name] ?? {}));
  // Jobs run on machines of this app, and see its secrets.
  const jobs = app.declaration.jobs
    .filter((job) => services.some(({ name }) => name === job.in.name))
    .map((job) => splitEnv(app, settings, made, app.jobEnv[job.name] ?? {}));
  const release = services.find((service) => service.release !== undefined);
  return {
    name: mainName(app, settings),
    region: regionOf(app, settings),
    ips: publicIps(app, settings),
    groups: services.map((service, index) =>
      planGroup(app, settings, service, imageOf(made, service), split[index] ?? noEnv()),
    ),
    secrets: Object.assign({}, ...[...jobs, ...split].map(({ secrets }) => secrets)) as Record<string, string>,
    domains: Object.values(app.domains),
    ...(release?.release === undefined
      ? {}
      : { release: { group: release.name, command: release.release, timeoutSeconds: releaseSeconds(app, settings) } }),
  };
}

const releaseSeconds = (app: ResolvedApp, { releaseTimeouts }: FlySettings): number =>
  (releaseTimeouts[app.declaration.name] ?? releaseTimeout).toSeconds();

const noEnv = (): SplitEnv => ({ env: {}, secrets: {}, files: [] });

/** Shared IPv4 serves 80 and 443 alone, by host name; other ports take an address of the app's own. */
function publicIps(app: ResolvedApp, settings: FlySettings): IpKind[] {
  const shown = publicServices(app);
  if (shown.length === 0) return [];
  const own = shown.length > 1 || settings.dedicatedIpv4.includes(app.declaration.name);
  return [own ? "v4" : "shared_v4", "v6"];
}

function planInternal(app: ResolvedApp, settings: FlySettings, made: FlyMade, service: Service): FlyAppPlan {
  const split = splitEnv(app, settings, made, app.serviceEnv[service.name] ?? {});
  const jobs = app.declaration.jobs
    .filter((job) => job.in.name === service.name)
    .map((job) => splitEnv(app, settings, made, app.jobEnv[job.name] ?? {}));
  return {
    name: partName(app, settings, service.name),
    region: regionOf(app, settings),
    ips: ["private_v6"],
    groups: [planGroup(app, settings, service, imageOf(made, service), split)],
    secrets: Object.assign({}, ...[...jobs, split].map(({ secrets }) => secrets)) as Record<string, string>,
    domains: [],
    ...(service.release === undefined
      ? {}
      : { release: { group: service.name, command: service.release, timeoutSeconds: releaseSeconds(app, settings) } }),
  };
}

/**
 * Redis is an app of its own rather than Fly's managed one, which is billed by the command: a queue that polls makes millions.
 */
function planRedis(app: ResolvedApp, settings: FlySettings, made: FlyMade, database: Database): FlyAppPlan[] {
  if (database.engine !== "redis") return [];
  const mib = (database.size ?? redisMemory).toMib({ integral: false });
  // What it may hold, a copy of it while it is saved, and itself.
  const guest = guestFor("shared", 1, mib * 1.5 + 64);
  if (guest === undefined) throw new Error(`${database.name} reached the plan unchecked.`);
  const command =
    `exec redis-server --requirepass "$REDIS_PASSWORD" --protected-mode no --dir /data --appendonly yes ` +
    `--maxmemory ${Math.floor(mib)}mb --maxmemory-policy noeviction`;
  return [
    {
      name: partName(app, settings, database.name),
      region: regionOf(app, settings),
      ips: ["private_v6"],
      groups: [
        {
          name: "redis",
          count: 1,
          config: {
            image: settings.redisImage,
            guest,
            env: { FLY_PROCESS_GROUP: "redis" },
            init: { entrypoint: ["/bin/sh", "-c"], cmd: [command] },
            services: [
              {
                protocol: "tcp",
                internal_port: redisPort,
                autostart: true,
                autostop: "off",
                min_machines_running: 1,
                ports: [{ port: redisPort, handlers: [] }],
                checks: [{ type: "tcp", interval: "5s", timeout: "2s", grace_period: "10s" }],
                concurrency: { type: "connections", soft_limit: 1000, hard_limit: 2000 },
              },
            ],
            restart: { policy: "always" },
            stop_config: { signal: "SIGTERM", timeout: "30s" },
          },
          volume: { path: "/data", sizeGb: Math.max(1, Math.ceil((mib * 3) / 1024)), snapshotDays: 5 },
          strategy: "rolling",
          startSeconds: 60,
          drainSeconds: 30,
          idle: false,
        },
      ],
      secrets: { REDIS_PASSWORD: made.passwords[database.name] ?? "" },
      domains: [],
    },
  ];
}

function planPostgres(app: ResolvedApp, settings: FlySettings, database: Database): FlyPostgresPlan[] {
  if (database.engine !== "postgres") return [];
  const size = database.size?.toGib({ integral: false }) ?? leastPostgresGb;
  return [
    {
      name: database.name,
      cluster: clusterName(app, settings, database.name),
      region: settings.postgresRegions[app.declaration.name] ?? regionOf(app, settings),
      plan: settings.postgresPlans[app.declaration.name] ?? "basic",
      diskGb: Math.max(leastPostgresGb, Math.ceil(size)),
      // Its user owns it; a further database would need rights that the API can't give.
      database: clusterDatabase,
      extensions: database.extensions ?? [],
    },
  ];
}
