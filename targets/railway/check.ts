import type { Service } from "../../components/declaration";
import type { Problem } from "../../components/problems";
import type { ResolvedEnv } from "../../components/resolve";
import type { ResolvedApp } from "../../components/resolvedApp";
import { setCommand } from "../../components/settings";
import { Duration } from "../../components/values/duration";
import { Zone } from "../../components/values/zone";
import { checkBackups } from "../containers/checkBackups";
import { awayBy, checkNamed } from "../containers/checkNames";
import { checkSticky } from "../containers/checkSticky";
import type { Capabilities } from "../target";
import { countOf } from "./buildPlan";
import { checkBuckets, ownBackups } from "./checkData";
import { runsBeside } from "./jobs";
import { projectOf, repositoryOf } from "./names";
import { utcSchedule } from "./schedule";
import type { RailwaySettings } from "./settings";

export const railwayCapabilities: Capabilities = {
  // Schedules of zones whose clocks never change are converted; the others are refused by checkSchedules.
  cron: { minimum: Duration.minutes(5), timeZones: "fixed" },
  volumes: { perService: 1, withInstances: false },
  autoscaling: false,
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
 * What keeps these apps from running on Railway, all of it.
 * @param known names of all apps of the stack, wherever they are
 */
export function checkRailway(
  apps: readonly ResolvedApp[],
  settings: RailwaySettings,
  known: readonly string[],
): Problem[] {
  return [
    ...checkToken(settings),
    ...checkMaps(apps, settings, known),
    ...checkProjects(apps, settings),
    ...apps.flatMap((app) => [
      ...app.declaration.services.flatMap((service) => checkService(app, settings, service)),
      ...checkJobs(app),
      ...checkBackups(app, ownBackups(settings)),
      ...checkBuckets(app, settings),
      ...checkReferences(app),
    ]),
  ];
}

function checkToken({ apiToken, projectToken }: RailwaySettings): Problem[] {
  if (apiToken !== undefined && projectToken !== undefined) {
    return [
      {
        where: "railway:projectToken",
        what: "railway:apiToken is set, too, and one of them alone can be used.",
        why: "A project's token sees one environment of one project; an account's or a workspace's can make them.",
        fix: "pulumi config rm railway:projectToken",
      },
    ];
  }
  if (apiToken !== undefined || projectToken !== undefined) return [];
  return [
    {
      where: "railway:apiToken",
      what: "It has no value.",
      why: "Railway is asked by a token of an account or a workspace; railway.com/account/tokens makes one.",
      fix: setCommand("railway:apiToken", true),
    },
  ];
}

/** Settings by name that name nothing of the stack's. */
function checkMaps(apps: readonly ResolvedApp[], settings: RailwaySettings, all: readonly string[]): Problem[] {
  const here = apps.map((app) => app.declaration.name);
  const parts = apps.flatMap(({ declaration }) =>
    [...declaration.services, ...declaration.databases].map(({ name }) => `${declaration.name}.${name}`),
  );
  const byApp = ["projects", "repositories", "adopt", "ownBackups"] as const;
  return checkNamed("Railway", [
    ...byApp.map((key) => ({ key: `railway:${key}`, value: settings[key], kind: "app", known: [...here, ...all] })),
    {
      key: "railway:tcpProxies",
      value: settings.tcpProxies,
      kind: "component",
      known: parts,
      isAway: awayBy(here, all, "."),
    },
  ]);
}

/** Services of two apps would meet in one environment. */
function checkProjects(apps: readonly ResolvedApp[], settings: RailwaySettings): Problem[] {
  const taken = new Map<string, string>();
  return apps.flatMap((app) => {
    const project = projectOf(app, settings);
    const other = taken.get(project);
    taken.set(project, app.declaration.name);
    if (other === undefined) return [];
    return [
      {
        where: "railway:projects",
        what: `${other} and ${app.declaration.name} both have the project "${project}".`,
        why: "Each app has a project of its own; a stack is an environment in it.",
        fix: `pulumi config set --path railway:projects.${app.declaration.name} ANOTHER-NAME`,
      },
    ];
  });
}

function checkService(app: ResolvedApp, settings: RailwaySettings, service: Service): Problem[] {
  const { name } = app.declaration;
  const where = `${name}.${service.name}`;
  const problems: Problem[] = [];
  const code = app.code[service.name];
  if (code !== undefined) problems.push(...checkSource(app, settings, code.source));
  problems.push(...checkSticky(name, service, countOf(app, service), "Railway"));
  const files = Object.values(app.serviceEnv[service.name] ?? {}).some(({ value }) => value.kind === "secretFile");
  if (files && service.command === undefined) {
    problems.push({
      where: `${where}.command`,
      what: "It has secret files, which Railway hasn't: they are written by the command that starts it.",
      fix: `give it a command in apps/${name}.ts`,
    });
  }
  return problems;
}

function checkSource(
  { declaration: { name } }: ResolvedApp,
  settings: RailwaySettings,
  source: ResolvedApp["code"][string]["source"],
): Problem[] {
  const chosen = settings.repositories[name];
  if (chosen !== undefined && !/^[\w.-]+\/[\w.-]+$/.test(chosen)) {
    return [
      {
        where: "railway:repositories",
        what: `"${chosen}" isn't a repository of the form owner/name.`,
        fix: `pulumi config set --path railway:repositories.${name} OWNER/NAME`,
      },
    ];
  }
  if (source.kind === "git" && (chosen ?? repositoryOf(source)) !== undefined) return [];
  const what =
    source.kind === "folder"
      ? "Its code is a folder of this machine, which Railway can't reach."
      : source.kind === "tarball"
        ? "Its code is an archive, which Railway doesn't build."
        : "Its repository isn't at GitHub, as far as its address tells.";
  return [
    {
      where: `${name}:source`,
      what,
      why: "Railway builds commits of repositories at GitHub, and published images.",
      fix:
        source.kind === "git"
          ? `pulumi config set --path railway:repositories.${name} OWNER/NAME`
          : `pulumi config set ${name}:source 'https://github.com/OWNER/NAME#BRANCH'`,
    },
  ];
}

function checkJobs(app: ResolvedApp): Problem[] {
  const { name, jobs } = app.declaration;
  const problems: Problem[] = [];
  for (const job of jobs) {
    if (runsBeside(job.in) && job.in.command === undefined) {
      problems.push({
        where: `${name}.${job.name}.in`,
        what: `It needs ${job.in.name}'s volume, so it has to run beside it, and that has no command to be started with.`,
        fix: `give ${job.in.name} a command in apps/${name}.ts`,
      });
    }
    // A zone whose clocks change is told as what the target can't give.
    const isFixed = Zone.named(job.at.timeZone).fixedOffset(Date.now()) !== undefined;
    if (isFixed && utcSchedule(job.at) === undefined) {
      problems.push({
        where: `${name}.${job.name}.at`,
        what: `${job.at.toString()} can't be said in UTC, as Railway's schedules are.`,
        why:
          job.at.timeZone === "UTC"
            ? "Cron programs differ on it where both day fields are restricted."
            : `The days of ${job.at.timeZone} aren't UTC's.`,
        fix: `give it a time in UTC in apps/${name}.ts`,
      });
    }
  }
  return problems;
}

/** Railway reads `${{` in a value as the start of a reference. */
function checkReferences(app: ResolvedApp): Problem[] {
  const { name } = app.declaration;
  const values = (env: ResolvedEnv) =>
    Object.entries(env).flatMap(([variable, { value }]) =>
      "value" in value && value.value.includes("${{") ? [variable] : [],
    );
  const external = app.declaration.databases.flatMap((database) =>
    database.engine === "external" && (app.externalUrls[database.name] ?? "").includes("${{")
      ? [database.variable]
      : [],
  );
  const found = [...Object.values(app.serviceEnv), ...Object.values(app.jobEnv)].flatMap(values);
  return [...new Set([...found, ...external])].map((variable) => ({
    where: `${name}:${variable}`,
    what: "Its value holds ${{, which Railway reads as a reference to another variable.",
    fix: `set another value: pulumi config set ${name}:${variable}`,
  }));
}
