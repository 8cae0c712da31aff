import { setTimeout as sleep } from "node:timers/promises";
import { realWorld, type World } from "../../../drivers/http";
import type { Clock } from "../../../rehearsal/platform/clock";

/**
 * Time that passes faster than the real one, for an emulator and all drivers that talk to it: a lease's seconds, a deadline
 * and a platform's slowness keep their proportions, and only the waiting is shorter.
 */
export interface FastTime {
  readonly factor: number;
  readonly clock: Clock;
  /** For a driver in this process. */
  readonly world: World;
  /** For a driver in a process of its own, started with `fastTimePreload`. */
  readonly env: Readonly<Record<string, string>>;
}

/** Names of the variables that `preload.ts` reads. */
export const variables = { factor: "FAST_TIME_FACTOR", origin: "FAST_TIME_ORIGIN" } as const;

export function fastTime(factor: number): FastTime {
  const origin = Date.now();
  const now = (): number => Math.floor(origin + (Date.now() - origin) * factor);
  return {
    factor,
    clock: { now, sleep: (ms) => sleep(ms / factor) },
    world: { ...realWorld, now, sleep: (ms, signal) => realWorld.sleep(ms / factor, signal) },
    env: { [variables.factor]: String(factor), [variables.origin]: String(origin) },
  };
}
