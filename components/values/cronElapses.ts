import type { CronFields } from "./cronFields";
import type { Instant, WallClock, Zone } from "./zone";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** The Gregorian calendar, weekdays included, repeats after 400 years. */
const CYCLE_DAYS = 146_097;
/** systemd's own bound (MAX_YEAR in calendarspec.c), where its timers end too. */
const LAST_YEAR = 2199;
/** Dates, weekdays and the rules of daylight saving time, which go by them, come together again after 28 years. */
const RULES_REPEAT = 28 * 366 * DAY;

/** Whether cron runs at all on the day that starts at `midnight`, a wall clock's time. */
function matchesDay(fields: CronFields, midnight: WallClock): boolean {
  const date = new Date(midnight);
  if (!fields.months.includes(date.getUTCMonth() + 1)) return false;
  const day = fields.days.includes(date.getUTCDate());
  const weekday = fields.weekdays.includes(date.getUTCDay());
  return fields.dayRule === "both" ? day && weekday : day || weekday;
}

function minutesOfDay(fields: CronFields): number[] {
  return fields.hours.flatMap((hour) => fields.minutes.map((minute) => hour * 60 + minute));
}

/**
 * When the fields match after an instant, in order and until the year 2199. Where clocks change it does as systemd's
 * timers do: a time that clocks skip isn't met on that day, and one that they repeat is met once, at its first showing
 * (at its second when `after` is already past the first). Vixie cron would run a job of a skipped time just after it.
 */
export function* elapses(fields: CronFields, zone: Zone, after: Instant): Generator<Instant> {
  const times = minutesOfDay(fields);
  const start = zone.wallClock(after);
  let last = after;
  for (
    let midnight = Math.floor(start / DAY) * DAY;
    new Date(midnight).getUTCFullYear() <= LAST_YEAR;
    midnight += DAY
  ) {
    if (!matchesDay(fields, midnight)) continue;
    for (const minute of times) {
      const wall = midnight + minute * MINUTE;
      if (wall <= start) continue;
      const instant = zone.instants(wall).find((each) => each > last);
      if (instant === undefined) continue;
      yield instant;
      last = instant;
    }
  }
}

/** The first time of the fields between two instants that clocks skip, as they are put forward over it. */
export function firstSkipped(fields: CronFields, zone: Zone, from: Instant, to: Instant): WallClock | undefined {
  for (const change of zone.forwardChanges(from, to)) {
    const reached = zone.wallClock(change);
    const left = zone.wallClock(change - 1) + 1;
    const midnight = Math.floor(left / DAY) * DAY;
    // All known changes skip up to an hour, or a whole day: so this day's times, or the next one's.
    for (const day of [midnight, midnight + DAY].filter((each) => matchesDay(fields, each))) {
      const times = minutesOfDay(fields).map((minute) => day + minute * MINUTE);
      const skipped = times.find((time) => time >= left && time < reached);
      if (skipped !== undefined) return skipped;
    }
  }
  return undefined;
}

/**
 * The shortest time between two elapses, in milliseconds: over the calendar's whole cycle by the wall clock, and where
 * clocks are put forward within 28 years of `from`, which brings two elapses closer together.
 */
export function minimumInterval(fields: CronFields, zone: Zone, from: Instant): number {
  let shortest = shortestOnWallClock(fields);
  for (const change of zone.forwardChanges(from, from + RULES_REPEAT)) {
    let previous: Instant | undefined;
    for (const instant of elapses(fields, zone, change - shortest)) {
      if (previous !== undefined) shortest = Math.min(shortest, instant - previous);
      previous = instant;
      if (instant >= change) break;
    }
  }
  return shortest;
}

function shortestOnWallClock(fields: CronFields): number {
  const times = minutesOfDay(fields);
  const first = times[0] ?? 0;
  const span = (times.at(-1) ?? 0) - first;
  const inDay = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  return Math.min(shortestInDays(fields) * DAY - span * MINUTE, ...inDay.map((minutes) => minutes * MINUTE));
}

/** The fewest days from one day that matches to the next. Counted by hand, as a Date for each would take 70 ms. */
function shortestInDays(fields: CronFields): number {
  const [days, weekdays, months] = [new Set(fields.days), new Set(fields.weekdays), new Set(fields.months)];
  // Most schedules meet this bound at once; the rest are counted through.
  const bound = fields.dayRule === "either" ? 1 : Math.max(closestOf(fields.weekdays, 7), closestOf(fields.days, 28));
  let shortest = CYCLE_DAYS;
  let first: number | undefined;
  let previous: number | undefined;
  // 1 January 2000 was a Saturday.
  for (let month = 0, start = 0; start < CYCLE_DAYS && shortest > bound; month++) {
    const length = daysInMonth(2000 + Math.floor(month / 12), month % 12);
    for (let index = 0; index < length && months.has((month % 12) + 1); index++) {
      const day = start + index;
      const [date, weekday] = [days.has(index + 1), weekdays.has((day + 6) % 7)];
      if (fields.dayRule === "both" ? !(date && weekday) : !(date || weekday)) continue;
      if (previous !== undefined) shortest = Math.min(shortest, day - previous);
      first ??= day;
      previous = day;
    }
    start += length;
  }
  return Math.min(shortest, (first ?? 0) + CYCLE_DAYS - (previous ?? 0));
}

/** The least distance between two of these sorted values, on a circle of that size. */
function closestOf(values: readonly number[], size: number): number {
  const overTheEnd = (values[0] ?? 0) + size - (values.at(-1) ?? 0);
  return Math.min(overTheEnd, ...values.slice(1).map((value, index) => value - (values[index] ?? 0)));
}

function daysInMonth(year: number, month: number): number {
  if (month === 1) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return [3, 5, 8, 10].includes(month) ? 30 : 31;
}
