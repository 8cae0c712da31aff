import { cpus, loadavg, totalmem } from "node:os";
import { EngineError } from "../engine";
import { RehearsalError } from "../rehearsal/host/run";
import { memory } from "./memory";
import { change } from "./change";
import { fly } from "./fly";
import { noop } from "./noop";
import { redeployUnderLoad } from "./redeploy";
import { scale } from "./scale";
import { startup } from "./startup";
import { Lab } from "./support/lab";
import { findingText, type Finding } from "./support/report";

/** In the order of running: those that need nothing but this process come first. */
const benches: Readonly<Record<string, (lab: Lab) => Promise<Finding>>> = {
  startup,
  scale,
  fly,
  noop,
  change,
  redeploy: redeployUnderLoad,
  memory,
};

const started = performance.now();
const log = (line: string): void => {
  const seconds = ((performance.now() - started) / 1000).toFixed(1).padStart(6);
  process.stderr.write(`[${seconds} s] ${line}\n`);
};

const load = (): string =>
  loadavg()
    .map((one) => one.toFixed(1))
    .join(" ");

async function main(names: readonly string[]): Promise<number> {
  const unknown = names.filter((name) => !Object.hasOwn(benches, name));
  if (unknown.length > 0) {
    process.stderr.write(
      `There is no benchmark "${unknown.join(", ")}": they are ${Object.keys(benches).join(", ")}.\n`,
    );
    return 2;
  }
  const lab = new Lab(log);
  for (const [signal, status] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const) {
    process.once(signal, () => void lab.close().finally(() => process.exit(status)));
  }
  const [cpu] = cpus();
  process.stdout.write(
    `# Figures\n\n${new Date().toISOString().slice(0, 16)} UTC, ${cpus().length} x ${cpu?.model.trim() ?? "?"}, ` +
      `${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}, load at the start ${load()}\n`,
  );
  try {
    for (const [name, bench] of Object.entries(benches)) {
      if (names.length > 0 && !names.includes(name)) continue;
      log(`${name} begins, load ${load()}`);
      process.stdout.write(`\n${findingText(await bench(lab))}\n`);
    }
    return 0;
  } catch (error) {
    if (!(error instanceof RehearsalError) && !(error instanceof EngineError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  } finally {
    await lab.close();
  }
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(1);
  },
);
