import fc from "fast-check";
import { Cron } from "../../../components/values/cron";

const WEEKDAYS = ["sun", "mon", "tue", "WED", "thu", "fri", "sat"];
const MONTHS = ["jan", "feb", "mar", "apr", "May", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

function field(low: number, high: number): fc.Arbitrary<string> {
  const value = fc.integer({ min: low, max: high });
  const range = fc.tuple(value, value).map(([left, right]) => `${Math.min(left, right)}-${Math.max(left, right)}`);
  const step = fc.integer({ min: 2, max: Math.floor((high - low) / 2) });
  return fc.oneof(
    { weight: 4, arbitrary: fc.constant("*") },
    { weight: 4, arbitrary: value.map(String) },
    { weight: 1, arbitrary: range },
    { weight: 1, arbitrary: step.map((by) => `*/${by}`) },
    { weight: 1, arbitrary: step.map((by) => `${low}-${high}/${by}`) },
    { weight: 1, arbitrary: fc.array(fc.oneof(value.map(String), range), { minLength: 2, maxLength: 4 }).map(String) },
  );
}

const month = fc.oneof({ weight: 6, arbitrary: field(1, 12) }, { weight: 1, arbitrary: fc.constantFrom(...MONTHS) });
const weekday = fc.oneof(
  { weight: 6, arbitrary: field(0, 7) },
  { weight: 1, arbitrary: fc.constantFrom(...WEEKDAYS) },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constantFrom(...WEEKDAYS), fc.constantFrom(...WEEKDAYS)).map((days) => days.join("-")),
  },
);

/** Cron expressions of every form that is accepted, those left out that would never run. */
export const cronExpressions = fc
  .tuple(field(0, 59), fc.oneof(field(0, 23), field(0, 4)), field(1, 31), month, weekday)
  .map((fields) => fields.join(" "))
  .filter((expression) => {
    try {
      return new Cron(expression).expression !== "";
    } catch {
      return false;
    }
  });
