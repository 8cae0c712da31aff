import { randomBytes } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { shellQuote } from "../components/values/shell";
import { ensureEngine, type Engine } from "../engine";
import { RehearsalError, run, type Log, type RunResult } from "./host/run";
import { fillIn, type Filling } from "./stackFile";

const checkout = resolve(__dirname, "..");

/** Where a rehearsed stack keeps what `pulumi` needs: its state, its configuration and its passphrase. */
export interface RehearsedOptions {
  /** A private folder, made if missing. */
  readonly folder: string;
  /** The stack's name, `prod`; its committed file is what the rehearsal starts from. */
  readonly stack: string;
  readonly log: Log;
  /** The project whose program and stack file are run. @default this checkout */
  readonly program?: string;
}

/** How a call of `pulumi` is made. */
export interface CallOptions {
  /** Takes each line as it comes. */
  readonly onLine?: Log;
  readonly input?: string;
  /** @default 20 minutes */
  readonly timeoutMs?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** A value for the stack: plain, or secret by `{ secret }`; `undefined` takes the stack file's own away. */
export type RehearsedValue = string | { readonly secret: string } | { readonly json: unknown } | undefined;

/**
 * The project's own stack, run by the real engine with a state and a configuration file of the rehearsal: the committed
 * stack file as it is, and on top of it the endpoints and credentials of what stands in for the outside.
 */
export class RehearsedStack {
  private constructor(
    readonly engine: Engine,
    private readonly options: RehearsedOptions,
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  /** Prepares the engine and the stack; finds an earlier run's state in the same folder. */
  static async open(options: RehearsedOptions): Promise<RehearsedStack> {
    const { folder, stack, log } = options;
    const state = join(folder, "state");
    mkdirSync(state, { recursive: true, mode: 0o700 });
    const engine = await ensureEngine({ log });
    const passphrase = join(folder, "passphrase");
    if (!existsSync(passphrase)) writeFileSync(passphrase, randomBytes(24).toString("base64url"), { mode: 0o600 });
    // With the files of metadata, which the engine writes in place, a run that is killed may leave a state that can't be read.
    const backend = `file://${state}?metadata=skip`;
    // Several rehearsals of one checkout build images for stacks of one name at once.
    const contexts = { HOMEPORT_CONTEXTS: resolve(folder, "contexts") };
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      ...engine.env,
      ...contexts,
      PULUMI_BACKEND_URL: backend,
      PULUMI_CONFIG_PASSPHRASE: readFileSync(passphrase, "utf8"),
      PULUMI_SKIP_CONFIRMATIONS: "true",
      NO_COLOR: "1",
    };
    const shell = {
      ...engine.env,
      ...contexts,
      PULUMI_BACKEND_URL: backend,
      PULUMI_CONFIG_PASSPHRASE_FILE: passphrase,
      PULUMI_STACK: stack,
    };
    writeFileSync(join(folder, "env"), exportLines(shell), { mode: 0o600 });
    const rehearsed = new RehearsedStack(engine, options, env);
    const committed = join(rehearsed.program, `Pulumi.${stack}.yaml`);
    if (!existsSync(rehearsed.configFile) && existsSync(committed)) copyFileSync(committed, rehearsed.configFile);
    // A project file of the rehearsal's own: the engine writes a new stack's salt next to it, not into the checkout.
    const projectFile = readFileSync(join(rehearsed.program, "Pulumi.yaml"), "utf8");
    writeFileSync(join(folder, "Pulumi.yaml"), `${projectFile}main: ${relative(folder, rehearsed.program)}\n`);
    await rehearsed.must(["stack", "select", "--create", stack]);
    return rehearsed;
  }

  /** Shell text in this file gives a person's shell the engine and this stack: `. <file>`. */
  get environmentFile(): string {
    return join(this.options.folder, "env");
  }

  get configFile(): string {
    return join(this.options.folder, `Pulumi.${this.options.stack}.yaml`);
  }

  private get program(): string {
    return this.options.program ?? checkout;
  }

  /** Runs `pulumi` on this stack and returns how it ended, whatever that is. */
  async pulumi(args: readonly string[], options: CallOptions = {}): Promise<RunResult> {
    const { argv, cwd, env } = this.command(args);
    return run(argv, {
      cwd,
      env: { ...env, ...options.env },
      timeoutMs: options.timeoutMs ?? 20 * 60_000,
      ...(options.onLine === undefined ? {} : { onLine: options.onLine }),
      ...(options.input === undefined ? {} : { input: options.input }),
    });
  }

  /** The environment and arguments by which a test may start `pulumi` itself, to end it in the middle. */
  command(args: readonly string[]): { argv: [string, ...string[]]; env: NodeJS.ProcessEnv; cwd: string } {
    const onStack = args[0] === "stack" && args[1] === "select" ? [] : ["--stack", this.options.stack];
    return {
      argv: [this.engine.pulumi, ...args, ...onStack, "--non-interactive"],
      env: this.env,
      cwd: this.options.folder,
    };
  }

  up(options: CallOptions = {}): Promise<RunResult> {
    return this.pulumi(["up", "--yes", "--skip-preview", "--suppress-outputs"], options);
  }

  preview(options: CallOptions = {}): Promise<RunResult> {
    return this.pulumi(["preview", "--diff"], options);
  }

  destroy(options: CallOptions = {}): Promise<RunResult> {
    return this.pulumi(["destroy", "--yes", "--skip-preview"], options);
  }

  async outputs<T>(): Promise<T> {
    return JSON.parse((await this.must(["stack", "output", "--json"])).stdout) as T;
  }

  /** Sets many values in one call, and takes away those that are undefined. */
  async configure(values: Readonly<Record<string, RehearsedValue>>): Promise<void> {
    const set: string[] = [];
    const words = new Map<string, Filling>();
    for (const [key, value] of Object.entries(values)) {
      if (value === undefined) {
        await this.pulumi(["config", "rm", key]);
        continue;
      }
      const word = typeof value === "string" ? value : `filled-in-${randomBytes(8).toString("hex")}`;
      if (typeof value !== "string") words.set(word, value);
      set.push("--plaintext", `${key}=${word}`);
    }
    if (set.length > 0) await this.must(["config", "set-all", ...set]);
    if (words.size > 0) fillIn(this.configFile, this.env["PULUMI_CONFIG_PASSPHRASE"] ?? "", words);
  }

  /** Sets plain values within maps and lists, `ec2:instances.main.type`; what else the stack file has there stays. */
  async configurePaths(values: Readonly<Record<string, string>>): Promise<void> {
    const pairs = Object.entries(values).flatMap(([path, value]) => ["--plaintext", `${path}=${value}`]);
    if (pairs.length > 0) await this.must(["config", "set-all", "--path", ...pairs]);
  }

  private async must(args: readonly string[]): Promise<RunResult> {
    const result = await this.pulumi(args);
    if (result.code === 0) return result;
    throw new RehearsalError(
      `\`pulumi ${args.slice(0, 2).join(" ")}\` ended with code ${result.code}:\n${(result.stderr + result.stdout).trim()}`,
    );
  }
}

/** Text that a shell reads to have these variables. */
function exportLines(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .map(([name, value]) => `export ${name}=${shellQuote(value)}\n`)
    .join("");
}

/** What an `up` did, read from its summary: how many resources were created, updated, deleted or left unchanged. */
export function countsOf(output: string): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const [, number = "0", what = ""] of output.matchAll(
    /^\s+[+~-]{0,2}\s*(\d+) (created|updated|deleted|replaced|unchanged)$/gm,
  )) {
    counts[what] = Number(number);
  }
  return counts;
}
