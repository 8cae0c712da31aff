import { RunError } from "@pulumi/pulumi";

/** One thing that keeps a stack from being deployed, told so that a person can mend it without reading code. */
export interface Problem {
  /** What is wrong, one sentence: `ANTHROPIC_API_KEY has no value.` */
  readonly what: string;
  /** Where: an app and a field of it (`hotrod.web.volume`) or a configuration key (`vps:hosts`). */
  readonly where: string;
  /** Why it matters, one sentence. Left out where `what` says it all. */
  readonly why?: string;
  /** The command or edit that mends it. */
  readonly fix: string;
}

/**
 * All problems of a stack in one report. It is a `RunError`, so the engine prints its message without a stack trace and
 * ends with an exit code that isn't 0.
 */
export class ProblemReport extends RunError {
  constructor(
    readonly problems: readonly Problem[],
    stack: string,
  ) {
    super(formatProblems(problems, stack));
  }
}

/** The text of a report: problems grouped by place, in the order in which they were found, each once. */
export function formatProblems(problems: readonly Problem[], stack: string): string {
  const unique = [...new Map(problems.map((p) => [JSON.stringify(p), p])).values()];
  const count = unique.length === 1 ? "1 problem" : `${unique.length} problems`;
  const lines = [`Stack ${stack} can't be deployed: ${count}. Nothing was touched.`];
  for (const [index, problem] of unique.entries()) {
    lines.push("", `${index + 1}. ${problem.where}: ${problem.what}`);
    if (problem.why !== undefined) lines.push(`   why: ${problem.why}`);
    lines.push(`   fix: ${problem.fix}`);
  }
  return lines.join("\n");
}
