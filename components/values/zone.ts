import { closest } from "./closest";
import { InvalidValue } from "./invalid";
import { currentZone, currentZones, isCurrentZone } from "./zoneNames";

/** Milliseconds since the epoch, as `Date.getTime` gives them. */
export type Instant = number;
/** A date and time on a wall clock, written as the instant at which a clock in UTC would show it. */
export type WallClock = number;

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** No zone is further from UTC than 14 hours (Pacific/Kiritimati), so two probes this far apart see both offsets. */
const PROBE = 15 * HOUR;

/** A time zone of the IANA database, and its rules as Node's ICU knows them. */
export class Zone {
  private static readonly made = new Map<string, Zone>();

  private readonly format: Intl.DateTimeFormat;
  private readonly changes = new Map<number, readonly Instant[]>();

  /**
   * The zone of that name, made once, as its formatter and each year's changes of clocks take longer than all else here.
   * @param name `UTC` or a region and a city, such as `Europe/Berlin`, spelt as in the database, since systemd looks for a
   * file of that name.
   * @throws InvalidValue for a zone that isn't known, or under a name that not every host knows, with the right one.
   */
  static named(name: string): Zone {
    const zone = Zone.made.get(name) ?? new Zone(name);
    Zone.made.set(name, zone);
    return zone;
  }

  private constructor(readonly name: string) {
    const format = formatIn(name);
    const known = format?.resolvedOptions().timeZone;
    // Intl takes any letter case; a file system doesn't.
    const otherCase = known !== undefined && known !== name && known.toLowerCase() === name.toLowerCase();
    if (format === undefined || known === undefined || otherCase || !isCurrentZone(name)) {
      const meant = known === undefined ? closest(name, currentZones()) : currentZone(known);
      throw new InvalidValue(
        `"${name}" isn't a time zone that every host knows; ` +
          (meant === undefined ? "write UTC, or a region and a city as in Europe/Berlin" : `did you mean "${meant}"?`),
      );
    }
    this.format = format;
  }

  wallClock(instant: Instant): WallClock {
    if (this.name === "UTC") return instant;
    const part: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
    for (const { type, value } of this.format.formatToParts(instant)) part[type] = Number(value);
    const { year = 0, month = 1, day, hour, minute, second } = part;
    const milliseconds = ((instant % 1000) + 1000) % 1000;
    return Date.UTC(year, month - 1, day, hour, minute, second, milliseconds);
  }

  /** The instants at which the wall clock shows `wall`, in order: none when clocks skip it, two when they repeat it. */
  instants(wall: WallClock): readonly Instant[] {
    if (this.name === "UTC") return [wall];
    const before = this.offset(wall - PROBE);
    const after = this.offset(wall + PROBE);
    const candidates = before === after ? [wall - before] : [wall - before, wall - after];
    return candidates.filter((instant) => this.wallClock(instant) === wall).sort((left, right) => left - right);
  }

  /** When, between two instants, clocks were or will be put forward; each the first instant of the new time. */
  *forwardChanges(from: Instant, to: Instant): Generator<Instant> {
    if (this.name === "UTC") return;
    for (let year = new Date(from).getUTCFullYear(); year <= new Date(to).getUTCFullYear(); year++) {
      for (const change of this.changesOf(year)) if (change >= from && change < to) yield change;
    }
  }

  /** Minutes east of UTC, where the zone's clocks show the same all through the five years from then on. */
  fixedOffset(from: Instant): number | undefined {
    const first = this.offset(from);
    for (let week = 1; week < 5 * 53; week++) if (this.offset(from + week * 7 * DAY) !== first) return undefined;
    return first / 60_000;
  }

  private changesOf(year: number): readonly Instant[] {
    const known = this.changes.get(year);
    if (known !== undefined) return known;
    const found: Instant[] = [];
    const end = Date.UTC(year + 1, 0, 1);
    // The shortest time between two changes known is the month of Ramadan in Morocco.
    for (let low = Date.UTC(year, 0, 1); low < end; low += 14 * DAY) {
      const high = Math.min(low + 14 * DAY, end);
      if (this.offset(high) > this.offset(low)) found.push(this.firstWithOffsetOf(high, low));
    }
    this.changes.set(year, found);
    return found;
  }

  /** The first instant, to the second, of the offset that holds at `high` and not yet at `low`. */
  private firstWithOffsetOf(high: Instant, low: Instant): Instant {
    const wanted = this.offset(high);
    let [before, after] = [low, high];
    while (after - before > 1000) {
      const middle = Math.floor((before + after) / 2000) * 1000;
      if (this.offset(middle) === wanted) after = middle;
      else before = middle;
    }
    return after;
  }

  private offset(instant: Instant): number {
    return this.wallClock(instant) - instant;
  }
}

function formatIn(timeZone: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat("en-US", {
      timeZone,
      calendar: "gregory",
      numberingSystem: "latn",
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    });
  } catch {
    return undefined;
  }
}
