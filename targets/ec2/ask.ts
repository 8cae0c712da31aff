import { RunError } from "@pulumi/pulumi";
import { describeError } from "../../drivers/error";

/**
 * Waits for an answer of AWS through the provider. What AWS refuses is told as one report, without a stack trace.
 * @param where the configuration that led to the question
 * @throws RunError, which the engine prints as it is
 */
export async function ask<T>(answer: Promise<T>, where: string, what: string, fix: string): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    const why = describeError(error)
      .split("\n")[0]
      ?.replace(/^.*returned an error: (?:.*invoking \S+: )?/, "");
    throw refusal({ where, what, why: why ?? "", fix });
  }
}

/** What keeps a stack from being deployed that only AWS could tell. */
export function refusal({ where, what, why, fix }: Record<"where" | "what" | "why" | "fix", string>): RunError {
  const error = new RunError(`${where}: ${what}\n  why: ${why}\n  fix: ${fix}`);
  // As in ProblemReport: nobody is shown the frames, and colouring them takes long.
  error.stack = error.message;
  return error;
}
