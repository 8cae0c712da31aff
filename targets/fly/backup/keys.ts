/** A backup's moment as names have it, `20260731T040000Z`. */
const stampOf = (at: Date): string => at.toISOString().replace(/[-:]|\.\d+/g, "");

/** Where a database's backups are in a bucket: the same place on every target, so that an app can move with them. */
export const prefixOf = (id: string, database: string): string => `backups/${id}/${database}/`;

export function keyOf(id: string, database: string, suffix: string, at: Date): string {
  const stamp = stampOf(at);
  const day = `${stamp.slice(0, 4)}/${stamp.slice(4, 6)}/${stamp.slice(6, 8)}`;
  return `${prefixOf(id, database)}${day}/${database}-${stamp}${suffix}`;
}

/** The moment that a key tells; undefined where it isn't a backup's. */
export function momentOf(key: string): Date | undefined {
  const parts = /-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z\.[a-z.]+$/.exec(key);
  if (parts === null) return undefined;
  const [, year, month, day, hour, minute, second] = parts;
  const at = new Date(`${year ?? ""}-${month ?? ""}-${day ?? ""}T${hour ?? ""}:${minute ?? ""}:${second ?? ""}Z`);
  return Number.isNaN(at.getTime()) ? undefined : at;
}

/** Of these keys the backups beyond the newest so many. Pure. */
export function surplusOf(keys: readonly string[], keep: number): string[] {
  const moments = keys.flatMap((key) => {
    const at = momentOf(key);
    return at === undefined ? [] : [{ key, at: at.getTime() }];
  });
  return moments
    .sort((a, b) => b.at - a.at || (a.key < b.key ? 1 : -1))
    .slice(keep)
    .map(({ key }) => key);
}
