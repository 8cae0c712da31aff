import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../engine/process";

/** One step of a job. */
export interface WorkflowStep {
  readonly name?: string;
  readonly if?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly shell?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
}

export interface WorkflowJob {
  readonly if?: string;
  readonly needs?: string | readonly string[];
  readonly environment?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly concurrency?: { readonly group: string; readonly "cancel-in-progress": boolean };
  readonly strategy?: {
    readonly matrix: { readonly include: readonly { readonly stack: string; readonly role: string }[] };
  };
  readonly "timeout-minutes"?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly steps: readonly WorkflowStep[];
}

export interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions: Readonly<Record<string, string>>;
  readonly concurrency?: { readonly group: string; readonly "cancel-in-progress": boolean };
  readonly jobs: Readonly<Record<string, WorkflowJob>>;
}

export const gitHubFolder = join(__dirname, "..", "..", ".github");

const yaml = createRequire(__filename)("js-yaml") as { readonly load: (text: string) => unknown };

/** A file below .github, parsed. */
export const readYaml = (...path: readonly string[]): unknown =>
  yaml.load(readFileSync(join(gitHubFolder, ...path), "utf8"));

/** The workflow of a name, `preview`. */
export const workflow = (name: string): Workflow => readYaml("workflows", `${name}.yml`) as Workflow;

/** The job of a workflow, which has to be there. */
export function jobOf(name: string, job: string): WorkflowJob {
  const found = workflow(name).jobs[job];
  assert.ok(found !== undefined, `${name}.yml has no job ${job}`);
  return found;
}

/** Values of expressions, by their dotted names: `github.event.pull_request.number`. What isn't given is empty, as in Actions. */
export type Values = Readonly<Record<string, string>>;

/** Puts values in the place of `${{ a.b }}`. Expressions that are more than a name have to be given whole. */
export const evaluated = (text: string, values: Values): string =>
  text.replaceAll(/\$\{\{\s*(.*?)\s*\}\}/g, (_, expression: string) => {
    assert.match(expression, /^[\w.-]+$/, "only names are evaluated here");
    return values[expression] ?? "";
  });

/** What a runner is to a job: where its checkout is, and what it gives to each step. */
export interface Runner {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly values: Values;
}

/** How a job's steps ended. */
export interface StepsEnded {
  readonly code: number;
  /** Both streams of all steps. */
  readonly log: string;
  /** GITHUB_STEP_SUMMARY of all steps. */
  readonly summary: string;
}

/**
 * Runs the commands of a job as a runner does: by `bash -e` from a file, each with the job's variables and its own, until one
 * fails. Actions aren't run.
 */
export async function runSteps(job: WorkflowJob, { cwd, env, values }: Runner): Promise<StepsEnded> {
  const folder = mkdtempSync(join(tmpdir(), "homeport-steps-"));
  const summary = join(folder, "summary");
  writeFileSync(summary, "");
  const given = (variables: Readonly<Record<string, string>> = {}): Record<string, string> =>
    Object.fromEntries(Object.entries(variables).map(([name, text]) => [name, evaluated(text, values)]));
  let log = "";
  try {
    for (const step of job.steps.filter((one) => one.run !== undefined)) {
      const script = join(folder, "step.sh");
      writeFileSync(script, step.run ?? "");
      const shown = { ...env, GITHUB_STEP_SUMMARY: summary, ...given(job.env), ...given(step.env) };
      const { code, stdout, stderr } = await run("bash", ["-e", script], { cwd, env: shown, timeout: 180_000 });
      log += stdout + stderr;
      if (code !== 0) return { code, log, summary: readFileSync(summary, "utf8") };
    }
    return { code: 0, log, summary: readFileSync(summary, "utf8") };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
