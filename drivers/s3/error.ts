/** The four things a user needs to know; each becomes one line. */
export interface BucketErrorParts {
  readonly what: string;
  readonly where: string;
  readonly why: string;
  readonly fix: string;
}

/** A bucket that can't be as it was asked for, told to the user. Holds no key and no secret. */
export class BucketError extends Error {
  override readonly name = "BucketError";

  constructor(readonly parts: BucketErrorParts) {
    const { what, where, why, fix } = parts;
    super(`${what}\n  where: ${where}\n  why: ${why}\n  fix: ${fix}`);
  }
}
