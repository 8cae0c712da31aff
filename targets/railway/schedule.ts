import { Cron } from "../../components/values/cron";
import { Zone } from "../../components/values/zone";

/**
 * A schedule as Railway reads it, five fields in UTC. A schedule of another time zone is converted where that is exact: the
 * zone's clocks never change, and the moved hours don't take a restricted day along to another one.
 * @returns undefined where no schedule in UTC has the same times
 */
export function utcSchedule(cron: Cron, from = new Date()): string | undefined {
  if (!cron.isPortable) return undefined;
  if (cron.timeZone === "UTC") return cron.toCrontab();
  const offset = Zone.named(cron.timeZone).fixedOffset(from.getTime());
  if (offset === undefined) return undefined;
  const moved = move(cron.toCrontab(), offset);
  if (moved === undefined) return undefined;
  const same = (one: Cron) =>
    one
      .next(from, samples)
      .map((time) => time.getTime())
      .join();
  return same(new Cron(moved)) === same(cron) ? moved : undefined;
}

/** Runs that are held against each other: more than a week of a schedule by the hour. */
const samples = 200;
const day = 24 * 60;

/** Moves an expression of numbers by so many minutes to the west; undefined where five fields can't say the result. */
function move(expression: string, offset: number): string | undefined {
  const [minutes = "", hours = "", days = "", months = "", weekdays = ""] = expression.split(" ");
  const moved = valuesOf(hours, 24).flatMap((hour) =>
    valuesOf(minutes, 60).map((minute) => hour * 60 + minute - offset),
  );
  const shifts = new Set(moved.map((time) => Math.floor(time / day)));
  const times = moved.map((time) => ((time % day) + day) % day);
  const newMinutes = distinct(times.map((time) => time % 60));
  const newHours = distinct(times.map((time) => Math.floor(time / 60)));
  // Every minute has to go with every hour.
  if (newMinutes.length * newHours.length !== new Set(times).size) return undefined;
  const [shift] = shifts;
  const daily = days === "*" && months === "*" && weekdays === "*";
  if (!daily && (shifts.size > 1 || (shift !== 0 && (days !== "*" || months !== "*")))) return undefined;
  const newWeekdays =
    daily || weekdays === "*" || shift === undefined
      ? weekdays
      : distinct(valuesOf(weekdays, 7).map((one) => (one + shift + 7) % 7)).join(",");
  return new Cron(`${newMinutes.join(",")} ${newHours.join(",")} ${days} ${months} ${newWeekdays}`).toCrontab();
}

const distinct = (numbers: readonly number[]): number[] => [...new Set(numbers)].sort((a, b) => a - b);

/** The values of a field that `toCrontab` wrote. */
function valuesOf(field: string, size: number): number[] {
  const all = Array.from({ length: size }, (_, value) => value);
  if (field === "*") return all;
  const step = /^\*\/(\d+)$/.exec(field)?.[1];
  if (step !== undefined) return all.filter((value) => value % Number(step) === 0);
  return field.split(",").flatMap((part) => {
    const [low = 0, high = low] = part.split("-").map(Number);
    return all.filter((value) => value >= low && value <= high);
  });
}
