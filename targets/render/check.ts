import type { Service } from "../../components/declaration";
import type { Problem } from "../../components/problems";
import type { ResolvedApp } from "../../components/resolvedApp";
import { setCommand } from "../../components/settings";
import { Duration } from "../../components/values/duration";
import { checkSticky } from "../containers/checkSticky";
import { jobSeconds } from "../containers/jobs";
import { checkArchives } from "../systemd/check";
import { checkBackups, type OwnBackups } from "../containers/checkBackups";
import { awayBy, checkNamed } from "../containers/checkNames";
import type { Capabilities } from "../target";
import { createsPerHour } from "./api/limits";
import { countOf, needsDisk } from "./buildPlan";
import { nameOf, partKey, partsOf } from "./names";
import { renderSettings, type RenderSettings } from "./settings";
import { planFor } from "./sizes";
import { codeOf } from "./source";

export const renderCapabilities: Capabilities = {
  cron: { minimum: Duration.minutes(1), timeZones: "UTC" },
  // https://render.com/docs/disks: one, at one instance.
  volumes: { perService: 1, withInstances: false },
  autoscaling: true,
  databases: {
    // https://render.com/docs/postgresql-extensions, those that apps are likely to ask for.
    postgres: { extensions: ["citext", "hstore", "pg_trgm", "pgcrypto", "postgis", "unaccent", "uuid-ossp", "vector"] },
    redis: { extensions: [] },
    sqlite: { extensions: [] },
    external: { extensions: [] },
  },
  code: ["image", "source"],
  restrictedAccess: true,
  domains: true,
  buckets: true,
};

/** https://render.com/docs/cronjobs: a run is ended after 12 hours. */
const maxSeconds = 12 * 3600;

/**
 * What keeps these apps from running on Render, all of it.
 * @param known names of all apps of the stack, wherever they are
 */
export function checkRender(
  apps: readonly ResolvedApp[],
  settings: RenderSettings,
  known: readonly string[],
): Problem[] {
  return [
    ...(settings.apiKey === undefined ? [missingKey()] : []),
    ...checkMaps(apps, settings, known),
    ...checkNames(apps, settings),
    ...apps.flatMap((app) => [
      ...app.declaration.services.flatMap((service) => checkService(app, settings, service)),
      ...checkJobs(app),
      ...checkCircles(app),
      ...checkBackups(app, ownBackups(settings)),
      ...checkArchives(app),
    ]),
  ];
}

function missingKey(): Problem {
  const { about, secret } = renderSettings.apiKey;
  return { where: "render:apiKey", what: "It has no value.", why: about, fix: setCommand("render:apiKey", secret) };
}

/** Settings by name that name nothing of the stack's. */
function checkMaps(apps: readonly ResolvedApp[], settings: RenderSettings, all: readonly string[]): Problem[] {
  const here = apps.map(({ declaration }) => declaration.name);
  const known = apps.flatMap((app) => partsOf(app).map((part) => partKey(app, part)));
  const byApp = ["repositories", "postgresPlans", "keyValuePlans", "ownBackups"] as const;
  const byPart = ["names", "plans", "adopt"] as const;
  return checkNamed("Render", [
    ...byApp.map((key) => ({ key: `render:${key}`, value: settings[key], kind: "app", known: [...here, ...all] })),
    ...byPart.map((key) => ({
      key: `render:${key}`,
      value: settings[key],
      kind: "component",
      known,
      isAway: awayBy(here, all, "-"),
    })),
  ]);
}

/**
 * What a first deploy of these apps is told where it needs more than an hour's creates: it goes on where it stopped, and whoever
 * has most of them already isn't kept from the rest. Pure.
 */
export function toldCreates(apps: readonly ResolvedApp[]): string[] {
  const count = apps.reduce(
    (sum, { declaration: { services, jobs } }) =>
      sum + services.length + jobs.filter((job) => !needsDisk(job.in)).length,
    0,
  );
  if (count <= createsPerHour) return [];
  return [
    `These apps are ${count} services and jobs on Render, which makes ${createsPerHour} in an hour. Where more than that lack, an up ` +
      "makes what it may and stops; another pulumi up an hour later goes on.",
  ];
}

/** Names are one in the workspace, and hosts of onrender.com. */
function checkNames(apps: readonly ResolvedApp[], settings: RenderSettings): Problem[] {
  const seen = new Map<string, string>();
  return apps.flatMap((app) =>
    partsOf(app).flatMap((part) => {
      const name = nameOf(app, settings, part);
      const key = partKey(app, part);
      const fix = `pulumi config set --path render:names.${key} ANOTHER-NAME`;
      const other = seen.get(name);
      seen.set(name, key);
      if (other !== undefined)
        return [{ where: "render:names", what: `${other} and ${key} would both be called ${name} on Render.`, fix }];
      if (/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name) && name.length <= 48) return [];
      const what = `"${name}" can't be a name on Render: that takes up to 48 lower-case letters, digits and single dashes.`;
      return [{ where: "render:names", what, fix }];
    }),
  );
}

function checkService(app: ResolvedApp, settings: RenderSettings, service: Service): Problem[] {
  const { name } = app.declaration;
  const where = `${name}.${service.name}`;
  const code = codeOf(app, settings, service);
  const problems: Problem[] = [];
  if (code.kind === "unfit") {
    problems.push({
      where: `${where}.source`,
      what: "Render can't build it from where the code is.",
      why: code.why,
      fix: `pulumi config set ${name}:source https://github.com/OWNER/NAME#BRANCH, or tell where Render finds the same commits: pulumi config set --path render:repositories.${name} https://github.com/OWNER/NAME`,
    });
  }
  if (planFor(app, settings, service) === undefined) {
    problems.push({
      where: `${where}.resources`,
      what: "Render has no plan with that much memory or that many CPUs.",
      why: "Its largest has 32 GB and 8 CPUs.",
      fix: `pulumi config set --path render:plans.${partKey(app, service.name)} pro_ultra`,
    });
  }
  const { max } = countOf(app, service);
  if (needsDisk(service) && max > 1 && app.settings.instances[service.name] === undefined) {
    const least =
      service.instances === undefined || typeof service.instances === "number" ? max : service.instances.min;
    if (least === 1)
      problems.push({
        where: `${where}.instances`,
        what: `It has a volume and grows to ${max} instances; Render's disks are for one.`,
        fix: `pulumi config set --path ${name}:instances.${service.name} 1`,
      });
  }
  problems.push(...checkSticky(name, service, max, "Render"));
  if (service.access === "restricted" && service.port !== undefined && app.settings.allowFrom.length === 0) {
    problems.push({
      where: `${name}:allowFrom`,
      what: `Nobody could reach ${service.name}: no addresses are allowed.`,
      fix: `pulumi config set --path '${name}:allowFrom[0]' "$(curl -s https://checkip.amazonaws.com)/32"`,
    });
  }
  return problems;
}

/** Render saves by itself, and not at declared times. */
const ownBackups = ({ ownBackups: enoughFor }: RenderSettings): OwnBackups => ({
  platform: "Render",
  key: "render:ownBackups",
  enoughFor,
  ownTimes: "It is to be saved at times of its own, and Render saves disks once a day.",
  kept: ({ engine }) =>
    engine === "postgres"
      ? "Render keeps every moment of the last 3 to 7 days."
      : "Render keeps a snapshot of the disk for each of the last 7 days.",
});

function checkJobs(app: ResolvedApp): Problem[] {
  const { name, jobs } = app.declaration;
  return jobs.flatMap((job) => {
    const where = `${name}.${job.name}`;
    const problems: Problem[] = [];
    if (!needsDisk(job.in) && jobSeconds(job) > maxSeconds) {
      problems.push({
        where: `${where}.timeout`,
        what: "It may take longer than the 12 hours after which Render ends a cron job.",
        fix: `give it ${maxSeconds / 3600} hours or less in apps/${name}.ts, or choose another target`,
      });
    }
    if (needsDisk(job.in) && job.in.command === undefined) {
      problems.push({
        where: `${where}.in`,
        what: `It needs ${job.in.name}'s disk, so it has to run beside it, and that has no command to be started with.`,
        fix: `give ${job.in.name} a command in apps/${name}.ts`,
      });
    }
    return problems;
  });
}

/** Each service is made after those whose private addresses it needs: Render chooses them. */
function checkCircles(app: ResolvedApp): Problem[] {
  const { name } = app.declaration;
  const needed = (service: string): [variable: string, other: string][] =>
    Object.entries(app.serviceEnv[service] ?? {}).flatMap(([variable, { value }]) =>
      value.kind === "reference" && value.reference.attribute === "internalUrl"
        ? [[variable, value.reference.component] as [string, string]]
        : [],
    );
  const leadsTo = (from: string, to: string, seen: readonly string[] = []): boolean =>
    from === to || needed(from).some(([, other]) => !seen.includes(other) && leadsTo(other, to, [...seen, from]));
  return app.declaration.services.flatMap((service) =>
    needed(service.name)
      .filter(([, other]) => leadsTo(other, service.name))
      .map(([variable, other]) => ({
        where: `${name}.${service.name}.env.${variable}`,
        what: `${service.name} is to know ${other}'s private address, and ${other} that of ${service.name}.`,
        why: "Render chooses these addresses when it makes a service, so that one has to come first.",
        fix: `let one of them go the other's public way in apps/${name}.ts`,
      })),
  );
}
