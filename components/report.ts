import { RunError } from "@pulumi/pulumi";
import { formatProblems, type Problem } from "./problems";

/**
 * All problems of a stack in one report. It is a `RunError`, so the engine prints its message without a stack trace and
 * ends with an exit code that isn't 0.
 */
export class ProblemReport extends RunError {
  constructor(problems: readonly Problem[], stack: string) {
    super(formatProblems(problems, stack));
    // Nobody is shown the frames, but the SDK's handler colours them first, and on Node 20 that can take a minute of
    // memory and time before it gives up (pulumi/pulumi#21326).
    this.stack = this.message;
  }
}
