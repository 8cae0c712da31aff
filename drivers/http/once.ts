import { isUnknown } from "./error";
import type { Client } from "./client";
import type { Deadline } from "./world";

export interface Once<T> {
  /** Asks for it, not idempotently. */
  readonly create: () => Promise<T>;
  /** Looks for it by its own tag or name. */
  readonly find: () => Promise<T | undefined>;
  readonly deadline: Deadline;
}

/** Milliseconds between looks after an answer was lost: what was just made isn't seen everywhere at once. */
const looks = [500, 1_500, 4_000];

/** How often it is asked for, where neither an answer comes nor anything is found. */
const tries = 4;

/**
 * Makes something exactly once although answers get lost: after a call that may have been acted on, it looks for the thing,
 * several times, before it asks again.
 * @throws ApiError as `create` does, of kind `unknown` only after the last try
 */
export async function createOnce<T>(client: Client, { create, find, deadline }: Once<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await create();
    } catch (error) {
      if (!isUnknown(error)) throw error;
      for (const wait of looks) {
        if (!(await client.pause(wait, deadline))) throw error;
        const found = await find();
        if (found !== undefined) return found;
      }
      if (attempt >= tries) throw error;
    }
  }
}
