import { setTimeout as sleep } from "node:timers/promises";
import type { Api } from "./api";

/** The code of an error that AWS answered with, else the error's name. */
export function codeOf(error: unknown): string {
  if (typeof error !== "object" || error === null) return "";
  const { Code, code, name } = error as { Code?: unknown; code?: unknown; name?: unknown };
  return [Code, name, code].find((each): each is string => typeof each === "string" && each !== "Error") ?? "";
}

const missing = /NotFound|NoSuch|NotFoundException|\.Unknown$|^404$/;

/** Whether AWS said that what was asked for isn't there. */
export const isMissing = (error: unknown): boolean => missing.test(codeOf(error));

/** The answer, or undefined where AWS says that there is none. */
export async function ifThere<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/**
 * Asks until the answer isn't undefined, more and more seldom.
 * @throws Error when the step's time is over or the engine wants to stop
 */
export async function waitFor<T>(
  api: Api,
  what: string,
  ask: () => Promise<T | undefined>,
): Promise<Exclude<T, undefined>> {
  for (let pause = 100; ; pause = Math.min(pause * 1.4, 5_000)) {
    const answer = await ask();
    if (answer !== undefined) return answer as Exclude<T, undefined>;
    if (Date.now() > api.deadline) throw new Error(`timeout while waiting until ${what}`);
    if (api.signal.aborted) throw new Error(`stopped while waiting until ${what}`);
    api.status(`waiting until ${what}`);
    await sleep(pause);
  }
}

/** Tries again, for at most two minutes, what AWS refuses because something made just before isn't known everywhere yet. */
export async function retry<T>(api: Api, pattern: RegExp, attempt: () => Promise<T>): Promise<T> {
  const end = Math.min(api.deadline, Date.now() + 120_000);
  for (let pause = 500; ; pause = Math.min(pause * 1.5, 5_000)) {
    try {
      return await attempt();
    } catch (error) {
      const said = `${codeOf(error)}: ${(error as Error).message}`;
      if (!pattern.test(said) || Date.now() > end || api.signal.aborted) throw error;
    }
    await sleep(pause);
  }
}

/** Does what removes something; that it is gone already is no failure. */
export async function removed(answer: Promise<unknown>): Promise<void> {
  await ifThere(answer);
}
