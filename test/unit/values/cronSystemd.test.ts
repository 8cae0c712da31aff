import assert from "node:assert/strict";
import fc from "fast-check";
import { Cron } from "../../../components/values/cron";
import { cronExpressions } from "./cronArbitraries";
import { calendarElapses, whyNoCalendar } from "./systemdCalendar";

const COUNT = 20;
/**
 * Northern and southern summers, half-hours, an hour that starts at midnight (Cairo, Santiago), and no summer time.
 * Left out are the zones where systemd 252 itself errs around a change of clocks: America/Havana, Africa/Casablanca,
 * Africa/El_Aaiun and Pacific/Chatham (see `Cron.next`).
 */
const ZONES = [
  ...["UTC", "Europe/Berlin", "Europe/Dublin", "America/New_York", "America/St_Johns", "America/Santiago"],
  ...["Africa/Cairo", "Asia/Kolkata", "Asia/Jerusalem", "Australia/Sydney", "Australia/Lord_Howe", "Pacific/Auckland"],
];
/** From a little before to a little after each of the changes of clocks of 2026 and 2027 in those zones. */
const CHANGES = [
  "2026-03-08",
  "2026-03-27",
  "2026-03-29",
  "2026-04-05",
  "2026-04-24",
  "2026-09-06",
  "2026-09-27",
].concat(["2026-10-04", "2026-10-25", "2026-10-30", "2026-11-01", "2027-02-28", "2027-12-31", "2028-02-28"]);
const bases = fc
  .tuple(fc.constantFrom(...CHANGES), fc.integer({ min: -36 * 3600, max: 36 * 3600 }))
  .map(([day, seconds]) => new Date(Date.parse(day) + seconds * 1000));

describe("Cron and systemd", () => {
  it("agree on the next 20 times, in every time zone", function () {
    const reason = whyNoCalendar();
    if (reason !== undefined) {
      console.log(`      left out: ${reason}`);
      this.skip();
    }
    this.timeout(60_000);
    const schedules = fc.array(fc.tuple(cronExpressions, fc.constantFrom(...ZONES)), { minLength: 16, maxLength: 16 });
    fc.assert(
      fc.property(schedules, bases, (written, base) => {
        const crons = written.map(([expression, timeZone]) => new Cron(expression, { timeZone }));
        // Each process takes longer to start than to answer, so that all are asked at once.
        const answers = calendarElapses(
          crons.flatMap((schedule) => schedule.toOnCalendar()),
          base,
          COUNT,
        );
        for (const schedule of crons) {
          const events = answers.splice(0, schedule.toOnCalendar().length).flat();
          const merged = [...new Set(events)].sort((left, right) => left - right).slice(0, COUNT);
          assert.ok(merged.length > 0, `${String(schedule)} has no times`);
          assert.deepEqual(
            schedule.next(base, COUNT).map((time) => time.toISOString()),
            merged.map((time) => new Date(time).toISOString()),
            `${String(schedule)} after ${base.toISOString()}`,
          );
        }
      }),
      // Shrinking would ask systemd hundreds of times, and the failing expression is short as it is.
      { numRuns: 3, endOnFailure: true },
    );
  });
});
