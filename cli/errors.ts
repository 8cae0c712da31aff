import { DriverError, Interrupted } from "../drivers/error";
import { SourceError } from "../drivers/source";
import { EngineError } from "../engine/error";
import type { Problem } from "../components/problems";

/** A command line that can't be understood. Ends the command with code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  constructor(
    message: string,
    /** The command that shows what is right. */
    readonly see = "homeport --help",
  ) {
    super(message);
  }
}

/** What an app lacks in the stack's configuration. */
export class ConfigProblems extends Error {
  override readonly name = "ConfigProblems";
  constructor(stack: string, problems: readonly Problem[], head = `Stack ${stack} isn't configured for this.`) {
    super([head, ...problems.map(problemText)].join("\n"));
  }
}

/** An app whose file throws. */
export const brokenApp = (stack: string, name: string, problem: Problem): ConfigProblems =>
  new ConfigProblems(stack, [problem], `The file of ${name} has a mistake, so that nothing is known of it.`);

/** A problem as the command tells it. */
export function problemText({ where, what, why, fix }: Problem): string {
  return [`${where}: ${what}`, ...(why === undefined ? [] : [`  why: ${why}`]), `  fix: ${fix}`].join("\n");
}

/** A file in apps/ that can't be loaded, so that no app is known. */
export class BrokenApps extends Error {
  override readonly name = "BrokenApps";
  constructor({ where, what, fix }: Problem) {
    super(`${where}: ${what}\n  fix: ${fix}`);
  }
}

/** What a person reads of anything that was thrown, and the exit code that it means. */
export function explainError(error: unknown): { readonly text: string; readonly code: number } {
  if (error instanceof UsageError) return { text: `${error.message}\n  fix: ${error.see}`, code: 2 };
  if (error instanceof Interrupted) return { text: error.message, code: 130 };
  const told = [BrokenApps, ConfigProblems, DriverError, EngineError, SourceError].some(
    (kind) => error instanceof kind,
  );
  if (error instanceof Error && told) return { text: error.message, code: 1 };
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { text: `This is a mistake of Homeport's own; please report it.\n${text}`, code: 1 };
}
