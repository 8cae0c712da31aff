import { UsageError } from "./errors";

/** Days, both included, as `2025-06-01`: text of this form sorts as its dates do. */
export interface Days {
  readonly first: string;
  readonly last: string;
}

const part = "(?:\\w+=)?";
/**
 * How keys tell a date, the surest first: folders `2025/06/15` or `year=2025/month=06/day=15`, `2025-06-15` and `20250615`
 * in a name, then whole months.
 */
const forms = [
  new RegExp(`(?:^|/)${part}(\\d{4})/${part}(\\d\\d)/${part}(\\d\\d)(?=/|$)`),
  /(?<!\d)(\d{4})-(\d\d)-(\d\d)(?!\d)/,
  /(?<!\d)(\d{4})(\d\d)(\d\d)(?!\d)/,
  new RegExp(`(?:^|/)${part}(\\d{4})/${part}(\\d\\d)(?=/|$)`),
  /(?<!\d)(\d{4})-(\d\d)(?![\d-])/,
];

/** The day or month that a key tells; else the day, in UTC, on which the object was put there. */
export function daysOf(key: string, time: Date): Days {
  for (const form of forms) {
    const [, year = "", month, day] = form.exec(key) ?? [];
    const days = year === "" ? undefined : daysIn([year, month, day].filter((one) => one !== undefined).join("-"));
    if (days !== undefined) return days;
  }
  const day = time.toISOString().slice(0, 10);
  return { first: day, last: day };
}

/** The days of `2025`, `2025-06` or `2025-06-15`; undefined for what is no date. */
export function daysIn(text: string): Days | undefined {
  const [, year, month, day] = /^(\d{4})(?:-(\d\d)(?:-(\d\d))?)?$/.exec(text) ?? [];
  if (year === undefined || Number(year) < 1970) return undefined;
  const lastMonth = month ?? "12";
  if (Number(lastMonth) < 1 || Number(lastMonth) > 12) return undefined;
  // Day 0 of a month is the last one of the month before.
  const daysInMonth = new Date(Date.UTC(Number(year), Number(lastMonth), 0)).getUTCDate();
  if (day !== undefined && (Number(day) < 1 || Number(day) > daysInMonth)) return undefined;
  return {
    first: `${year}-${month ?? "01"}-${day ?? "01"}`,
    last: `${year}-${lastMonth}-${day ?? String(daysInMonth)}`,
  };
}

/** What `--from` and `--to` ask for, days in UTC. @throws UsageError */
export function daysAsked(values: ReadonlyMap<string, string>, now = new Date()): Days {
  const read = (name: string): Days | undefined => {
    const text = values.get(name);
    if (text === undefined) return undefined;
    const [, ago] = /^(\d{1,5})d$/.exec(text) ?? [];
    const day = new Date(now.getTime() - Number(ago ?? 0) * 86_400_000).toISOString().slice(0, 10);
    const days = daysIn(ago === undefined ? text : day);
    if (days === undefined)
      throw new UsageError(`--${name} can't be "${text}".`, "a day, 2025-06-15, a month, 2025-06, or days ago, 7d");
    return days;
  };
  const asked = { first: read("from")?.first ?? "0000-01-01", last: read("to")?.last ?? "9999-12-31" };
  if (asked.first > asked.last) {
    throw new UsageError(`--from ${asked.first} is after --to ${asked.last}.`, "give the earlier day to --from");
  }
  return asked;
}

export const overlap = (one: Days, other: Days): boolean => one.first <= other.last && other.first <= one.last;

/** Backups of databases lie in archives, too (targets/fly/backup/keys.ts); other verbs are for those. */
export const backupsFolder = "backups/";

/** Longest name of a file (Linux, NAME_MAX). */
const longestName = 255;
/** What a file has while it isn't whole. */
export const partMark = ".homeport-part-";

/** Why a key can't be the path of a file; undefined where it can. */
export function unfitKey(key: string): string | undefined {
  const names = key.split("/");
  if (names.some((name) => name === "" || name === "." || name === ".."))
    return 'it has a part that is empty, "." or ".."';
  // eslint-disable-next-line no-control-regex -- they are what it is about
  if (/[\u0000-\u001f\u007f-\u009f\\]/.test(key)) return "it has a control character or a backslash";
  if (names.some((name) => Buffer.byteLength(name) > longestName)) return `a part is longer than ${longestName} bytes`;
  if (names.some((name) => name.startsWith(partMark))) return `a part begins with ${partMark}`;
  return /\p{Surrogate}/u.test(key) ? "it isn't Unicode text" : undefined;
}

/** An object and the file that it becomes. */
export interface Fetched<T> {
  readonly object: T;
  /** Below the folder that was asked for: the key, without the `.gz` of what is unpacked. */
  readonly path: string;
  readonly unpack: boolean;
}

export interface Named<T> {
  readonly files: readonly Fetched<T>[];
  /** What has no file, and why. */
  readonly problems: readonly string[];
}

/** The files of objects: each below the folder, no two of the same name, none in the place of another's folder. */
export function fileNames<T extends { readonly key: string }>(objects: readonly T[], packed: boolean): Named<T> {
  const problems: string[] = [];
  const files: Fetched<T>[] = [];
  // Consoles make empty objects that stand for folders.
  for (const object of objects.filter(({ key }) => !key.endsWith("/"))) {
    const why = unfitKey(object.key);
    // `.gz` alone would leave a file without a name.
    const unpack = !packed && /[^/]\.gz$/.test(object.key);
    if (why === undefined) files.push({ object, path: unpack ? object.key.slice(0, -3) : object.key, unpack });
    else problems.push(`${shownKey(object.key)} can't be a file's name: ${why}`);
  }
  const taken = new Map<string, string>();
  const folders = new Set(files.flatMap(({ path }) => foldersOf(path)));
  const kept = files.filter(({ object, path }) => {
    const other = taken.get(path);
    if (other === undefined && !folders.has(path)) {
      taken.set(path, object.key);
      return true;
    }
    const what = other === undefined ? "others have a folder of its name" : `${shownKey(other)} becomes the same file`;
    problems.push(`${shownKey(object.key)} has no place: ${what}`);
    return false;
  });
  return { files: kept, problems };
}

const foldersOf = (path: string): string[] =>
  path
    .split("/")
    .slice(0, -1)
    .map((_, index, names) => names.slice(0, index + 1).join("/"));

/** A key as a terminal may show it: what would steer the terminal is spelled out. */
export const shownKey = (key: string): string =>
  // eslint-disable-next-line no-control-regex -- they are what it is about
  key.replace(/[\u0000-\u001f\u007f-\u009f]/g, (one) => `\\x${one.charCodeAt(0).toString(16).padStart(2, "0")}`);
