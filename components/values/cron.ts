import { onCalendar, runs } from "./cronCalendar";
import { elapses, firstSkipped, minimumInterval } from "./cronElapses";
import type { CronFields } from "./cronFields";
import { parseCron } from "./cronFields";
import { inWords } from "./cronWords";
import { Duration } from "./duration";
import { InvalidValue } from "./invalid";
import { Zone } from "./zone";

/** How a schedule reads its times. */
export interface CronOptions {
  /**
   * The IANA time zone of the times, such as `Europe/Berlin`.
   * @default "UTC"
   */
  readonly timeZone?: string;
}

/** A schedule: a cron expression of crontab(5) and the time zone of its times. */
export class Cron {
  private readonly fields: CronFields;
  private readonly zone: Zone;

  /**
   * @param expression Five fields (`0 8 * * mon-fri`) or a nickname (`@daily`).
   * @throws InvalidValue which names the field and what is wrong with it, or the time zone.
   */
  constructor(
    readonly expression: string,
    options: CronOptions = {},
  ) {
    this.fields = parseCron(expression);
    this.zone = Zone.named(options.timeZone ?? "UTC");
  }

  /**
   * A schedule with equal intervals from midnight on, `Cron.every(Duration.minutes(5))`.
   * @throws InvalidValue for an interval that cron can't keep: one that doesn't divide an hour or a day evenly.
   */
  static every(interval: Duration, options: CronOptions = {}): Cron {
    const minutes = interval.toMinutes({ integral: false });
    if (minutes === 1) return new Cron("* * * * *", options);
    if (minutes === 60) return new Cron("0 * * * *", options);
    if (minutes === DAY) return new Cron("0 0 * * *", options);
    if (EVEN_MINUTES.includes(minutes)) {
      return new Cron(minutes < 60 ? `*/${minutes} * * * *` : `0 */${minutes / 60} * * *`, options);
    }
    const nearest = [...EVEN_MINUTES].sort((left, right) => Math.abs(left - minutes) - Math.abs(right - minutes));
    throw new InvalidValue(
      `cron can't run every ${interval.toString()}: that doesn't divide an hour or a day evenly; ` +
        `the nearest that does is ${Duration.minutes(nearest[0] ?? 1).toString()}`,
    );
  }

  get timeZone(): string {
    return this.zone.name;
  }

  /**
   * Whether every cron program takes the expression alike. They don't when a `*` with a step stands in one day field and
   * the other one is restricted: Vixie cron then wants both to match, others want either.
   */
  get isPortable(): boolean {
    const { days, weekdays, dayRule } = this.fields;
    return dayRule === "either" || days.length === 31 || weekdays.length === 7;
  }

  /** The values of the `OnCalendar=` lines of a systemd timer that elapses at these times (systemd.time(7)). */
  toOnCalendar(): string[] {
    return onCalendar(this.fields, this.zone.name);
  }

  /**
   * The expression in the form that every cron program reads: five fields of numbers, without nicknames, names, Sunday
   * as 7 or ranges over the week's end. Its times are in `timeZone`, which a platform has to be told or have by itself.
   * @throws InvalidValue unless `isPortable`.
   */
  toCrontab(): string {
    if (!this.isPortable) {
      throw new InvalidValue(
        `cron programs differ on "${this.expression}": some run it when both day fields match, some when either does; ` +
          `write one of the two as * or as a list without *`,
      );
    }
    const { minutes, hours, days, months, weekdays } = this.fields;
    const everyDay = this.fields.dayRule === "either" && (days.length === 31 || weekdays.length === 7);
    return [
      crontabField(minutes, 0, 59),
      crontabField(hours, 0, 23),
      everyDay ? "*" : crontabField(days, 1, 31),
      crontabField(months, 1, 12),
      everyDay ? "*" : crontabField(weekdays, 0, 6),
    ].join(" ");
  }

  /**
   * The next times after `after`; fewer than `count` when the year 2199 comes first, where systemd's timers end.
   *
   * They are those at which a systemd timer with `toOnCalendar()` elapses: a time that clocks skip isn't met on that day
   * (see `skipped`), and one that they repeat is met once. So a job that has to run every day is best kept in UTC, or out
   * of the hours at which clocks change.
   *
   * Not followed are faults of systemd 252 around such a change in four zones: in America/Havana it may take the second
   * showing of a repeated time; in Africa/Casablanca and Africa/El_Aaiun it may lose the day's later times too; and in
   * Pacific/Chatham a timer for a skipped time fails ("Resource deadlock avoided") until it is started again.
   */
  next(after: Date, count = 1): Date[] {
    const found: Date[] = [];
    if (count < 1) return found;
    for (const instant of elapses(this.fields, this.zone, after.getTime())) {
      if (found.push(new Date(instant)) >= count) break;
    }
    return found;
  }

  /**
   * The first time within a year of `from` at which it doesn't run because clocks are put forward over it, as the wall
   * clock's `2027-03-28 02:30`. Undefined where there is none, as in UTC, and for schedules that run in every hour.
   * @param from Defaults to now.
   */
  skipped(from: Date = new Date()): string | undefined {
    if (this.fields.hours.length === 24) return undefined;
    const wall = firstSkipped(this.fields, this.zone, from.getTime(), from.getTime() + YEAR);
    return wall === undefined ? undefined : new Date(wall).toISOString().slice(0, 16).replace("T", " ");
  }

  /**
   * The shortest time between two runs, for platforms that have a floor. Exact on the calendar; where clocks are put
   * forward between two runs, within 28 years of `from`.
   * @param from Defaults to now.
   */
  minimumInterval(from: Date = new Date()): Duration {
    return Duration.seconds(minimumInterval(this.fields, this.zone, from.getTime()) / 1000);
  }

  /** In short English, `daily at 08:00 UTC`; the expression itself where that wouldn't be short. */
  describe(): string {
    return inWords(this.fields, this.zone.name) ?? this.toString();
  }

  /** The expression and its time zone, `0 8 * * * (UTC)`. */
  toString(): string {
    return `${this.expression.trim().replace(/\s+/g, " ")} (${this.zone.name})`;
  }

  toJSON(): { expression: string; timeZone: string } {
    return { expression: this.expression, timeZone: this.zone.name };
  }
}

/** `new Cron(…)` as a word in a declaration: `at: cron("0 8 * * *")`. */
export function cron(expression: string, options: CronOptions = {}): Cron {
  return new Cron(expression, options);
}

const DAY = 24 * 60;
const YEAR = 366 * DAY * 60_000;
const EVEN_MINUTES: readonly number[] = [
  ...Array.from({ length: 60 }, (_, index) => index + 1).filter((minutes) => 60 % minutes === 0),
  ...[2, 3, 4, 6, 8, 12, 24].map((hours) => hours * 60),
];

/** A `*` with a step only where every program gives it the same meaning: from 0, to the field's very end. */
function crontabField(values: readonly number[], low: number, high: number): string {
  const size = high - low + 1;
  if (values.length === size) return "*";
  const step = size / values.length;
  if (values.length > 2 && values.every((value, index) => value === index * step)) return `*/${step}`;
  return runs(values)
    .map(([first, last]) => (first === last ? String(first) : `${first}-${last}`))
    .join(",");
}
