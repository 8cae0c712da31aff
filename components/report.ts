import { ResourceError, RunError } from "@pulumi/pulumi";
import { formatProblems, type Problem } from "./problems";

/**
 * All problems of a stack in one report. It is a `RunError`, so the engine prints its message without a stack trace and
 * ends with an exit code that isn't 0.
 */
export class ProblemReport extends RunError {
  constructor(problems: readonly Problem[], stack: string) {
    super(formatProblems(problems, stack));
    withoutFrames(this);
  }
}

/** An error that nobody foresaw, for the engine to print as it is. Those that Pulumi words itself stay what they are. */
export function unforeseen(error: unknown): unknown {
  const isWorded: boolean = RunError.isInstance(error) || ResourceError.isInstance(error);
  if (!(error instanceof Error) || isWorded) return error;
  return withoutFrames(
    new RunError(`This is a mistake of Homeport's own; please report it.\n${error.stack ?? error.message}`),
  );
}

/**
 * Nobody is shown the frames, but the SDK's handler colours them first, and on Node 20 that can take a minute of memory and
 * time before it gives up (pulumi/pulumi#21326).
 */
function withoutFrames<E extends Error>(error: E): E {
  error.stack = error.message;
  return error;
}
