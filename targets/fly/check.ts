import type { Service } from "../../components/declaration";
import type { Problem } from "../../components/problems";
import type { Value } from "../../components/resolve";
import type { ResolvedApp } from "../../components/resolvedApp";
import { setCommand } from "../../components/settings";
import { Duration } from "../../components/values/duration";
import { awayBy, checkNamed } from "../containers/checkNames";
import type { Capabilities } from "../target";
import { guestOf, limitsOf, partOf, softShare } from "./group";
import { mainName, regionOf } from "./names";
import { flySettings, type FlySettings } from "./settings";
import { checkBuckets } from "./tigris/check";
import { publicServices } from "./values";

/** Fly's largest volume, in GB (fly.io/docs/volumes/overview). */
const maxVolumeGb = 500;

export const flyCapabilities: Capabilities = {
  cron: { minimum: Duration.minutes(1), timeZones: "all" },
  // Each instance has a volume of its own: they don't share one as they do on a host.
  volumes: { perService: 1, withInstances: true },
  autoscaling: true,
  databases: {
    postgres: { extensions: "any" },
    redis: { extensions: [] },
    sqlite: { extensions: [] },
    external: { extensions: [] },
  },
  code: ["image", "source"],
  restrictedAccess: false,
  domains: true,
  buckets: true,
};

/**
 * What keeps these apps from running on Fly, all of it.
 * @param known names of all apps of the stack, wherever they are
 */
export function checkFly(apps: readonly ResolvedApp[], settings: FlySettings, known: readonly string[]): Problem[] {
  return [
    ...(settings.apiToken === undefined
      ? [missing("apiToken", "Fly is asked by a token of the organization; fly tokens create org prints one.")]
      : []),
    ...(settings.region === undefined && apps.some((app) => regionOf(app, settings) === "")
      ? [missing("region", "Machines and volumes lie in one region; fly platform regions lists them.")]
      : []),
    ...checkMaps(apps, settings, known),
    ...apps.flatMap((app) => [
      ...checkName(app, settings),
      ...checkParts(app, settings),
      ...app.declaration.services.flatMap((service) => checkService(app, service)),
      ...checkPorts(app),
      ...checkSharedSecrets(app),
      ...checkBuckets(app, settings),
    ]),
  ];
}

function missing(key: "apiToken" | "region", why: string): Problem {
  const { secret, example } = flySettings[key];
  return { where: `fly:${key}`, what: "It has no value.", why, fix: setCommand(`fly:${key}`, secret, example) };
}

/** Settings by name that name nothing of the stack's. */
function checkMaps(apps: readonly ResolvedApp[], settings: FlySettings, known: readonly string[]): Problem[] {
  const here = apps.map((app) => app.declaration.name);
  const names = [...here, ...known];
  const databases = apps.flatMap(({ declaration }) =>
    declaration.databases
      .filter(({ engine }) => engine === "postgres")
      .map(({ name }) => `${declaration.name}-${name}`),
  );
  const services = apps.flatMap((app) => app.declaration.services.map((service) => partOf(app, service)));
  const byApp = [
    "names",
    "regions",
    "postgresPlans",
    "postgresRegions",
    "strategies",
    "releaseTimeouts",
    "dedicatedIpv4",
  ] as const;
  const byService = ["concurrency", "metrics"] as const;
  return checkNamed("Fly", [
    ...byApp.map((key) => ({ key: `fly:${key}`, value: settings[key], kind: "app", known: names })),
    {
      key: "fly:postgresClusters",
      value: settings.postgresClusters,
      kind: "Postgres",
      known: databases,
      isAway: awayBy(here, known, "-"),
    },
    ...byService.map((key) => ({
      key: `fly:${key}`,
      value: settings[key],
      kind: "service",
      known: services,
      isAway: awayBy(here, known, "."),
    })),
  ]);
}

/** What settings by service say that can't be. */
function checkParts(app: ResolvedApp, settings: FlySettings): Problem[] {
  return app.declaration.services.flatMap((service) => {
    const part = partOf(app, service);
    const problems: Problem[] = [];
    const { soft_limit: soft, hard_limit: hard } = limitsOf(settings.concurrency[part]);
    if (soft > hard) {
      problems.push({
        where: "fly:concurrency",
        what: `${part}'s soft limit, ${soft}, is above the hard one, ${hard}.`,
        why: "Beyond the hard limit a machine is sent nothing, so that the soft one would never count.",
        fix: `pulumi config set --path 'fly:concurrency["${part}"].hard' ${Math.ceil(soft / softShare)}`,
      });
    }
    const metrics = settings.metrics[part];
    if (metrics !== undefined && metrics.port === undefined) {
      problems.push({
        where: "fly:metrics",
        what: `${part}'s metrics have no port.`,
        fix: `pulumi config set --path 'fly:metrics["${part}"].port' ${service.port ?? 9091}`,
      });
    }
    return problems;
  });
}

function checkName(app: ResolvedApp, settings: FlySettings): Problem[] {
  const name = mainName(app, settings);
  if (/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name) && name.length <= 40) return [];
  return [
    {
      where: `fly:names`,
      what: `"${name}" can't name an app of Fly: that takes up to 40 lower-case letters, digits and single dashes.`,
      fix: `pulumi config set --path fly:names.${app.declaration.name} ANOTHER-NAME`,
    },
  ];
}

function checkService(app: ResolvedApp, service: Service): Problem[] {
  const where = `${app.declaration.name}.${service.name}`;
  const problems: Problem[] = [];
  if (guestOf(app, service) === undefined) {
    problems.push({
      where: `${where}.resources`,
      what: "Fly has no machine with that many CPUs or that much memory.",
      why: "Shared CPUs go up to 8 with 16 GiB, performance CPUs to 16 with 128 GiB.",
      fix: `pulumi config set --path ${app.declaration.name}:memory.${service.name} "16 GiB", or cpuKind: "performance" in its declaration`,
    });
  }
  for (const { path, size } of service.volumes ?? []) {
    const gb = size.toGib({ integral: false });
    if (gb <= maxVolumeGb) continue;
    problems.push({
      where: `${where}.volumes`,
      what: `The volume at ${path} is to have ${size.toString()}; Fly's largest has ${maxVolumeGb} GB.`,
      fix: `ask for less in apps/${app.declaration.name}.ts, or choose another target`,
    });
  }
  return problems;
}

/** The services that the world connects to share the app's addresses, so each needs a port of its own. */
function checkPorts(app: ResolvedApp): Problem[] {
  const taken = new Map<number, string>([
    [80, "web pages"],
    [443, "web pages"],
  ]);
  return publicServices(app)
    .slice(1)
    .flatMap((service) => {
      const port = app.settings.ports[service.name] ?? service.port ?? 0;
      const other = taken.get(port);
      taken.set(port, service.name);
      if (other === undefined) return [];
      return [
        {
          where: `${app.declaration.name}.${service.name}.port`,
          what: `Port ${port} of the app's address on Fly is ${other}'s already.`,
          fix: `pulumi config set --path ${app.declaration.name}:ports.${service.name} ${Math.max(port, 1023) + 1}`,
        },
      ];
    });
}

/**
 * Fly's secrets belong to the app and not to one of its groups, and win over variables of the same name: two services can't
 * have different secrets of one name, nor one a secret where the other has plain text.
 */
function checkSharedSecrets(app: ResolvedApp): Problem[] {
  const seen = new Map<string, { who: string; value: Value }>();
  const internal = new Set(
    app.declaration.services
      .filter(({ access, port }) => access === "internal" && port !== undefined)
      .map((s) => s.name),
  );
  const parts = [
    ...Object.entries(app.serviceEnv).filter(([name]) => !internal.has(name)),
    ...app.declaration.jobs
      .filter((job) => !internal.has(job.in.name))
      .map((job) => [job.name, app.jobEnv[job.name] ?? {}] as const),
  ];
  const problems: Problem[] = [];
  for (const [who, env] of parts) {
    for (const [variable, { value }] of Object.entries(env)) {
      const other = seen.get(variable);
      if (other === undefined) seen.set(variable, { who, value });
      else if ((isSecret(app, value) || isSecret(app, other.value)) && !same(value, other.value)) {
        problems.push({
          where: `${app.declaration.name}.${who}.env.${variable}`,
          what: `${other.who} and ${who} have different values of ${variable}, and one of them is secret.`,
          why: "On Fly all machines of an app see the same secrets.",
          fix: `give the variables different names in apps/${app.declaration.name}.ts`,
        });
      }
    }
  }
  return problems;
}

const same = (a: Value, b: Value): boolean => JSON.stringify(a) === JSON.stringify(b);

function isSecret(app: ResolvedApp, value: Value): boolean {
  if (value.kind !== "reference") return value.kind !== "plain";
  const database = app.declaration.databases.find(({ name }) => name === value.reference.component);
  return database !== undefined && database.engine !== "sqlite";
}
