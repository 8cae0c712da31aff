import { existsSync, statSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import type { RestoreSource } from "../targets/operations";
import type { Context } from "./context";
import { UsageError } from "./errors";
import { backedUp, named, volumeNamed } from "./find";

/** Verbs that do something. Each resolves to an exit code. */

export async function runJobOrCommand(context: Context): Promise<number> {
  const app = await context.app();
  const { jobs, commands } = app.declaration;
  const [, name = ""] = context.positionals;
  const job = jobs.find((one) => one.name === name);
  if (job === undefined) {
    const command = commands.find((one) => one.name === name) ?? named("job or command", name, [...jobs, ...commands]);
    return (await context.operate(app)).runCommand(command.name, context.rest);
  }
  if (context.rest.length > 0) {
    throw new UsageError(
      `${name} is a job of ${app.declaration.name}, and jobs take no arguments.`,
      `homeport run ${app.declaration.name} ${name}`,
    );
  }
  return (await context.operate(app)).runJob(name);
}

export async function exec(context: Context): Promise<number> {
  const app = await context.app();
  const service = named("service", context.positionals[1] ?? "", app.declaration.services);
  return (await context.operate(app)).exec(service.name, context.rest);
}

export async function backup(context: Context): Promise<number> {
  const app = await context.app();
  const operations = await context.operate(app);
  const asked = context.positionals[1];
  const volume = await volumeNamed(app.declaration, operations, asked);
  if (volume !== undefined) return volume.volumes.snapshot(volume.name);
  for (const name of backedUp(app.declaration, asked)) {
    const code = await operations.backup(name);
    if (code !== 0) return code;
  }
  return 0;
}

export async function restore(context: Context): Promise<number> {
  const app = await context.app();
  const [, database = "", source = ""] = context.positionals;
  const from = restoreSource(source);
  const { config, environment } = await context.stack();
  const operations = await context.operate(app);
  const volume = await volumeNamed(app.declaration, operations, database);
  const name = volume?.name ?? backedUp(app.declaration, database)[0] ?? "";
  const isFinal = volume?.volumes.isFinal === true;
  if ((environment === "live" || isFinal) && !context.flags.has("yes")) {
    const stack = `the ${environment === "live" ? "live " : ""}stack ${config.stack}`;
    const said =
      `This puts ${name} of ${app.declaration.name} back to "${source}" in ${stack}, on ${operations.place}.` +
      (isFinal ? " All that was written since then is lost for good." : "");
    if (!(await confirmed(said, app.declaration.name))) {
      context.note("Nothing was changed.");
      return 1;
    }
  }
  return volume === undefined ? operations.restore(name, from) : volume.volumes.restore(name, from);
}

/** A file of this machine if it is one, else something that is kept there. */
export function restoreSource(text: string): RestoreSource {
  if (text === "latest") return { kind: "latest" };
  if (existsSync(text) && statSync(text).isFile()) return { kind: "file", path: text };
  if (/^(\.{1,2}|~)\//.test(text))
    throw new UsageError(`There is no file ${text}.`, "homeport backups <app> lists those kept");
  return { kind: "key", key: text };
}

async function confirmed(said: string, word: string): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new UsageError(`${said} There is no terminal to ask at.`, "add --yes if that is what you want");
  }
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await prompt.question(`${said}\nType ${word} to go on: `)).trim() === word;
  } finally {
    prompt.close();
  }
}

export async function rollback(context: Context): Promise<number> {
  const app = await context.app();
  const { name } = app.declaration;
  const { config } = await context.stack();
  const operations = await context.operate(app);
  const changes = await operations.rollback((line) => {
    context.note(line);
  });
  for (const change of changes) context.out(change);
  context.out(
    `${name} is at the release before. The stack knows nothing of it: the next \`pulumi up --stack ${config.stack}\` that changes ` +
      `${name} deploys the declared version again. Forward again: homeport rollback ${name}`,
  );
  return 0;
}

export async function restart(context: Context): Promise<number> {
  const app = await context.app();
  const [, name] = context.positionals;
  const service = name === undefined ? undefined : named("service", name, app.declaration.services).name;
  return (await context.operate(app)).restart(service);
}
