/** So many calls a second in the long run, and so many at once. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** One kind of call: calls of one key share an allowance. */
export interface Limit extends Rate {
  readonly key: string;
}

/**
 * Keeps a client below a platform's limits, so that it isn't refused in the first place. A token bucket per key, kept as
 * the one time at which it would be full again (the generic cell rate algorithm, ITU-T I.371).
 */
export class RateLimiter {
  private readonly full = new Map<string, number>();

  /**
   * Takes a turn. Turns are given in the order of the calls.
   * @returns milliseconds to wait before the call may be made
   */
  take(limit: Limit, now: number): number {
    const step = 1000 / limit.perSecond;
    const full = Math.max(this.full.get(limit.key) ?? 0, now);
    const earliest = full - step * (limit.burst - 1);
    this.full.set(limit.key, full + step);
    return Math.max(0, Math.ceil(earliest - now));
  }

  /** After a refusal all the same: nobody else's call of this key goes before then. */
  hold(limit: Limit, until: number): void {
    const step = 1000 / limit.perSecond;
    this.full.set(limit.key, Math.max(this.full.get(limit.key) ?? 0, until + step * (limit.burst - 1)));
  }
}
