/** A rate: so many calls a second, and so many at once after a rest. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  filledAt: number;
}

/** Token buckets by name. */
export class Limits {
  private readonly buckets = new Map<string, Bucket>();

  /** Takes one call from a bucket. Returns the milliseconds until the next is free; 0: the call may go on. */
  take(name: string, rate: Rate, now: number): number {
    const bucket = this.buckets.get(name) ?? { tokens: rate.burst, filledAt: now };
    this.buckets.set(name, bucket);
    bucket.tokens = Math.min(rate.burst, bucket.tokens + ((now - bucket.filledAt) / 1000) * rate.perSecond);
    bucket.filledAt = now;
    if (bucket.tokens < 1) return Math.ceil(((1 - bucket.tokens) / rate.perSecond) * 1000);
    bucket.tokens -= 1;
    return 0;
  }
}
