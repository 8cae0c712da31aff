import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { inLanes, inTurns, type Show } from "./support/lanes";
import { readMocha, type Failure } from "./support/mochaText";

/** One step of the tests. The steps after it run whatever becomes of it. */
interface Step {
  readonly name: string;
  readonly argv: readonly [string, ...string[]];
}

interface Outcome {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly failures: readonly Failure[];
  readonly seconds: number;
}

const project = resolve(__dirname, "..");
const bin = (name: string): string => join(project, "node_modules", ".bin", name);
const rehearsalTimeout = "600000";
const stepMinutes = 20;
// A rehearsal waits more than it computes, and no two of them share a name, a port or a network.
const lanes = Math.min(4, availableParallelism() + 1);
/** Begun last, they would be waited for alone. */
const longest = [
  ...["moves", "stack", "fly-load", "deploy", "railway-stack", "fly-stack", "render-stack"],
  ...["stack-cut-off", "fly-faults", "ec2"],
];
const show = inTurns((chunk) => process.stdout.write(chunk));

function rehearsals(): Step[] {
  const names = readdirSync(join(__dirname, "rehearsal"))
    .filter((file) => file.endsWith(".test.ts"))
    .map((file) => file.replace(/\.test\.ts$/, ""));
  const options = ["--no-config", "-r", "ts-node/register", "--forbid-only", "--exit", "--timeout", rehearsalTimeout];
  return [...longest.filter((name) => names.includes(name)), ...names.filter((name) => !longest.includes(name))].map(
    (name) => ({
      name: `rehearsal ${name}`,
      argv: [bin("mocha"), ...options, join("test", "rehearsal", `${name}.test.ts`)],
    }),
  );
}

/** Fast steps first: a mistake in the code is told in a minute, not after the hosts have booted. */
function steps(part: string | undefined): Step[] {
  const check: Step[] = [
    { name: "types", argv: [bin("tsc"), "--noEmit"] },
    { name: "lint", argv: [bin("eslint"), "."] },
    { name: "format", argv: [bin("prettier"), "--check", "--log-level", "warn", "."] },
  ];
  const unit: Step[] = [{ name: "unit", argv: [bin("mocha")] }];
  const parts: Record<string, Step[]> = { check, unit, rehearsal: rehearsals() };
  if (part === undefined) return [...check, ...unit, ...rehearsals()];
  const chosen = parts[part] ?? rehearsals().filter((step) => step.name === `rehearsal ${part}`);
  if (chosen.length === 0)
    throw new Error(`There is no part "${part}"; parts are check, unit, rehearsal, or one rehearsal's name.`);
  return chosen;
}

/** Runs a step and reads mocha's counts from its output. A step without counts is one test. */
function run({ name, argv }: Step, show: Show): Promise<Outcome> {
  const started = Date.now();
  const shown = show(`\n== ${name}\n`);
  return new Promise((resolve) => {
    const child = spawn(argv[0], argv.slice(1), { cwd: project, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      shown.write(chunk);
    });
    child.stderr.on("data", (chunk: Buffer) => {
      shown.write(chunk);
    });
    // What hangs must not keep the steps after it from being run: its sites are swept by their watchers.
    const overdue = setTimeout(() => {
      shown.write(`\n${name} took longer than ${stepMinutes} minutes and is ended.\n`);
      child.kill("SIGKILL");
    }, stepMinutes * 60_000);
    const finish = (code: number | null): void => {
      clearTimeout(overdue);
      shown.end();
      const seconds = (Date.now() - started) / 1000;
      const { passed, failed, skipped, failures } = readMocha(output);
      const counted = passed + failed + skipped > 0;
      const status = code === 0 ? 0 : 1;
      if (!counted) resolve({ name, passed: 1 - status, failed: status, skipped, failures, seconds });
      // A run that broke off after its last count has failed, whatever it counted.
      else resolve({ name, passed, failed: Math.max(failed, status), skipped, failures, seconds });
    };
    // Something that was left running may keep the pipe open; its output isn't waited for.
    child.on("exit", (code) => setTimeout(finish, 1_000, code));
  });
}

/**
 * Tests boot machines and watch clocks; on a CI machine that is busy with others one may fail by chance. Its step is given a
 * second try there, and the summary says so, as a test that needs one often is a mistake to be found.
 */
function mayRetry({ name }: Step): boolean {
  return process.env["CI"] !== undefined && (name === "unit" || name.startsWith("rehearsal"));
}

async function again(step: Step, first: Outcome): Promise<Outcome> {
  const second = await run(step, show);
  // Also what failed at first is named, as the next one to see to.
  const failures =
    second.failed > 0 ? second.failures : first.failures.map((one) => ({ ...one, name: `at first: ${one.name}` }));
  return { ...second, failures, name: `${step.name}, 2nd try`, seconds: first.seconds + second.seconds };
}

async function main(part: string | undefined): Promise<void> {
  const started = Date.now();
  const chosen = steps(part);
  // Unit tests watch clocks more closely than rehearsals, which keep the machine busy.
  const isRehearsal = ({ name }: Step): boolean => name.startsWith("rehearsal");
  const firsts: Outcome[] = [];
  for (const phase of [chosen.filter((step) => !isRehearsal(step)), chosen.filter(isRehearsal)]) {
    firsts.push(...(await inLanes(phase, lanes, (step) => run(step, show))));
  }
  const outcomes: Outcome[] = [];
  // Second tries have the machine to themselves.
  for (const [index, first] of firsts.entries()) {
    const step = chosen[index]!;
    outcomes.push(first.failed > 0 && mayRetry(step) ? await again(step, first) : first);
  }
  process.stdout.write("\n");
  for (const { name, passed, failed, skipped, seconds } of outcomes) {
    const mark = failed === 0 ? "ok    " : "FAILED";
    process.stdout.write(
      `${mark} ${name.padEnd(24)} ${passed} passed, ${failed} failed, ${skipped} skipped, ${seconds.toFixed(0)} s\n`,
    );
  }
  for (const { name, failures } of outcomes) {
    for (const failure of failures) {
      process.stdout.write([`failed ${name}: ${failure.name}`, ...failure.why].join("\n         ") + "\n");
    }
  }
  const sum = (key: "passed" | "failed" | "skipped"): number => outcomes.reduce((total, one) => total + one[key], 0);
  process.stdout.write(`\n${((Date.now() - started) / 1000).toFixed(0)} s in all, ${lanes} steps at a time\n`);
  process.stdout.write(`${sum("passed")} passed, ${sum("failed")} failed, ${sum("skipped")} skipped\n`);
  process.exitCode = sum("failed") === 0 ? 0 : 1;
}

void main(process.argv[2]);
