import type { AppDeclaration } from "../components/declaration";
import { listOf } from "../components/parsers";
import { didYouMean } from "../components/problems";
import { closest } from "../components/values/closest";
import type { LogQuery, Operations, PlacedApp, VolumeOperations } from "../targets/operations";
import { brokenApp, ConfigProblems, UsageError } from "./errors";
import type { StackApp, StackApps } from "./placed";

/** The one of that name. @throws UsageError with the nearest right name, and all of them */
export function named<T extends { readonly name: string }>(kind: string, name: string, all: readonly T[]): T {
  const found = all.find((one) => one.name === name);
  if (found !== undefined) return found;
  throw unknown(kind, name, all);
}

function unknown(kind: string, name: string, all: readonly { readonly name: string }[]): UsageError {
  const names = all.map((one) => one.name);
  const near = closest(name, names);
  return new UsageError(
    `There is no ${kind} "${name}"${didYouMean(near)}`,
    names.length === 0 ? `there is none of that kind` : `name ${names.length === 1 ? "" : "one of "}${listOf(names)}`,
  );
}

/**
 * An app of the stack.
 * @throws UsageError for one that isn't declared, or that the stack doesn't deploy
 * @throws ConfigProblems for one whose file throws, and for one that the stack may mean by a name that it has wrong
 */
export function stackApp({ apps, broken, declared, config, problems }: StackApps, name: string): StackApp {
  const found = apps.find(({ declaration }) => declaration.name === name);
  if (found !== undefined) return found;
  const mistake = broken.find((one) => one.name === name);
  if (mistake !== undefined) throw brokenApp(config.stack, name, mistake.problem);
  if (declared.includes(name)) {
    // A name that is misspelt there may be this one.
    if (problems.length > 0) throw new ConfigProblems(config.stack, problems);
    const here = apps.map(({ declaration }) => declaration.name);
    throw new UsageError(
      `The stack ${config.stack} doesn't deploy ${name}, only ${listOf(here, "and")}.`,
      "another --stack, or pulumi config set --path 'homeport:apps[N]' " + name,
    );
  }
  throw unknown(
    "app",
    name,
    declared.map((one) => ({ name: one })),
  );
}

/** An app together with where it is. @throws ConfigProblems with what the stack lacks for it */
export function placedApp({ placed, problems }: StackApp, stack: string): PlacedApp {
  if (placed === undefined || problems.length > 0) throw new ConfigProblems(stack, problems);
  return placed;
}

/** What `homeport logs` means by a name: services first, then jobs, then databases. */
export function logPart(app: AppDeclaration, name: string): NonNullable<LogQuery["part"]> {
  if (app.services.some((one) => one.name === name)) return { kind: "service", name };
  if (app.jobs.some((one) => one.name === name)) return { kind: "job", name };
  const logged = app.databases.filter((one) => one.engine === "redis" || "backup" in one);
  if (logged.some((one) => one.name === name)) return { kind: "database", name };
  throw unknown("service, job or database with a log", name, [...app.services, ...app.jobs, ...logged]);
}

/** The volume of that name, where the app has no such database and its place makes snapshots of volumes. */
export async function volumeNamed(
  app: AppDeclaration,
  { volumes }: Pick<Operations, "volumes">,
  name: string | undefined,
): Promise<{ readonly name: string; readonly volumes: VolumeOperations } | undefined> {
  if (name === undefined || volumes === undefined || app.databases.some((one) => one.name === name)) return undefined;
  const names = await volumes.names();
  if (names.includes(name)) return { name, volumes };
  throw unknown("database or volume", name, [...app.databases, ...names.map((one) => ({ name: one }))]);
}

/** The databases of an app that are backed up: the named one, or all. */
export function backedUp(app: AppDeclaration, name: string | undefined): readonly string[] {
  const all = app.databases.filter((one) => "backup" in one);
  if (name !== undefined) {
    const database = named("database", name, app.databases);
    if (all.includes(database)) return [name];
    const why = database.engine === "external" ? "somebody else runs it" : "its declaration has no backup";
    throw new UsageError(`${app.name}'s ${name} isn't backed up here: ${why}.`, `see apps/${app.name}.ts`);
  }
  if (all.length > 0) return all.map((one) => one.name);
  throw new UsageError(`${app.name} has no database that is backed up.`, `see apps/${app.name}.ts`);
}
