/** A quantity measured several times. */
export interface Sample {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly runs: number;
}

/** @throws RangeError where there is no value */
export function sampleOf(values: readonly number[]): Sample {
  const sorted = [...values].sort((one, other) => one - other);
  const [min] = sorted;
  if (min === undefined) throw new RangeError("There is nothing to take a median of.");
  return { median: quantile(sorted, 0.5), min, max: sorted[sorted.length - 1] ?? min, runs: sorted.length };
}

/** The value below which a share of sorted values lies, between two of them in proportion; NaN where there is none. */
export function quantile(sorted: readonly number[], share: number): number {
  const place = (sorted.length - 1) * share;
  const low = sorted[Math.floor(place)] ?? Number.NaN;
  const high = sorted[Math.ceil(place)] ?? low;
  return low + (high - low) * (place - Math.floor(place));
}

/**
 * Runs each action in turn, round after round (A B A B …), so that whatever else the machine does meets all alike. The
 * order turns round with every second round, so that none always comes first.
 * @returns what each returned, by its name, in the order of the rounds
 */
export async function interleave<T>(
  rounds: number,
  actions: Readonly<Record<string, (round: number) => Promise<T>>>,
): Promise<Record<string, T[]>> {
  const names = Object.keys(actions);
  const results: Record<string, T[]> = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : [...names].reverse()) {
      const result = await actions[name]?.(round);
      if (result !== undefined) results[name]?.push(result);
    }
  }
  return results;
}

/** Seconds that an action takes. */
export async function secondsOf(action: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await action();
  return (performance.now() - started) / 1000;
}
