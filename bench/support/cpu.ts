import { spawn } from "node:child_process";
import { RehearsalError } from "../../rehearsal/host/run";
import type { RehearsedStack } from "../../rehearsal/stack";

/** What a run took of this machine, and by the clock. */
export interface Cost {
  readonly seconds: number;
  /** Of the processor, by the command and all that it waited for: hardly more on a busy machine than on an idle one. */
  readonly cpu: number;
  readonly output: string;
}

/** bash's `times` tells minutes and seconds of its children on its second line: user, then system. */
const children = /^.*\n(\d+)m([\d.]+)s (\d+)m([\d.]+)s/;

/** Runs `pulumi` on a stack. @throws RehearsalError where it fails */
export function costOf(stack: RehearsedStack, args: readonly string[]): Promise<Cost> {
  const { argv, cwd, env } = stack.command(args);
  const script = `"$@"; status=$?; times >&3; exit $status`;
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn("bash", ["-c", script, "bash", ...argv], {
      cwd,
      env,
      stdio: ["ignore", "pipe", "pipe", "pipe"],
    });
    const texts: [string, string, string] = ["", "", ""];
    child.stdio
      .slice(1)
      .forEach((stream, index) =>
        stream?.on("data", (chunk: Buffer) => (texts[index] = (texts[index] ?? "") + chunk.toString())),
      );
    child.once("error", reject);
    child.once("close", (code) => {
      const seconds = (performance.now() - started) / 1000;
      const [output, errors, times] = texts;
      if (code !== 0) {
        const said = (errors + output).trim().slice(-4000);
        reject(new RehearsalError(`\`pulumi ${args[0] ?? ""}\` ended with code ${code ?? "none"}:\n${said}`));
        return;
      }
      const [, ...parts] = children.exec(times) ?? [];
      const [userMinutes = 0, user = 0, systemMinutes = 0, system = 0] = parts.map(Number);
      resolve({ seconds, cpu: (userMinutes + systemMinutes) * 60 + user + system, output });
    });
  });
}
