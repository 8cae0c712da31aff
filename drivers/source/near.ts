/**
 * The names most like a wrong one, best first: those within a third of its length in edits, else those that contain it
 * or begin alike, else simply the first ones.
 * @param count at most so many
 */
export function nearest(wrong: string, names: readonly string[], count = 5): string[] {
  const low = wrong.toLowerCase();
  const scored = names.map((name) => ({ name, score: score(low, name.toLowerCase()) }));
  const close = scored.filter((entry) => entry.score < Infinity).sort((a, b) => a.score - b.score);
  return (close.length > 0 ? close : scored).slice(0, count).map((entry) => entry.name);
}

function score(wrong: string, name: string): number {
  const edits = distance(wrong, name);
  if (edits <= Math.max(2, wrong.length / 3)) return edits;
  return name.includes(wrong) || wrong.includes(name) || name.slice(0, 3) === wrong.slice(0, 3)
    ? 100 + edits
    : Infinity;
}

/** Levenshtein's distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
