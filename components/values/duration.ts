import type { ConversionOptions, Unit } from "./amount";
import { convert, inBaseUnits } from "./amount";
import { InvalidValue } from "./invalid";

const SECOND = { base: 1, one: "second", many: "seconds", systemd: "s" };
const MINUTE = { base: 60, one: "minute", many: "minutes", systemd: "min" };
const HOUR = { base: 3600, one: "hour", many: "hours", systemd: "h" };
const DAY = { base: 86400, one: "day", many: "days", systemd: "d" };
const LARGEST_FIRST = [DAY, HOUR, MINUTE, SECOND];

/**
 * The spellings of systemd.time(7) up to the day, without those that mislead: `M` (a month there, a minute elsewhere)
 * and units of no fixed length in seconds. Weeks are read, but printed as days.
 */
const SPELLINGS: ReadonlyMap<string, Unit> = new Map<string, Unit>([
  ...["s", "sec", "second", "seconds"].map((word): [string, Unit] => [word, SECOND]),
  ...["m", "min", "minute", "minutes"].map((word): [string, Unit] => [word, MINUTE]),
  ...["h", "hr", "hour", "hours"].map((word): [string, Unit] => [word, HOUR]),
  ...["d", "day", "days"].map((word): [string, Unit] => [word, DAY]),
  ...["w", "week", "weeks"].map((word): [string, Unit] => [word, { base: 7 * DAY.base, one: "week", many: "weeks" }]),
]);

const TERM = /^(\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*/;

/** A length of time, of whole seconds, from zero up. A day is 24 hours. */
export class Duration {
  private constructor(private readonly total: number) {}

  /** @throws InvalidValue unless the amount comes to a whole number of seconds, as for the three below. */
  static seconds(amount: number): Duration {
    return new Duration(inBaseUnits(amount, SECOND, "seconds"));
  }

  static minutes(amount: number): Duration {
    return new Duration(inBaseUnits(amount, MINUTE, "seconds"));
  }

  static hours(amount: number): Duration {
    return new Duration(inBaseUnits(amount, HOUR, "seconds"));
  }

  static days(amount: number): Duration {
    return new Duration(inBaseUnits(amount, DAY, "seconds"));
  }

  /**
   * Reads `30m`, `1h 30min`, `90 seconds`, `2 days`, and whatever `toString` and `toSystemd` print.
   * @throws InvalidValue for an unknown unit, a missing unit, or a sign.
   */
  static parse(text: string): Duration {
    let rest = text.trim();
    if (rest === "0") return new Duration(0);
    let total = 0;
    do {
      const [term, amount, word] = TERM.exec(rest) ?? [];
      if (term === undefined || amount === undefined || word === undefined) {
        throw new InvalidValue(`"${text}" isn't a length of time; write for example 30s, 15m, 1h 30m or 2 days`);
      }
      const unit = SPELLINGS.get(word);
      if (unit === undefined) {
        throw new InvalidValue(`"${text}" has the unknown unit "${word}"; the units are s, m, h, d and w`);
      }
      total += inBaseUnits(Number(amount), unit, "seconds");
      rest = rest.slice(term.length);
    } while (rest !== "");
    return Duration.seconds(total);
  }

  toSeconds(): number {
    return this.total;
  }

  /** @throws InvalidValue when minutes would lose seconds, unless `integral` is false; so for the two below. */
  toMinutes(options: ConversionOptions = {}): number {
    return convert(this.total, MINUTE, this.toString(), options);
  }

  toHours(options: ConversionOptions = {}): number {
    return convert(this.total, HOUR, this.toString(), options);
  }

  toDays(options: ConversionOptions = {}): number {
    return convert(this.total, DAY, this.toString(), options);
  }

  /**
   * A time span for a systemd unit, `1h 30min` (systemd.time(7)). Beware of `0`, which most settings
   * (`RuntimeMaxSec=` among them) read as "no limit".
   */
  toSystemd(): string {
    const terms = this.terms().map(([amount, unit]) => `${amount}${unit.systemd}`);
    return terms.length === 0 ? "0" : terms.join(" ");
  }

  /** In English: `30 minutes`, `1 hour 30 minutes`. */
  toString(): string {
    const terms = this.terms().map(([amount, unit]) => `${amount} ${amount === 1 ? unit.one : unit.many}`);
    return terms.length === 0 ? "0 seconds" : terms.join(" ");
  }

  toJSON(): string {
    return this.toString();
  }

  /** Below zero when this is the shorter one, zero when both are equal: the order of `Array.sort`. */
  compare(other: Duration): number {
    return this.total - other.total;
  }

  private terms(): [number, typeof SECOND][] {
    let rest = this.total;
    const terms: [number, typeof SECOND][] = [];
    for (const unit of LARGEST_FIRST) {
      const amount = Math.floor(rest / unit.base);
      rest -= amount * unit.base;
      if (amount > 0) terms.push([amount, unit]);
    }
    return terms;
  }
}
