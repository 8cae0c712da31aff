import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../../../rehearsal/platform/clock";

/**
 * A clock that a test moves: what lasts a minute on it is over by a jump and not before, however slow the machine is.
 */
export class JumpingClock implements Clock {
  private ahead = 0;
  private held: number | undefined;

  now(): number {
    return this.held ?? Date.now() + this.ahead;
  }

  async sleep(ms: number): Promise<void> {
    for (const end = this.now() + ms; this.now() < end;) await sleep(Math.min(5, end - this.now()));
  }

  jump(ms: number): void {
    this.ahead += ms;
  }

  /** Lets no time pass while something is done. */
  async hold<T>(work: () => Promise<T>): Promise<T> {
    this.held = this.now();
    try {
      return await work();
    } finally {
      this.held = undefined;
    }
  }
}
