import { setTimeout as sleep } from "node:timers/promises";

/** What a client needs from outside, all of which tests can set. */
export interface World {
  /** Milliseconds since 1970. */
  now(): number;
  /** Ends early, with the signal's reason, where it is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** From 0 up to, not including, 1. */
  random(): number;
  fetch(url: string, init: RequestInit): Promise<Response>;
}

export const realWorld: World = {
  now: () => Date.now(),
  sleep: async (ms, signal) => {
    try {
      await sleep(ms, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  },
  random: Math.random,
  fetch: (url, init) => fetch(url, init),
};

/** The one time limit of a step, however many calls and waits it is made of. */
export class Deadline {
  private constructor(
    private readonly end: number,
    /** What is to be done by then: `machine 148e… to become healthy`. */
    readonly what: string,
    readonly seconds: number,
    private readonly world: World,
  ) {}

  static after(seconds: number, what: string, world: World = realWorld): Deadline {
    return new Deadline(world.now() + seconds * 1000, what, seconds, world);
  }

  /** Milliseconds left, 0 when it has passed. */
  left(): number {
    return Math.max(0, this.end - this.world.now());
  }

  passed(): boolean {
    return this.left() === 0;
  }
}
