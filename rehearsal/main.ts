import { existsSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { EngineError } from "../engine";
import { openDev } from "./devApps";
import { RehearsalError } from "./host/run";
import { openLive } from "./liveApps";
import type { Rehearsed } from "./rehearsed";
import { showStack } from "./show";
import { openSite, reopenSite, sweep, type Site } from "./site";
import { countsOf, RehearsedStack } from "./stack";

const started = Date.now();
const log = (line: string): void => {
  const seconds = ((Date.now() - started) / 1000).toFixed(1).padStart(6);
  process.stdout.write(`[${seconds} s] ${line}\n`);
};

const rehearsals: Readonly<Record<string, (site: Site) => Promise<Rehearsed>>> = { prod: openLive, dev: openDev };

/** Brings a stack's five apps up on this machine, or up to date where they are up already, and shows them. */
async function up(name: string, id: string): Promise<void> {
  const rehearse = rehearsals[name];
  if (rehearse === undefined) {
    throw new RehearsalError(
      `There is no stack "${name}" to rehearse; there are ${Object.keys(rehearsals).join(" and ")}.`,
    );
  }
  await sweep();
  const known = await reopenSite(id, { log });
  const site: Site = known ?? (await openSite({ id, keep: true, log }));
  const folder = join(site.folder, "stack");
  // The last thing of the set-up: a run that is cut off before it is begun again.
  const ready = join(folder, "ready");
  // The engine's build, the host's root and the emulators take minutes on a fresh machine, and don't need each other.
  const [stack, rehearsed] = await Promise.all([RehearsedStack.open({ folder, stack: name, log }), rehearse(site)]);
  await rehearsed.push();
  if (!existsSync(ready) || known === undefined) {
    await rehearsed.configure(stack);
    writeFileSync(ready, "");
  }
  log(`pulumi up --stack ${name}`);
  const result = await stack.up({ onLine: (line) => process.stdout.write(`           ${line}\n`) });
  if (result.code !== 0) {
    throw new RehearsalError(`\`pulumi up\` ended with code ${result.code}; run \`make up\` again, or \`make down\`.`);
  }
  await showStack(stack, await rehearsed.places(stack));
  const counts = countsOf(result.stdout);
  const changes = Object.entries(counts).filter(([what]) => what !== "unchanged");
  log(
    changes.length === 0
      ? "Nothing changed: all five apps are as declared."
      : `Done: ${changes.map(([what, count]) => `${count} ${what}`).join(", ")}. Run it again and nothing changes.`,
  );
  const shown = (path: string): string => relative(process.cwd(), path);
  log(`To go on in this shell: . ${shown(stack.environmentFile)} && cd ${shown(folder)}`);
  log("then for instance: pulumi preview, npx homeport status");
}

/** Removes every rehearsal of this checkout that no run is using. */
async function down(): Promise<void> {
  const removed = await sweep({ all: true });
  log(removed.removed.length === 0 ? "Nothing to remove." : `Removed ${removed.removed.join(", ")}.`);
}

async function main([verb, stack = "prod", id = stack === "prod" ? "up" : `up-${stack}`]: string[]): Promise<number> {
  try {
    if (verb === "up") await up(stack, id);
    else if (verb === "down") await down();
    else throw new RehearsalError("usage: rehearsal/main.ts up [stack] [name] | down");
    return 0;
  } catch (error) {
    if (!(error instanceof RehearsalError) && !(error instanceof EngineError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  }
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(
      `This is a mistake of Homeport's own: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    process.exit(1);
  },
);
