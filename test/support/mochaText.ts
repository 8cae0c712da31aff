/** What mocha's spec reporter says of a run. */
export interface MochaText {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** The full names of the tests and hooks that failed, each a line, in their order. */
  readonly failures: readonly string[];
}

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

function failuresOf(output: string): string[] {
  const details = /^ {2}\d+ failing$([^]*)/m.exec(output)?.[1] ?? "";
  // A test's suites are a line each above its own, which ends with a colon; what went wrong follows.
  return [...details.matchAll(/^ {2}\d+\) ([^]*?):\n/gm)].map(([, name = ""]) =>
    name
      .split("\n")
      .map((line) => line.trim())
      .join(" › "),
  );
}
