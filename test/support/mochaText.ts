/** What mocha's spec reporter says of a run. */
export interface MochaText {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** The tests and hooks that failed, in their order. */
  readonly failures: readonly Failure[];
}

export interface Failure {
  /** With all its suites, on one line. */
  readonly name: string;
  /** The first lines of what was wrong, without a stack trace. */
  readonly why: readonly string[];
}

/** Enough to know what to look for, where a run is long and its output is far above. */
const whyLines = 8;

/** Reads the output of mocha's spec reporter. All counts are 0 where it holds none: it broke off, or isn't mocha's. */
export function readMocha(output: string): MochaText {
  const count = (word: string): number => Number(new RegExp(`^ {2}(\\d+) ${word}\\b`, "m").exec(output)?.[1] ?? 0);
  return {
    passed: count("passing"),
    failed: count("failing"),
    skipped: count("pending"),
    failures: failuresOf(output),
  };
}

function failuresOf(output: string): Failure[] {
  const details = /^ {2}\d+ failing$([^]*)/m.exec(output)?.[1] ?? "";
  // A test's suites are a line each above its own, which ends with a colon; what went wrong follows.
  return [...details.matchAll(/^ {2}\d+\) ([^]*?):\n([^]*?)(?=^ {2}\d+\) |(?![^]))/gm)].map(
    ([, name = "", why = ""]) => ({
      name: linesOf(name).join(" › "),
      why: linesOf(why)
        .filter((line) => line !== "" && !line.startsWith("at "))
        .slice(0, whyLines),
    }),
  );
}

const linesOf = (text: string): string[] => text.split("\n").map((line) => line.trim());
