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

/**
 * Each problem once, in the order in which they were found: services that share a variable share its problem, and apps that lack one
 * key, for one reason and with one fix, are told together.
 */
export function distinct(problems: readonly Problem[]): Problem[] {
  const groups = new Map<string, Problem[]>();
  for (const problem of problems) {
    const key = JSON.stringify([problem.where, problem.why, problem.fix]);
    groups.set(key, [...(groups.get(key) ?? []), problem]);
  }
  return [...groups.values()].flatMap((group) => {
    const whats = [...new Set(group.map(({ what }) => what))];
    const [first] = group;
    const together = whats.length === 1 ? whats[0] : oneSentence(whats);
    if (first !== undefined && together !== undefined) return [{ ...first, what: together }];
    return whats.flatMap((what) => group.find((one) => one.what === what) ?? []);
  });
}

/** Sentences that differ in one word, as one with all of these words: `catscan's and hotrod's`. Undefined for others. */
function oneSentence(sentences: readonly string[]): string | undefined {
  const all = sentences.map((sentence) => sentence.split(" "));
  const [first = []] = all;
  const at = first.findIndex((word, index) => all.some((words) => words[index] !== word));
  const rest = (words: readonly string[]): string => JSON.stringify([words.slice(0, at), words.slice(at + 1)]);
  if (at < 0 || all.some((words) => rest(words) !== rest(first))) return undefined;
  const differing = all.map((words) => words[at] ?? "").sort();
  const joined = `${differing.slice(0, -1).join(", ")} and ${differing.at(-1) ?? ""}`;
  return [...first.slice(0, at), joined, ...first.slice(at + 1)].join(" ");
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
