/**
 * The candidate that a misspelt name most likely meant, or undefined when none is near: at most one typing slip (a
 * letter missing, added, wrong, or two swapped) for each three letters, and at least one. Letter case isn't a slip.
 * Of several equally near, the first.
 */
export function closest(name: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let limit = Math.max(1, Math.floor(name.length / 3));
  for (const candidate of candidates) {
    const slips = distance(name.toLowerCase(), candidate.toLowerCase());
    if (slips < limit || (slips === limit && best === undefined)) {
      best = candidate;
      limit = slips;
    }
  }
  return best;
}

/** Damerau-Levenshtein distance in its "optimal string alignment" form: no letter is moved twice. */
export function distance(left: string, right: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const same = left[row - 1] === right[column - 1];
      const swapped = left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      current.push(
        Math.min(
          at(last, column) + 1,
          at(current, column - 1) + 1,
          at(last, column - 1) + (same ? 0 : 1),
          swapped ? at(beforeLast, column - 2) + 1 : Infinity,
        ),
      );
    }
    beforeLast = last;
    last = current;
  }
  return at(last, right.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity;
}
