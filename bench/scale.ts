import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { must, RehearsalError } from "../rehearsal/host/run";
import type { RehearsedStack } from "../rehearsal/stack";
import type { Lab } from "./support/lab";
import { watched, type Use } from "./support/memory";
import { digits, times, type Finding, type Row } from "./support/report";
import { sampleOf } from "./support/stats";

const checkout = resolve(__dirname, "..");

interface Mocked {
  readonly apps: number;
  readonly seconds: number;
  readonly resources: number;
  readonly commands: number;
  readonly peakMib: number;
}

async function mocked(apps: number): Promise<Mocked> {
  const argv = [process.execPath, "-r", "ts-node/register", "bench/scaleMocks.ts", String(apps)] as const;
  return JSON.parse(await must([...argv], { cwd: checkout })) as Mocked;
}

/** Rounds of a size: the largest take minutes on a busy machine. */
const roundsOf = (size: number): number => (size >= 1000 ? 1 : size >= 100 ? 2 : 3);

/** Runs of each size, in turns. */
async function inTurns<T>(sizes: readonly number[], run: (size: number) => Promise<T>): Promise<Map<number, T[]>> {
  const results = new Map<number, T[]>(sizes.map((size) => [size, []]));
  for (let round = 0; round < 3; round++) {
    for (const size of sizes) if (round < roundsOf(size)) results.get(size)?.push(await run(size));
  }
  return results;
}

async function succeed(stack: RehearsedStack, args: readonly string[], env: Record<string, string> = {}): Promise<Use> {
  const use = await watched(stack, args, { env });
  if (use.code === 0) return use;
  throw new RehearsalError(`\`pulumi ${args[0] ?? ""}\` ended with code ${use.code}:\n${use.output.slice(-4000)}`);
}

/** A folder for PATH whose `node` answers for the driver that all is done, so that no host is asked. */
function withoutDriver(folder: string): string {
  const bin = join(folder, "without-driver");
  mkdirSync(bin, { recursive: true });
  const script = `#!/bin/sh\ncase $1 in */driver.cjs) cat >/dev/null; echo '{}' ;; *) exec '${process.execPath}' "$@" ;; esac\n`;
  writeFileSync(join(bin, "node"), script, { mode: 0o755 });
  return bin;
}

/** Bytes of the state of that many apps, each deployed by a driver that does nothing. */
async function stateBytes(lab: Lab, stack: RehearsedStack, apps: number): Promise<number> {
  const { env } = stack.command([]);
  await succeed(stack, ["up", "--yes", "--skip-preview"], { PATH: `${withoutDriver(lab.folder)}:${env.PATH ?? ""}` });
  return statSync(join(lab.folder, `stacks/scale-${apps}/state/.pulumi/stacks/scale/bench.json`)).size;
}

/** How a stack's cost grows with its apps. */
export async function scale(lab: Lab): Promise<Finding> {
  const underMocks = await inTurns([10, 100, 1000], mocked);
  const sizes = [0, 10, 100, 1000];
  const stacks = new Map<number, RehearsedStack>();
  for (const size of sizes) {
    const stack = await lab.program("scale", "bench", `scale-${size}`);
    await stack.configure({ "scale:apps": String(size) });
    stacks.set(size, stack);
  }
  const of = (size: number): RehearsedStack => stacks.get(size)!;
  const previewed = await inTurns(sizes, (size) => succeed(of(size), ["preview"]));
  const plain = await inTurns([100, 1000], async (size) => {
    const stack = await lab.program("scale", "bench", `plain-${size}`);
    await stack.configure({ "scale:apps": String(size), "scale:plain": "true" });
    return succeed(stack, ["preview"]);
  });
  const seconds = (size: number) => sampleOf((previewed.get(size) ?? []).map((use) => use.seconds));
  const peak = (size: number, part?: string) =>
    sampleOf(
      (previewed.get(size) ?? []).map((use) => (part === undefined ? use.peak.all : (use.peak.parts.get(part) ?? 0))),
    );
  const bytes = new Map<number, number>();
  for (const size of [10, 100]) bytes.set(size, await stateBytes(lab, of(size), size));

  const mockRows = [...underMocks].map(([size, runs]): Row => {
    const [one] = runs;
    const each = sampleOf(runs.map((run) => (run.seconds * 1000) / size));
    const mib = sampleOf(runs.map((run) => run.peakMib));
    return [String(size), each, mib, (one?.resources ?? 0) / size, (one?.commands ?? 0) / size];
  });
  const shares = [...plain].map(([size, uses]) => {
    const bare = { seconds: sampleOf(uses.map((use) => use.seconds)), peak: sampleOf(uses.map((use) => use.peak.all)) };
    return (
      `previewing ${size} apps takes ${digits(times(seconds(size), bare.seconds))} times as long as the same resources declared by hand ` +
      `(${digits(bare.seconds.median)} s), and ${digits(times(peak(size), bare.peak))} times the memory (${digits(bare.peak.median)} MiB)`
    );
  });
  const mib = (size: number): Row => [peak(size), peak(size, "program").median, peak(size, "engine").median];
  const previewRows = sizes.map((size): Row => [
    String(size),
    seconds(size),
    size === 0 ? "" : digits(((seconds(size).median - seconds(0).median) / size) * 1000),
    ...mib(size),
    size === 0 ? "" : digits((peak(size).median - peak(0).median) / size),
  ]);
  return {
    title: "Scale",
    tables: [
      { head: ["apps, under mocks", "ms an app", "peak MiB", "resources an app", "commands an app"], rows: mockRows },
      {
        head: [
          "apps, `pulumi preview`",
          "seconds",
          "ms an app over none",
          "peak MiB",
          "program",
          "engine",
          "MiB an app over none",
        ],
        rows: previewRows,
      },
      {
        head: ["apps, after `up`", "bytes of state an app"],
        rows: [...bytes].map(([size, all]): Row => [String(size), Math.round(all / size)]),
      },
    ],
    notes: [
      "goal: time and memory an app no more at 1,000 apps than at 10; commands and state an app constant",
      ...shares,
      "an app here is a web service, a worker, a job and a Postgres database; for the state, the driver is replaced by one that does nothing",
    ],
  };
}
