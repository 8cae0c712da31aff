import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { groupFolders, processesIn } from "../host/cgroup";
import type { Machine } from "../host/machine";
import type { Network } from "../host/network";
import { RehearsalError, poll } from "../host/run";
import type { PlatformTools } from "./tools";

/** A platform's emulator as a process of its own, written down before it is started. */
export interface PlatformPlan {
  /** What it is called in messages and in its log's name, such as fly. */
  readonly name: string;
  /** Its control group's name. */
  readonly unit: string;
  readonly address: string;
  readonly port: number;
  /** Its state and log. */
  readonly folder: string;
}

/** What every emulator's process is told, in a file, as its state's secrets are. */
export interface PlatformProcess {
  readonly folder: string;
  readonly address: string;
  readonly port: number;
  /** Where containers run. */
  readonly machine: Machine;
  readonly network: Network;
  readonly tools: PlatformTools;
  /** Who answers names that aren't the platform's. */
  readonly nameservers: readonly string[];
}

/** Runs an emulator's program: with the file that its first argument names. A failure to start ends it, with why. */
// What the file holds is known to the caller alone, who wrote it.
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
export function runPlatform<P extends PlatformProcess>(main: (given: P) => Promise<void>): void {
  Promise.resolve()
    .then(() => main(JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as P))
    .catch((error: unknown) => {
      process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
      process.exit(1);
    });
}

/** Starts an emulator's program unless it runs, and waits until it answers below /rehearsal. It outlives this process. */
export async function startPlatform(plan: PlatformPlan, program: string, given: object): Promise<void> {
  const { name, unit, address, port, folder } = plan;
  const log = join(folder, `${name}.log`);
  // Not in systemd's own hierarchy of version 1: what it starts in hosts would stay in there, and isn't its own.
  const [group] = groupFolders(unit);
  const isAlive = (): boolean => processesIn(group).length > 0;
  if (!isAlive()) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const file = join(folder, "process.json");
    writeFileSync(file, JSON.stringify(given), { mode: 0o600 });
    const output = openSync(log, "a", 0o600);
    // From the checkout, where ts-node looks for its settings.
    const checkout = join(__dirname, "../..");
    const command = [process.execPath, "--require", require.resolve("ts-node/register"), program, file];
    spawn(join(__dirname, "../host/grouped.sh"), [checkout, group, "--", ...command], {
      stdio: ["ignore", output, output],
      detached: true,
    }).unref();
    closeSync(output);
  }
  const tail = (): string => (existsSync(log) ? readFileSync(log, "utf8").trim().split("\n").slice(-5).join("\n") : "");
  const url = `http://${address}:${port}/rehearsal/health`;
  let hasLived = false;
  await poll(
    async () => {
      if (hasLived && !isAlive())
        throw new RehearsalError(`The emulator of ${name} ended. Its log ends with:\n${tail()}`);
      hasLived ||= isAlive();
      const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
      return answer?.ok === true ? true : undefined;
    },
    {
      // The first one makes images, for a minute and more.
      timeoutMs: 300_000,
      failure: () => `The emulator of ${name} doesn't answer on ${url}. Its log ends with:\n${tail()}`,
    },
  );
}
