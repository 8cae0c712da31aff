import { spawn, type ChildProcess } from "node:child_process";
import { join, resolve } from "node:path";
import type { World } from "./world";

const launcher = resolve(__dirname, "../../../bin/homeport");

export interface Answered {
  readonly code: number | NodeJS.Signals;
  readonly stdout: string;
  readonly stderr: string;
}

/** One running `homeport`. */
export class RunningCli {
  stdout = "";
  stderr = "";
  readonly ended: Promise<Answered>;
  private readonly waiting = new Set<() => void>();

  constructor(readonly child: ChildProcess) {
    child.stdout?.on("data", (chunk: Buffer) => {
      this.stdout += chunk.toString();
      for (const look of this.waiting) look();
    });
    child.stderr?.on("data", (chunk: Buffer) => {
      this.stderr += chunk.toString();
      for (const look of this.waiting) look();
    });
    child.stdin?.on("error", () => undefined);
    this.ended = new Promise((done, fail) => {
      child.once("error", fail);
      child.once("close", (code, signal) => {
        done({ code: code ?? signal ?? 1, stdout: this.stdout, stderr: this.stderr });
        for (const look of this.waiting) look();
      });
    });
  }

  /** Waits until what it has printed matches; throws when it ends before that. */
  async says(pattern: RegExp): Promise<void> {
    await new Promise<void>((done, fail) => {
      const look = (): void => {
        if (pattern.test(this.stdout + this.stderr)) done();
        else if (this.child.exitCode === null && this.child.signalCode === null) return;
        else fail(new Error(`It ended without saying ${String(pattern)}:\n${this.stdout}${this.stderr}`));
        this.waiting.delete(look);
      };
      this.waiting.add(look);
      look();
    });
  }
}

/** `homeport` against a world's first stack. Remembers all that it ever printed. */
export class Cli {
  private printed = "";
  private readonly running = new Set<RunningCli>();

  constructor(private readonly world: Pick<World, "stack" | "stackFolder">) {}

  /** Everything printed by the calls that have ended. */
  get output(): string {
    return this.printed;
  }

  /** Starts a call; its stdin stays open unless `input` is given. */
  start(args: readonly string[], input?: string): RunningCli {
    return this.launch(launcher, ["--cwd", this.world.stackFolder, "--stack", "prod", ...args], input);
  }

  /** Starts a call at a terminal of its own (script(1)): its stdin is the keyboard. */
  startAtTerminal(args: readonly string[]): RunningCli {
    const quoted = [launcher, "--cwd", this.world.stackFolder, "--stack", "prod", ...args].map(
      (word) => `'${word.replaceAll("'", `'\\''`)}'`,
    );
    return this.launch("script", ["--quiet", "--return", "--command", quoted.join(" "), "/dev/null"]);
  }

  private launch(file: string, args: readonly string[], input?: string): RunningCli {
    const { env } = this.world.stack.command([]);
    const cli = new RunningCli(spawn(file, args, { env, stdio: ["pipe", "pipe", "pipe"] }));
    if (input !== undefined) cli.child.stdin?.end(input);
    this.running.add(cli);
    void cli.ended.then(({ stdout, stderr }) => {
      this.printed += stdout + stderr;
      this.running.delete(cli);
    });
    return cli;
  }

  /** Makes a call to its end. */
  call(args: readonly string[], input = ""): Promise<Answered> {
    return this.start(args, input).ended;
  }

  /** Makes a call that has to end with 0. @returns what it printed to stdout */
  async must(args: readonly string[], input = ""): Promise<string> {
    const { code, stdout, stderr } = await this.call(args, input);
    if (code !== 0) throw new Error(`homeport ${args.join(" ")} ended with ${code}:\n${stdout}${stderr}`);
    return stdout;
  }

  /** Ends what a failed test has left running. */
  stop(): void {
    for (const { child } of this.running) child.kill("SIGKILL");
  }
}

/** A file of a stack's folder. */
export const inStack = (world: World, name: string): string => join(world.stackFolder, name);
