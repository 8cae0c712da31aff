import { InvalidValue } from "./invalid";

/** What the five fields of a cron expression match; each list is sorted and without doubles. */
export interface CronFields {
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  /** 1 to 31. */
  readonly days: readonly number[];
  /** 1 to 12. */
  readonly months: readonly number[];
  /** 0 (Sunday) to 6. */
  readonly weekdays: readonly number[];
  /**
   * Which days of a matching month match: those of `days` that are also in `weekdays` ("both"), or those in one or the
   * other ("either"). crontab(5): either, when both fields are restricted. Vixie cron, cronie and Debian's cron take a
   * field as restricted when its first character isn't `*`, so a `*` with a step isn't.
   */
  readonly dayRule: "both" | "either";
}

interface Field {
  readonly name: string;
  readonly low: number;
  readonly high: number;
  readonly names?: readonly string[];
}

const MINUTE: Field = { name: "minute", low: 0, high: 59 };
const HOUR: Field = { name: "hour", low: 0, high: 23 };
const DAY: Field = { name: "day of month", low: 1, high: 31 };
const MONTH: Field = {
  name: "month",
  low: 1,
  high: 12,
  names: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
};
/** Sunday is both 0 and 7 (crontab(5)). */
const WEEKDAY: Field = {
  name: "day of week",
  low: 0,
  high: 7,
  names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
};

/** The nicknames of crontab(5), without `@reboot`, which isn't a time. */
const NICKNAMES: ReadonlyMap<string, string> = new Map([
  ["@yearly", "0 0 1 1 *"],
  ["@annually", "0 0 1 1 *"],
  ["@monthly", "0 0 1 * *"],
  ["@weekly", "0 0 * * 0"],
  ["@daily", "0 0 * * *"],
  ["@midnight", "0 0 * * *"],
  ["@hourly", "0 * * * *"],
]);

const LONGEST_MONTH = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const FORM = "write five fields: minute, hour, day of month, month, day of week";

/**
 * Reads a cron expression as crontab(5) describes it: numbers, names, ranges, steps and lists in five fields, or a
 * nickname. Beyond it, a range of weekdays may run over the end of the week (`fri-mon`).
 * @throws InvalidValue which says what field is wrong and why.
 */
export function parseCron(expression: string): CronFields {
  const refuse = (reason: string): never => {
    throw new InvalidValue(`the cron expression "${expression}" can't be used: ${reason}`);
  };
  const text = expression.trim().toLowerCase();
  const parts = (NICKNAMES.get(text) ?? text).split(/\s+/);
  if (text.startsWith("@") && !NICKNAMES.has(text)) {
    refuse(`it may be one of ${[...NICKNAMES.keys()].join(", ")}`);
  }
  const [minute, hour, day, month, weekday, ...more] = parts;
  if (minute === undefined || hour === undefined || day === undefined || month === undefined || weekday === undefined) {
    return refuse(text === "" ? `it is empty; ${FORM}` : `it has ${parts.length} of five fields; ${FORM}`);
  }
  if (more.length > 0) refuse(`it has ${parts.length} fields, and seconds or years aren't among them; ${FORM}`);
  const fields: CronFields = {
    minutes: parseField(minute, MINUTE, refuse),
    hours: parseField(hour, HOUR, refuse),
    days: parseField(day, DAY, refuse),
    months: parseField(month, MONTH, refuse),
    weekdays: parseField(weekday, WEEKDAY, refuse),
    dayRule: day.startsWith("*") || weekday.startsWith("*") ? "both" : "either",
  };
  if (
    fields.dayRule === "both" &&
    !fields.months.some((each) => (fields.days[0] ?? 0) <= (LONGEST_MONTH[each - 1] ?? 0))
  ) {
    refuse(`no month of "${month}" has a day ${fields.days[0] ?? 0}, so it would never run`);
  }
  return fields;
}

function parseField(text: string, field: Field, refuseAll: (reason: string) => never): number[] {
  const refuse = (reason: string): never => refuseAll(`${field.name} "${text}": ${reason}`);
  const values = new Set<number>();
  for (const item of text.split(",")) {
    if (item === "") return refuse("a comma has nothing at one side");
    if (item === "*" && text !== "*") return refuse("a * already means every value and stands alone");
    for (const value of parseItem(item, field, refuse)) values.add(field === WEEKDAY ? value % 7 : value);
  }
  return [...values].sort((left, right) => left - right);
}

function parseItem(item: string, field: Field, refuse: (reason: string) => never): number[] {
  const [range = "", step, ...more] = item.split("/");
  if (more.length > 0) return refuse("there can be one step only");
  const by = step === undefined ? 1 : parseStep(step, refuse);
  const all = range === "*";
  const [from = "", to, ...rest] = range.split("-");
  if (rest.length > 0) return refuse("a range has two ends");
  // With 0 and 7 both Sunday, `*` over days of the week is 0-6.
  const last = field === WEEKDAY ? 6 : field.high;
  const low = all ? field.low : parseValue(from, field, refuse);
  let high = all ? last : to === undefined ? low : parseValue(to, field, refuse);
  if (step !== undefined && !all && to === undefined) {
    return refuse(`a step needs a range; write ${range}-${last}/${step}`);
  }
  if (high < low) {
    if (field !== WEEKDAY) return refuse(`the range runs backwards; write ${low}-${last},${field.low}-${high}`);
    high += 7;
  }
  if (step !== undefined && by > high - low) {
    return refuse(`a step of ${by} in a range of ${high - low + 1} only ever meets ${low}; write ${low}`);
  }
  return Array.from({ length: Math.floor((high - low) / by) + 1 }, (_, index) => low + index * by);
}

function parseStep(text: string, refuse: (reason: string) => never): number {
  if (!/^\d{1,4}$/.test(text)) return refuse(`the step "${text}" isn't a number`);
  return Number(text) > 0 ? Number(text) : refuse("a step of 0 leads nowhere");
}

function parseValue(text: string, field: Field, refuse: (reason: string) => never): number {
  const named = field.names?.indexOf(text) ?? -1;
  if (named >= 0) return named + field.low;
  if (text === "?") return refuse("? is Quartz's way of writing *; write *");
  if (text === "") return refuse("a range or step has nothing at one side of its sign");
  if (!/^\d{1,4}$/.test(text)) {
    const names = field.names === undefined ? "" : ` or a name of three letters (${field.names.join(", ")})`;
    return refuse(`"${text}" isn't a number from ${field.low} to ${field.high}${names}`);
  }
  const value = Number(text);
  if (value < field.low || value > field.high) return refuse(`${value} isn't from ${field.low} to ${field.high}`);
  return value;
}
