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

/** The end of a sentence about a wrong name: `; did you mean "ports"?`, or the full stop alone. */
export function didYouMean(near: string | undefined): string {
  return near === undefined ? "." : `; did you mean "${near}"?`;
}

/** Each problem once, in the order in which they were found: services that share a variable share its problem. */
export function distinct(problems: readonly Problem[]): Problem[] {
  return [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()];
}

/** The text of a report. */
export function formatProblems(problems: readonly Problem[], stack: string): string {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  const lines = [`Stack ${stack} can't be deployed: ${count}. Nothing was touched.`];
  for (const [index, problem] of problems.entries()) {
    lines.push("", `${index + 1}. ${problem.where}: ${problem.what}`);
    if (problem.why !== undefined) lines.push(`   why: ${problem.why}`);
    lines.push(`   fix: ${problem.fix}`);
  }
  return lines.join("\n");
}
