import { isUnknown } from "./error";
import type { Client } from "./client";
import type { Deadline } from "./world";

export interface Once<T> {
  /** Asks for it, not idempotently. */
  readonly create: () => Promise<T>;
  /** Looks for it by its own tag or name. */
  readonly find: () => Promise<T | undefined>;
  readonly deadline: Deadline;
  /** Seconds for which it is looked for after an answer was lost. @default 6 */
  readonly lookSeconds?: number;
  /**
   * Left out: what isn't found is asked for again, up to four times. Given, for what there would then be two of: it isn't, and
   * this is thrown instead.
   */
  readonly notAgain?: (lost: Error) => Error;
}

/** Milliseconds between looks after an answer was lost: what was just made isn't seen everywhere at once. */
const looks = [500, 1_500, 4_000];
const lateLook = 15_000;

/** The waits of so many seconds in all: as usual first, and then at even times. */
function waitsOf(seconds: number | undefined): readonly number[] {
  if (seconds === undefined) return looks;
  const waits: number[] = [];
  for (let left = seconds * 1_000; left > 0;) {
    const wait = Math.min(left, looks[waits.length] ?? lateLook);
    waits.push(wait);
    left -= wait;
  }
  return waits;
}

/** How often it is asked for, where neither an answer comes nor anything is found. */
const tries = 4;

/**
 * Makes something exactly once although answers get lost: after a call that may have been acted on, it looks for the thing,
 * several times, before it asks again.
 * @throws ApiError as `create` does, of kind `unknown` only after the last try; what `notAgain` gives, where it is given
 */
export async function createOnce<T>(client: Client, once: Once<T>): Promise<T> {
  const { create, find, deadline, lookSeconds, notAgain } = once;
  for (let attempt = 1; ; attempt++) {
    try {
      return await create();
    } catch (error) {
      if (!isUnknown(error)) throw error;
      const end = notAgain?.(error) ?? error;
      for (const wait of waitsOf(lookSeconds)) {
        if (!(await client.pause(wait, deadline))) throw end;
        // Where a look fails, too, that it may be there already is what a person has to know.
        const found = await (notAgain === undefined ? find() : find().catch(() => undefined));
        if (found !== undefined) return found;
      }
      if (notAgain !== undefined || attempt >= tries) throw end;
    }
  }
}
