import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { cacheFolder } from "../host/cache";
import { ensureMoto } from "../s3/moto";

/** A resource to look at, in CloudFormation's terms. */
export interface LintRequest {
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly region: string;
}

/** What is wrong with it. */
export interface Finding {
  /** Of https://github.com/aws-cloudformation/cfn-lint/blob/main/docs/rules.md */
  readonly rule: string;
  readonly path: readonly (string | number)[];
  readonly message: string;
}

interface Answer {
  readonly id: number;
  readonly findings?: readonly Finding[];
  readonly error?: string;
}

const script = join(__dirname, "lint.py");

/** The linter's process: one for as long as this process lives, started by the first request. */
let linter: Promise<Linter> | undefined;

class Linter {
  private next = 0;
  private readonly waiting = new Map<number, { resolve: (answer: Answer) => void; reject: (error: Error) => void }>();

  constructor(private readonly child: ChildProcess) {
    let said = "";
    child.stderr?.on("data", (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-2_000)));
    createInterface({ input: child.stdout! }).on("line", (line) => {
      const answer = JSON.parse(line) as Answer;
      this.waiting.get(answer.id)?.resolve(answer);
      this.waiting.delete(answer.id);
      this.rest();
    });
    const fail = (why: string): void => {
      for (const { reject } of this.waiting.values()) reject(new Error(`the linter of AWS resources ${why}: ${said}`));
      this.waiting.clear();
      linter = undefined;
    };
    child.once("error", (error) => {
      fail(`can't be started (${error.message})`);
    });
    child.once("close", (code) => {
      fail(`ended with exit code ${String(code)}`);
    });
    this.rest();
  }

  async ask(request: LintRequest): Promise<readonly Finding[]> {
    const id = this.next;
    this.next += 1;
    this.child.ref();
    const answer = await new Promise<Answer>((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.child.stdin?.write(`${JSON.stringify({ id, ...request })}\n`);
    });
    if (answer.findings === undefined) throw new Error(`the linter of AWS resources failed: ${answer.error ?? ""}`);
    return answer.findings;
  }

  /** Without requests it doesn't keep this process; it ends with it, as its standard input does. */
  private rest(): void {
    if (this.waiting.size === 0) this.child.unref();
  }
}

const environment = (): Promise<string> => ensureMoto((line) => process.stderr.write(`${line}\n`));

async function startLinter(): Promise<Linter> {
  const python = join(await environment(), "bin", "python");
  return new Linter(spawn(python, ["-I", script], { stdio: ["pipe", "pipe", "pipe"] }));
}

/** Resources that passed once need no second look: the same data give the same answer. */
async function verdictFile(request: LintRequest): Promise<string> {
  // moto brings cfn-lint along; its folder's name tells the versions of both.
  const versions = basename(await environment());
  const hash = createHash("sha256").update(readFileSync(script)).update(versions).update(JSON.stringify(request));
  return join(cacheFolder(), "rehearsal", "aws-lint", hash.digest("hex").slice(0, 24));
}

/**
 * What the linter finds. The first request takes some seconds, each other some hundredths, one that has passed before a
 * millisecond.
 */
export async function lintedBy(request: LintRequest): Promise<readonly Finding[]> {
  const file = await verdictFile(request);
  if (existsSync(file)) return [];
  linter ??= startLinter();
  const findings = await (await linter).ask(request);
  if (findings.length === 0) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, "");
  }
  return findings;
}
