import { RunError } from "@pulumi/pulumi";

/**
 * Waits for an answer of AWS through the provider. What AWS refuses is told as one report, without a stack trace.
 * @param where the configuration that led to the question
 * @throws RunError, which the engine prints as it is
 */
export async function ask<T>(answer: Promise<T>, where: string, what: string, fix: string): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw refusal({ where, what, why: plainWhy(error), fix });
  }
}

/** The provider's own words, without those that the engine and its SDK put around them. */
function plainWhy(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text
    .replace(/^[^]*returned an error: (?:invoking \S+: )?/, "")
    .replace(/\d+ errors? occurred:/, "")
    .split(/[\s*]*\n[\s*]*/)
    .filter((line) => line.trim() !== "")
    .join("; ")
    .trim();
}

/** What keeps a stack from being deployed that only AWS could tell. */
export function refusal({ where, what, why, fix }: Record<"where" | "what" | "why" | "fix", string>): RunError {
  const error = new RunError(`${where}: ${what}\n  why: ${why}\n  fix: ${fix}`);
  // As in ProblemReport: nobody is shown the frames, and colouring them takes long.
  error.stack = error.message;
  return error;
}
