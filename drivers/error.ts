/** The four things a person needs to know of a failure; each becomes one line. */
export interface DriverErrorParts {
  /** What went wrong: `The host can't be reached.` */
  readonly what: string;
  /** The host, platform resource or file concerned. */
  readonly where: string;
  /** The cause, as far as it is known. */
  readonly why: string;
  /** The command or the change that mends it. */
  readonly fix: string;
}

/** A failure that is told to a person without a stack trace. Holds no secret. */
export class DriverError extends Error {
  override readonly name = "DriverError";

  constructor(readonly parts: DriverErrorParts) {
    const { what, where, why, fix } = parts;
    super(`${what}\n  where: ${where}\n  why: ${why}\n  fix: ${fix}`);
  }
}

/** A run that was ended from outside: by a signal, or by the engine. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  constructor() {
    super("The run was ended before it was done; the next one takes up where it stopped.");
  }
}

/** The classes of errors that are meant for people, by name: each part of the project has its own. */
const forPeople = new Set(["DriverError", "SourceError", "BucketError", "Interrupted"]);

/** What a person is shown of anything that was thrown. */
export function describeError(error: unknown, debug = process.env.HOMEPORT_DEBUG === "1"): string {
  if (!(error instanceof Error)) return String(error);
  if (debug && error.stack !== undefined) return error.stack;
  if (forPeople.has(error.name)) return error.message;
  return (
    `${error.message}\n  where: Homeport's own code\n  why: it met something that it wasn't written for\n` +
    "  fix: run it again; if it stays, run it with HOMEPORT_DEBUG=1 and report what it prints"
  );
}
