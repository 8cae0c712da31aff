import { spawn, type ChildProcess } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import type { RehearsedStack } from "../../../rehearsal/stack";

/** A `pulumi up` that a test may end in the middle. */
export class RunningUp {
  output = "";
  private readonly waiting = new Set<() => void>();
  private readonly ended: Promise<number | NodeJS.Signals>;

  private constructor(private readonly child: ChildProcess) {
    const take = (chunk: Buffer): void => {
      this.output += chunk.toString();
      for (const look of this.waiting) look();
    };
    child.stdout?.on("data", take);
    child.stderr?.on("data", take);
    this.ended = new Promise((done, fail) => {
      child.once("error", fail);
      child.once("close", (code, signal) => {
        for (const look of this.waiting) look();
        done(code ?? signal ?? 1);
      });
    });
  }

  static start(stack: RehearsedStack): RunningUp {
    const { argv, cwd, env } = stack.command(["up", "--yes", "--skip-preview"]);
    const [file, ...args] = argv;
    return new RunningUp(spawn(file, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] }));
  }

  /** Waits until its output matches; throws when it ends before that. */
  async says(pattern: RegExp): Promise<void> {
    await new Promise<void>((done, fail) => {
      const look = (): void => {
        if (pattern.test(this.output)) done();
        else if (this.child.exitCode === null && this.child.signalCode === null) return;
        else fail(new Error(`It ended without saying ${String(pattern)}:\n${this.output}`));
        this.waiting.delete(look);
      };
      this.waiting.add(look);
      look();
    });
  }

  /** Ends the engine as the kernel does when memory is out, and waits until all that it had started is gone, too. */
  async killEngine(): Promise<void> {
    const started = descendants(this.child.pid ?? 0);
    this.child.kill("SIGKILL");
    await this.ended;
    const deadline = Date.now() + 20_000;
    while (started.some(isRunning)) {
      if (Date.now() > deadline)
        throw new Error(`Processes outlive the engine: ${started.filter(isRunning).join(" ")}`);
      await new Promise((done) => setTimeout(done, 50));
    }
  }

  /** Ends the engine and all that it has started in one moment, as a machine does that loses its power. */
  async powerCut(): Promise<void> {
    const started = descendants(this.child.pid ?? 0);
    for (const pid of [this.child.pid ?? 0, ...started]) {
      try {
        process.kill(pid, "SIGKILL");
      } catch (error) {
        // One that has just come to its own end.
        if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
      }
    }
    await this.ended;
  }

  /** Ends the ssh processes of its drivers, as a connection that breaks does. @returns how many there were */
  killSsh(): number {
    const found = descendants(this.child.pid ?? 0).filter((pid) => commandOf(pid).startsWith("ssh "));
    for (const pid of found) process.kill(pid, "SIGKILL");
    return found.length;
  }

  /** What Ctrl-C does. */
  interrupt(): void {
    this.child.kill("SIGINT");
  }

  end(): Promise<number | NodeJS.Signals> {
    return this.ended;
  }
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1");
  } catch {
    return "";
  }
}

const commandOf = (pid: number): string => read(pid, "cmdline").replaceAll("\0", " ");

/** Zombies, which nobody has asked for yet, run no more. */
const isRunning = (pid: number): boolean => /^\d+ \(.*\) [^ZX]/s.test(read(pid, "stat"));

/** All that a process has started, and what that has. proc_pid_stat(5): the parent is the 4th field. */
function descendants(root: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const parent = /^\d+ \(.*\) \S (\d+)/s.exec(read(Number(name), "stat"))?.[1];
    if (parent !== undefined) parents.set(Number(name), Number(parent));
  }
  const found: number[] = [];
  for (let next = [root]; next.length > 0;) {
    next = [...parents].filter(([, parent]) => next.includes(parent)).map(([pid]) => pid);
    found.push(...next);
  }
  return found;
}
