import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { EngineError } from "../engine";
import { fiveAppsOnOneHost, makeExistingBuckets } from "./fiveApps";
import { importImage } from "./host/image";
import { RehearsalError } from "./host/run";
import { showStack } from "./show";
import { openSite, reopenSite, sweep, type Site } from "./site";
import { countsOf, RehearsedStack } from "./stack";

const started = Date.now();
const log = (line: string): void => {
  const seconds = ((Date.now() - started) / 1000).toFixed(1).padStart(6);
  process.stdout.write(`[${seconds} s] ${line}\n`);
};

const liveArchive = "rtbcat-csv-archive-frankfurt-328614522524";

/** Brings the five apps up on a host of this machine, or up to date where they are up already, and shows them. */
async function up(id: string): Promise<void> {
  await sweep();
  const known = await reopenSite(id, { log });
  const site: Site = known ?? (await openSite({ id, keep: true, log }));
  const folder = join(site.folder, "stack");
  const isFirst = !existsSync(folder);
  // The engine's build, the host's root and the emulator take minutes on a fresh machine, and don't need each other.
  const [stack, host, s3] = await Promise.all([
    RehearsedStack.open({ folder, stack: "prod", log }),
    site.host("rehearsal"),
    site.s3(),
  ]);
  if (isFirst || known === undefined) {
    await importImage(host, "docker.io/unclecode/crawl4ai:0.7.4");
    await makeExistingBuckets(s3, [liveArchive]);
    await stack.configure(fiveAppsOnOneHost(host, s3, site.gateway));
  }
  log("pulumi up --stack prod");
  const result = await stack.up({ onLine: (line) => process.stdout.write(`           ${line}\n`) });
  if (result.code !== 0) {
    throw new RehearsalError(`\`pulumi up\` ended with code ${result.code}; run \`make up\` again, or \`make down\`.`);
  }
  await showStack(stack, host);
  const counts = countsOf(result.stdout);
  const changes = Object.entries(counts).filter(([what]) => what !== "unchanged");
  log(
    changes.length === 0
      ? "Nothing changed: all five apps are as declared."
      : `Done: ${changes.map(([what, count]) => `${count} ${what}`).join(", ")}. Run it again and nothing changes.`,
  );
  const shown = (path: string): string => relative(process.cwd(), path);
  log(`To go on in this shell: . ${shown(stack.environmentFile)} && cd ${shown(folder)}`);
  log(
    `then for instance: pulumi preview, ${relative(folder, join(__dirname, "..", "bin", "homeport"))} status --cwd .`,
  );
}

/** Removes every rehearsal of this checkout that no run is using. */
async function down(): Promise<void> {
  const removed = await sweep({ all: true });
  log(removed.removed.length === 0 ? "Nothing to remove." : `Removed ${removed.removed.join(", ")}.`);
}

async function main([verb, id = "up"]: string[]): Promise<number> {
  try {
    if (verb === "up") await up(id);
    else if (verb === "down") await down();
    else throw new RehearsalError("usage: rehearsal/main.ts up [name] | down");
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
