import { ApiError, type Deadline } from "../../../drivers/http";
import type { Fly } from "../api/fly";

/** Milliseconds until a call is made anew that the client itself has tried several times already. */
const pauseMs = 10_000;

/** Whether a call failed of something that passes: Fly couldn't answer, or its answer was lost. */
const passes = (error: unknown): boolean => error instanceof ApiError && error.failure.kind !== "refused";

/**
 * Makes a call until Fly answers it: what is under way goes on, whether Fly can tell of it or not.
 * @param act may be done twice
 * @throws what Fly refuses it with, at once; the last failure once the deadline comes
 */
export async function patiently<T>(fly: Fly, deadline: Deadline, act: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (!passes(error) || !(await fly.client.pause(pauseMs, deadline))) throw error;
    }
  }
}
