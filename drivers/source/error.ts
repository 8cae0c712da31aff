import { oneLine, redact } from "./redact";

/** The four things a user needs to know; each becomes one line, with credentials in URLs blanked. */
export interface SourceErrorParts {
  /** What went wrong. */
  what: string;
  /** The source or the file concerned. */
  where: string;
  /** The cause, as far as it is known. */
  why: string;
  /** The command or the change that mends it. */
  fix: string;
}

/** A source that can't be used, told to the user. Carries no `cause`: one could print what is blanked here. */
export class SourceError extends Error implements SourceErrorParts {
  override readonly name = "SourceError";
  readonly what: string;
  readonly where: string;
  readonly why: string;
  readonly fix: string;

  constructor(parts: SourceErrorParts) {
    const clean = (text: string): string => oneLine(redact(text));
    const { what, where, why, fix } = {
      what: clean(parts.what),
      where: clean(parts.where),
      why: clean(parts.why),
      fix: clean(parts.fix),
    };
    super(`${what}\n  where: ${where}\n  why: ${why}\n  fix: ${fix}`);
    this.what = what;
    this.where = where;
    this.why = why;
    this.fix = fix;
  }
}

/** The `code` of a Node system error (`ENOENT`), else undefined. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
