import { spawn } from "node:child_process";

/** How a process is run. */
export interface RunOptions {
  readonly cwd?: string;
  /** In place of this process's own environment. */
  readonly env?: NodeJS.ProcessEnv;
  /** Text for its standard input. Left out: nothing. */
  readonly input?: string;
  /** Milliseconds until it is killed. Without it there is no limit. */
  readonly timeout?: number;
  /** Takes each line that it prints, on either stream, as it comes. */
  readonly onLine?: (line: string) => void;
}

/** How a process ended. */
export interface RunResult {
  /** The exit code, or 128 where a signal or the time limit ended it, or 127 where it could not be started. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a process to its end, which this process's own end brings about too. It never throws for a failed one. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.env === undefined ? {} : { env: options.env }),
      ...(options.timeout === undefined ? {} : { timeout: options.timeout, killSignal: "SIGKILL" as const }),
    });
    const output = { stdout: "", stderr: "" };
    // One that ends without reading has said why by its exit code.
    child.stdin?.on("error", () => undefined).end(options.input);
    const stop = (): boolean => child.kill("SIGKILL");
    process.once("exit", stop);
    for (const stream of ["stdout", "stderr"] as const) {
      let rest = "";
      child[stream]?.setEncoding("utf8").on("data", (text: string) => {
        output[stream] += text;
        const lines = (rest + text).split("\n");
        rest = lines.pop() ?? "";
        if (options.onLine !== undefined) lines.forEach(options.onLine);
      });
    }
    const end = (code: number): void => {
      process.off("exit", stop);
      resolve({ code, ...output });
    };
    child.once("error", (error) => {
      output.stderr += error.message;
      end(127);
    });
    child.once("close", (code) => {
      end(code ?? 128);
    });
  });
}
