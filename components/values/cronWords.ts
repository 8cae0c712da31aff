import type { CronFields } from "./cronFields";
import { runs } from "./cronCalendar";

const WEEKDAYS = ["Sundays", "Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays"];
const MONTHS = [
  ...["January", "February", "March", "April", "May", "June"],
  ...["July", "August", "September", "October", "November", "December"],
];
/** More times of day than this are no longer read at a glance. */
const TIMES_LISTED = 3;

/** The schedule in short English, or undefined when that wouldn't be short. */
export function inWords(fields: CronFields, timeZone: string): string | undefined {
  const days = daysInWords(fields);
  if (days === undefined) return undefined;
  if (fields.hours.length * fields.minutes.length <= TIMES_LISTED) {
    const times = fields.hours.flatMap((hour) => fields.minutes.map((minute) => `${two(hour)}:${two(minute)}`));
    return `${days} at ${and(times)} ${timeZone}`;
  }
  const often = oftenInWords(fields);
  if (often === undefined || days === "daily") return often;
  return `${often} on ${days} ${timeZone}`;
}

function oftenInWords({ minutes, hours }: CronFields): string | undefined {
  const [minute = 0] = minutes;
  if (hours.length === 24) {
    if (minutes.length === 60) return "every minute";
    if (minutes.length === 1) return `every hour at :${two(minute)}`;
    return evenly(minutes, 60) ? `every ${60 / minutes.length} minutes` : undefined;
  }
  const onTheHour = minutes.length === 1 && minute === 0;
  return onTheHour && evenly(hours, 24) ? `every ${24 / hours.length} hours` : undefined;
}

function daysInWords({ days, months, weekdays, dayRule }: CronFields): string | undefined {
  const [day = 1] = days;
  if (dayRule === "either" && (days.length === 31 || weekdays.length === 7)) {
    return months.length === 12 ? "daily" : undefined;
  }
  if (weekdays.length === 7) {
    if (days.length === 31) return months.length === 12 ? "daily" : undefined;
    if (days.length > 1) return undefined;
    if (months.length === 12) return `monthly on the ${ordinal(day)}`;
    return months.length === 1 ? `yearly on ${day} ${MONTHS[(months[0] ?? 1) - 1] ?? ""}` : undefined;
  }
  if (days.length < 31 || months.length < 12) return undefined;
  if (String(weekdays) === "1,2,3,4,5") return "weekdays";
  if (String(weekdays) === "0,6") return "weekends";
  const [range, ...others] = runs(weekdays);
  if (range !== undefined && others.length === 0 && weekdays.length > 2) {
    return `${WEEKDAYS[range[0]] ?? ""} to ${WEEKDAYS[range[1]] ?? ""}`;
  }
  return and(weekdays.map((weekday) => WEEKDAYS[weekday] ?? ""));
}

function evenly(values: readonly number[], size: number): boolean {
  return values.every((value, index) => value === (index * size) / values.length);
}

function ordinal(day: number): string {
  const teen = day > 10 && day < 14;
  const ending = teen ? "th" : (["th", "st", "nd", "rd"][day % 10] ?? "th");
  return `${day}${ending}`;
}

function and(items: readonly string[]): string {
  return items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} and ${items.at(-1) ?? ""}`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
