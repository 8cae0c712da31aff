import type { DriverError } from "../../../drivers/error";
import type { Run } from "./run";

/** Seconds for which a thing is looked for after the answer that told of it was lost. */
export const lookSeconds = 120;

/**
 * What is told where an answer was lost, and nothing of the name is listed: Railway takes two of one name, so it isn't asked for
 * again in this run.
 * @param what as people call it: `service api`
 */
export const lostIn =
  (run: Run, what: string) =>
  (lost: Error): DriverError =>
    run.error(
      `It isn't known whether ${what} was made.`,
      `Railway's answer was lost, and it isn't listed ${lookSeconds} s later: ${lost.message.split("\n")[0] ?? ""}`,
      "pulumi up, which looks for it before it makes another",
    );
