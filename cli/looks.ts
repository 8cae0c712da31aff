import type { AppDeclaration } from "../components/declaration";
import { declareApp } from "../components/declare";
import type { BackupList, Operations } from "../targets/operations";
import { checklistText, occasion } from "./checklist";
import type { Context } from "./context";
import { brokenApp, explainError, problemText, UsageError } from "./errors";
import { elsewhere } from "./homes";
import { explainApp, explainText, type MatrixStack } from "./explain";
import { backedUp, named, volumeNamed } from "./find";
import type { BrokenApp, StackApp } from "./placed";
import { problemsOf, statusText, type Answer } from "./status";
import { table } from "./table";
import { bytes, clock } from "./units";

/** Verbs that look and change nothing. Each resolves to an exit code. */

export async function status(context: Context): Promise<number> {
  const stack = await context.stack();
  const all = context.positionals.length === 0;
  const apps = all ? stack.apps : [await context.app()];
  const lacking = all ? stack.problems.map(problemText) : [];
  const mistakes = all ? stack.broken.map(mistake) : [];
  const asked = await withOldHomes(context, apps, await Promise.all(apps.map((app) => answer(context, app))));
  const answers = [...asked, ...mistakes];
  if (context.flags.has("json")) {
    context.json({
      stack: stack.config.stack,
      environment: stack.environment,
      apps: answers.map((one) => ({
        ...{ app: one.app, place: one.place },
        ...(one.status ?? { error: one.error }),
        ...(one.elsewhere === undefined ? {} : { elsewhere: one.elsewhere }),
        problems: problemsOf(one),
      })),
      problems: lacking,
    });
  } else context.out(statusText(answers, context.paint, lacking));
  return lacking.length > 0 || answers.some((one) => problemsOf(one).length > 0) ? 1 : 0;
}

/** One app that can't be asked keeps nobody from seeing the others. */
async function answer(context: Context, app: StackApp): Promise<Answer> {
  const { name } = app.declaration;
  let place = app.target ?? "nowhere";
  try {
    const operations = await context.operate(app);
    place = operations.place;
    return { app: name, place, status: await operations.status() };
  } catch (error) {
    return { app: name, place, status: undefined, error: explainError(error).text };
  }
}

/** Where something isn't well, an app may be on its way between two places: the stack's state tells, which takes its time. */
async function withOldHomes(
  context: Context,
  apps: readonly StackApp[],
  answers: readonly Answer[],
): Promise<readonly Answer[]> {
  if (answers.every((one) => problemsOf(one).length === 0)) return answers;
  // A state that can't be read says nothing about how apps are.
  const state = await context.state().catch(() => undefined);
  if (state === undefined) return answers;
  const names = context.targets.map(({ name }) => name);
  return answers.map((one, index) => {
    const old = elsewhere(state, { name: one.app, target: apps[index]?.target, place: one.place }, names);
    return old.length === 0 ? one : { ...one, elsewhere: old };
  });
}

const mistake = ({ name, problem }: BrokenApp): Answer => ({
  ...{ app: name, place: "nowhere", status: undefined, error: problemText(problem) },
});

export async function backups(context: Context): Promise<number> {
  const app = await context.app();
  const operations = await context.operate(app);
  const { copies: wanted, problems } = await backupsOf(app.declaration, operations, context.positionals[1]);
  const shown = context.flags.has("all")
    ? wanted
    : wanted.filter(
        (copy) =>
          wanted.filter((one) => one.database === copy.database && one.kept === copy.kept).indexOf(copy) < shownCopies,
      );
  if (context.flags.has("json")) context.json({ app: app.declaration.name, copies: wanted, problems });
  else {
    const rows = shown.map((copy) => [
      copy.database,
      copy.kept,
      clock(copy.time),
      copy.bytes === 0 ? "-" : bytes(copy.bytes),
      copy.key,
    ]);
    const lines = table(["of", "kept in", "time (UTC)", "size", "as `homeport restore` takes it"], rows);
    context.out(lines.length === 0 ? "There is no backup yet." : lines.join("\n"));
    for (const problem of problems) context.note(problem);
  }
  return problems.length > 0 ? 1 : 0;
}
const shownCopies = 5;

/** Backups of the named database or volume, or of all. */
async function backupsOf(app: AppDeclaration, operations: Operations, asked: string | undefined): Promise<BackupList> {
  const only = ({ copies, problems }: BackupList, names: readonly string[]): BackupList => ({
    copies: copies.filter(({ database }) => names.includes(database)),
    problems,
  });
  const volume = await volumeNamed(app, operations, asked);
  if (volume !== undefined) return only(await volume.volumes.snapshots(), [volume.name]);
  const { volumes } = operations;
  // Without databases that are backed up there are still volumes to tell of, where the place makes snapshots.
  if (asked === undefined && volumes !== undefined && !app.databases.some((one) => "backup" in one))
    return volumes.snapshots();
  const names = backedUp(app, asked);
  const [databases, snapshots] = await Promise.all([
    operations.backups(),
    asked === undefined ? volumes?.snapshots() : undefined,
  ]);
  const { copies, problems } = only(databases, names);
  return {
    copies: [...copies, ...(snapshots?.copies ?? [])],
    problems: [...problems, ...(snapshots?.problems ?? [])],
  };
}

export async function apps(context: Context): Promise<number> {
  const stack = await context.stack();
  const rows = await Promise.all(
    stack.apps.map(async (app) => {
      const { name, about, services, jobs, databases } = app.declaration;
      const operations: Operations | undefined = await context.operate(app).catch(() => undefined);
      return {
        ...{ app: name, about, target: app.target, place: operations?.place },
        services: services.map((one) => one.name),
        jobs: jobs.map((one) => one.name),
        databases: databases.map((one) => one.name),
        commands: app.declaration.commands.map((one) => one.name),
      };
    }),
  );
  const problems = [...stack.problems, ...stack.broken.map(({ problem }) => problem)];
  const code = problems.length > 0 ? 1 : 0;
  if (context.flags.has("json")) {
    context.json({ stack: stack.config.stack, environment: stack.environment, apps: rows, problems });
    return code;
  }
  const list = (names: readonly string[]): string => (names.length === 0 ? "-" : names.join(" "));
  const head = ["app", "target", "place", "services", "jobs", "databases"];
  const cells = rows.map((row) => [
    ...[row.app, row.target ?? "(not set)", row.place ?? "-"],
    ...[list(row.services), list(row.jobs), list(row.databases)],
  ]);
  context.out([`Stack ${stack.config.stack} (${stack.environment}):`, ...table(head, cells)].join("\n"));
  const known = [...rows.map(({ app }) => app), ...stack.broken.map(({ name }) => name)];
  for (const name of stack.declared.filter((one) => !known.includes(one))) {
    context.out(`  ${name} isn't part of this stack`);
  }
  for (const problem of problems) context.note(problemText(problem));
  return code;
}

export async function explain(context: Context): Promise<number> {
  const [name] = context.positionals;
  const chosen = name === undefined ? context.apps : [named("app", name, context.apps)];
  const stack = await stackIfAny(context);
  const matrices = chosen.map((app) => explainApp(app, stack));
  const problems = matrices.flatMap((one) => one.problems);
  if (context.flags.has("json")) context.json({ variables: matrices.flatMap((one) => one.rows), problems });
  else context.out(explainText(matrices, stack));
  return problems.length > 0 ? 1 : 0;
}

/** The declarations are worth showing without a stack; one that was asked for has to be there. */
async function stackIfAny(context: Context): Promise<MatrixStack | undefined> {
  try {
    return await context.stack();
  } catch (error) {
    if (context.choice.stack !== undefined || error instanceof UsageError) throw error;
    context.note(`Without a stack, from the declarations alone: ${explainError(error).text.split("\n")[0] ?? ""}`);
    return undefined;
  }
}

export async function checklist(context: Context): Promise<number> {
  const app = named("app", context.positionals[0] ?? "", context.apps);
  const when = context.values.get("when");
  const environment = context.choice.stack === undefined ? "live" : (await context.stack()).environment;
  const declared = declareApp(app, environment);
  if (declared.declaration === undefined) throw brokenApp("", app.name, declared.problem);
  context.out(checklistText(declared.declaration, when === undefined ? undefined : occasion(when)));
  return 0;
}
