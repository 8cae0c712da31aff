import type { CronFields } from "./cronFields";

/** systemd's order, where a week starts on Monday. */
const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const two = (value: number): string => String(value).padStart(2, "0");

/**
 * The calendar events of systemd.time(7) that elapse when the cron fields match: one, or two where cron means "this day
 * of the month or that weekday", since one calendar event with both means "and". A timer with two runs once when both
 * elapse together.
 *
 * Steps are written for clocks in UTC only, and days are always listed. A step that runs over the end of its field makes
 * systemd 252 skip times or give up ("Resource deadlock avoided", its timer is dead from then on) where local clocks are
 * put forward, and before 251 it skipped days at the end of a month (systemd pull request 22833; Ubuntu 22.04 has 249).
 */
export function onCalendar(fields: CronFields, timeZone: string): string[] {
  const everyDay = fields.days.length === 31;
  const everyWeekday = fields.weekdays.length === 7;
  const hasSteps = timeZone === "UTC";
  const time = `${clock(fields.hours, 24, hasSteps)}:${clock(fields.minutes, 60, hasSteps)}:00 ${timeZone}`;
  const months = fields.months.length === 12 ? "*" : list(fields.months, two);
  const byDate = `*-${months}-${everyDay ? "*" : list(fields.days, two)} ${time}`;
  const weekdays = list(
    fields.weekdays.map((day) => (day + 6) % 7).sort((left, right) => left - right),
    (day) => WEEKDAYS[day] ?? "",
  );
  if (fields.dayRule === "both") return [everyWeekday ? byDate : `${weekdays} ${byDate}`];
  if (everyDay || everyWeekday) return [`*-${months}-* ${time}`];
  return [byDate, `${weekdays} *-${months}-* ${time}`];
}

function clock(values: readonly number[], size: number, hasSteps: boolean): string {
  if (values.length === size) return "*";
  const step = size / values.length;
  const even = values.length > 2 && values.every((value, index) => value === index * step);
  return even && hasSteps ? `00/${step}` : list(values, two);
}

/** Values with runs of three and more as ranges. */
function list(values: readonly number[], print: (value: number) => string): string {
  return runs(values)
    .flatMap(([first, last]) => {
      if (last - first > 1) return `${print(first)}..${print(last)}`;
      return first === last ? print(first) : [print(first), print(last)];
    })
    .join(",");
}

/** The first and last values of each run of consecutive numbers, of sorted ones. */
export function runs(values: readonly number[]): [number, number][] {
  const found: [number, number][] = [];
  for (const value of values) {
    const current = found.at(-1);
    if (current?.[1] === value - 1) current[1] = value;
    else found.push([value, value]);
  }
  return found;
}
