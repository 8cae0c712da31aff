import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { App } from "../components";
import { brokenFile } from "../components/declare";
import { targets } from "../targets";
import { archive } from "./archive";
import { backup, exec, restart, restore, rollback, runJobOrCommand } from "./acts";
import { blueprint } from "./blueprint";
import { Context } from "./context";
import { copy } from "./copy";
import { doctor } from "./doctor";
import { BrokenApps, explainError } from "./errors";
import { fetch } from "./fetch";
import { helpFor, overview } from "./help";
import { apps, backups, checklist, explain, status } from "./looks";
import { logs } from "./logs";
import { parseCall, type Call } from "./parse";
import { recover } from "./recover";
import { repair } from "./repair";

const project = join(__dirname, "..");

const doers: Readonly<Record<string, (context: Context) => Promise<number>>> = {
  ...{
    status,
    logs,
    exec,
    backup,
    backups,
    restore,
    archive,
    fetch,
    copy,
    rollback,
    restart,
    repair,
    recover,
    checklist,
    explain,
    blueprint,
    apps,
  },
  run: runJobOrCommand,
  doctor: (context) => doctor(context, project),
};

/** Runs `homeport` with these arguments. @returns the exit code */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    return await act(parseCall(argv));
  } catch (error) {
    const { text, code } = explainError(error);
    process.stderr.write(`${text}\n`);
    return code;
  }
}

async function act(call: Call): Promise<number> {
  if (call.kind === "help") {
    process.stdout.write(`${call.verb === undefined ? overview() : helpFor(call.verb)}\n`);
    return 0;
  }
  if (call.kind === "version") {
    const { version } = JSON.parse(readFileSync(join(project, "package.json"), "utf8")) as { version: string };
    process.stdout.write(`${version}\n`);
    return 0;
  }
  const { verb, positionals, rest, flags, values } = call;
  const doer = doers[verb.name];
  if (doer === undefined) throw new Error(`${verb.name} is a verb that nothing does.`);
  const choice = { stack: values.get("stack"), cwd: stackFolder(values.get("cwd")) };
  return doer(new Context(positionals, rest, flags, values, await allApps(), targets, choice));
}

/** What the files in apps/ export, which may hold mistakes of the person's: loaded only here, so that they can be told. */
async function allApps(): Promise<readonly App[]> {
  try {
    return (await import("../apps")).apps;
  } catch (error) {
    throw new BrokenApps(brokenFile(error, "apps"));
  }
}

/** Where Pulumi.yaml is looked for: where the person is, if there is one from there up, as `pulumi` does. */
function stackFolder(asked: string | undefined): string {
  if (asked !== undefined) return resolve(asked);
  const here = process.cwd();
  for (let folder = here; ; folder = dirname(folder)) {
    if (existsSync(join(folder, "Pulumi.yaml"))) return here;
    if (folder === dirname(folder)) return project;
  }
}

/** Started by bin/homeport. */
export function start(): void {
  // A reader that has seen enough, `homeport logs | head`, is no failure.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    process.exit(error.code === "EPIPE" ? 0 : 1);
  });
  void main(process.argv.slice(2)).then((code) => {
    process.exitCode = code;
    process.stdout.write("", () => process.stderr.write("", () => process.exit(code)));
  });
}
