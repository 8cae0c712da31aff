import { spawn } from "node:child_process";
import { createReadStream } from "node:fs";

/** Takes one line of progress, without its line break. */
export type Log = (line: string) => void;

/** A mistake or a lack that the user can mend: the message says what, why and how, and is shown without a stack trace. */
export class RehearsalError extends Error {
  override readonly name = "RehearsalError";
}

/** How a finished command ended. */
export interface RunResult {
  /** Exit code; 128 + the signal's number when a signal ended it, as shells report it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How to run a command. */
export interface RunOptions {
  /** Text or bytes for standard input. Secrets go here, never into the arguments. */
  readonly input?: string | Buffer;
  /** A file for standard input. */
  readonly inputFile?: string;
  /** Ends the command with SIGKILL after so many milliseconds. Default: no limit. */
  readonly timeoutMs?: number;
  readonly cwd?: string;
  /** The whole environment. Default: this process's own. */
  readonly env?: NodeJS.ProcessEnv;
  /** Called with each line of standard output and standard error as it comes. */
  readonly onLine?: Log;
}

const signalNumbers: Partial<Record<NodeJS.Signals, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };

/** Cuts a stream into lines for a listener. */
function lines(listener: Log): (chunk: Buffer) => void {
  let rest = "";
  return (chunk) => {
    const parts = (rest + chunk.toString()).split(/\r?\n/);
    rest = parts.pop() ?? "";
    parts.filter((line) => line.trim() !== "").forEach(listener);
  };
}

/** Runs a command without a shell and waits for its end. Rejects only when it can't be started. */
export function run(argv: readonly [string, ...string[]], options: RunOptions = {}): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    const [file, ...args] = argv;
    const child = spawn(file, args, {
      stdio: ["pipe", "pipe", "pipe"],
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.env === undefined ? {} : { env: options.env }),
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
    if (options.onLine !== undefined) {
      child.stdout.on("data", lines(options.onLine));
      child.stderr.on("data", lines(options.onLine));
    }
    // A command that ends without reading its input closes the pipe: its exit code tells the story, not EPIPE.
    child.stdin.on("error", () => undefined);
    if (options.inputFile !== undefined) createReadStream(options.inputFile).on("error", reject).pipe(child.stdin);
    else child.stdin.end(options.input ?? "");
    const timer =
      options.timeoutMs === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), options.timeoutMs);
    child.once("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      resolve({
        code: code ?? 128 + (signalNumbers[signal ?? "SIGKILL"] ?? 0),
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString(),
      });
    });
  });
}

/** Runs a command that has to succeed and returns its standard output; throws with the last lines it wrote otherwise. */
export async function must(argv: readonly [string, ...string[]], options: RunOptions = {}): Promise<string> {
  const result = await run(argv, options);
  if (result.code === 0) return result.stdout;
  const said = (result.stderr.trim() || result.stdout.trim()).split("\n").slice(-15).join("\n");
  throw new Error(`${argv.join(" ")} ended with exit code ${result.code}:\n${said}`);
}

/**
 * The same command, ended with everything it has started as soon as this process ends, even by SIGKILL: in a PID namespace
 * whose first process dies with its parent. Only root can run it. Its mounts are its own as well.
 */
export function leashed(argv: readonly [string, ...string[]]): [string, ...string[]] {
  const leash = ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
  return ["setpriv", "--pdeathsig", "KILL", "unshare", ...leash, ...argv];
}

/** Waits so many milliseconds. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Asks again and again until the answer isn't undefined; throws what `failure` says after `timeoutMs`. */
export async function poll<T>(
  ask: () => T | undefined | Promise<T | undefined>,
  options: { timeoutMs: number; everyMs?: number; failure: () => string | Promise<string> },
): Promise<T> {
  const deadline = performance.now() + options.timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) throw new RehearsalError(await options.failure());
    await sleep(options.everyMs ?? 50);
  }
}
