import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Engine } from "../../engine";

const launcher = path.resolve(__dirname, "../../bin/homeport");

/** How a call of the CLI ended. */
export interface Outcome {
  readonly code: number | null;
  /** Both streams, in the order in which they came. */
  readonly output: string;
}

/** A Pulumi program in a folder of its own, with a file backend beside it. */
export class TinyProgram {
  readonly folder = realpathSync(mkdtempSync(path.join(tmpdir(), "homeport-tiny-")));

  constructor(
    private readonly engine: Engine,
    source: string,
  ) {
    mkdirSync(this.path("state"));
    symlinkSync(path.join(__dirname, "..", "..", "node_modules"), this.path("node_modules"));
    const options = { target: "ES2022", module: "commonjs", noCheck: true };
    writeFileSync(this.path("Pulumi.yaml"), "name: tiny\nruntime: nodejs\nmain: index.ts\n");
    writeFileSync(this.path("package.json"), JSON.stringify({ name: "tiny" }));
    writeFileSync(this.path("tsconfig.json"), JSON.stringify({ compilerOptions: options }));
    writeFileSync(this.path("index.ts"), source);
  }

  /** A path in the program's folder. */
  path(name: string): string {
    return path.join(this.folder, name);
  }

  /** What is in a file, or nothing where there is none. */
  read(name: string): string {
    try {
      return readFileSync(this.path(name), "utf8");
    } catch {
      return "";
    }
  }

  /** Starts the CLI in the program's folder. */
  start(...args: string[]): { child: ChildProcess; ended: Promise<Outcome> } {
    return this.launch(this.engine.pulumi, args);
  }

  /** Runs the `homeport` command on the stack dev to its end. */
  homeport(...args: string[]): Promise<Outcome> {
    return this.launch(launcher, [...args, "--cwd", this.folder, "--stack", "dev"]).ended;
  }

  private launch(file: string, args: readonly string[]): { child: ChildProcess; ended: Promise<Outcome> } {
    const child = spawn(file, args, {
      cwd: this.folder,
      env: {
        ...process.env,
        ...this.engine.env,
        // The engine writes its files of metadata in place: one that is killed meanwhile leaves a state that can't be read.
        PULUMI_BACKEND_URL: `file://${this.path("state")}?metadata=skip`,
        PULUMI_CONFIG_PASSPHRASE: "correct horse",
        TINY: this.folder,
      },
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
      });
    }
    const ended = once(child, "close").then(([code]) => ({ code: code as number | null, output }));
    return { child, ended };
  }

  /** Runs the CLI to its end. */
  run(...args: string[]): Promise<Outcome> {
    return this.start(...args).ended;
  }

  /** Runs `pulumi up` without its preview and without questions. */
  up(): Promise<Outcome> {
    return this.run("up", "--yes", "--skip-preview", "--non-interactive");
  }

  /** The command lines of the processes that have this program's folder in their environment. */
  processes(): string[] {
    return this.pids().flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim()];
      } catch {
        return [];
      }
    });
  }

  /** A zombie's environment is empty, so that none is among them. */
  private pids(): string[] {
    return readdirSync("/proc").filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, "utf8").includes(`TINY=${this.folder}\0`);
      } catch {
        return false;
      }
    });
  }

  /** Ends what still runs and removes the folder. */
  async remove(): Promise<void> {
    for (const pid of this.pids()) process.kill(Number(pid), "SIGKILL");
    await eventually(() => this.pids().length === 0, "processes of the program can't be ended");
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Waits until something holds, for at most twenty seconds. */
export async function eventually(holds: () => boolean, otherwise: string): Promise<void> {
  const end = Date.now() + 20_000;
  while (!holds()) {
    if (Date.now() > end) throw new Error(otherwise);
    await sleep(50);
  }
}
