import { existsSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { EngineError } from "../engine";
import type { Aws } from "./aws/aws";
import { RehearsalError } from "./host/run";
import { clauseaRepository } from "./fiveApps";
import { configureLive, makeAdopted } from "./liveApps";
import { showStack } from "./show";
import { openSite, reopenSite, sweep, type Host, type Site } from "./site";
import { countsOf, RehearsedStack } from "./stack";

const started = Date.now();
const log = (line: string): void => {
  const seconds = ((Date.now() - started) / 1000).toFixed(1).padStart(6);
  process.stdout.write(`[${seconds} s] ${line}\n`);
};

/** Brings the five apps up on this machine, or up to date where they are up already, and shows them. */
async function up(id: string): Promise<void> {
  await sweep();
  const known = await reopenSite(id, { log });
  const site: Site = known ?? (await openSite({ id, keep: true, log }));
  const folder = join(site.folder, "stack");
  // The last thing of the set-up: a run that is cut off before it is begun again.
  const ready = join(folder, "ready");
  // The engine's build, the host's root and the emulator take minutes on a fresh machine, and don't need each other.
  const [stack, aws, cloud, docker, railway] = await Promise.all([
    RehearsedStack.open({ folder, stack: "prod", log }),
    site.aws(),
    site.fly(),
    site.docker(),
    site.railway(),
  ]);
  // A push, where the stand-in was changed.
  await railway.repository(clauseaRepository, join(__dirname, "standins/clausea"));
  if (!existsSync(ready) || known === undefined) {
    const shopifly = await makeAdopted(aws, site.gateway);
    await configureLive(stack, { aws, shopifly, fly: { cloud, docker }, railway, gateway: site.gateway });
    writeFileSync(ready, "");
  }
  log("pulumi up --stack prod");
  const result = await stack.up({ onLine: (line) => process.stdout.write(`           ${line}\n`) });
  if (result.code !== 0) {
    throw new RehearsalError(`\`pulumi up\` ended with code ${result.code}; run \`make up\` again, or \`make down\`.`);
  }
  await showStack(stack, {
    hosts: await hostsOf(stack, aws),
    reach: {
      fly: ({ port }, { app = "" }) => cloud.url(app, port === "" ? 443 : Number(port)),
      railway: ({ hostname }) => railway.url(hostname),
    },
  });
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

/** The hosts that apps are on, by the stack's names for them. */
async function hostsOf(stack: RehearsedStack, aws: Aws): Promise<Map<string, Pick<Host, "exec">>> {
  const { ec2 } = await stack.outputs<{ ec2?: { hosts: Record<string, { instanceId: string }> } }>();
  const hosts = new Map<string, Pick<Host, "exec">>();
  for (const [name, { instanceId }] of Object.entries(ec2?.hosts ?? {})) hosts.set(name, await aws.host(instanceId));
  return hosts;
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
