import assert from "node:assert/strict";
import { Cron as Croner } from "croner";
import fc from "fast-check";
import { cron, Cron } from "../../../components/values/cron";
import { Duration } from "../../../components/values/duration";
import { InvalidValue } from "../../../components/values/invalid";
import { cronExpressions } from "./cronArbitraries";

const moments = fc.date({ min: new Date("1990-01-01"), max: new Date("2090-01-01"), noInvalidDate: true });
const BERLIN = { timeZone: "Europe/Berlin" };

describe("Cron", () => {
  it("runs when another implementation of cron does", () => {
    fc.assert(
      fc.property(cronExpressions, moments, (expression, after) => {
        const schedule = cron(expression);
        fc.pre(schedule.isPortable);
        const others = new Croner(schedule.toCrontab(), { timezone: "UTC", mode: "5-part" }).nextRuns(5, after);
        assert.deepEqual(schedule.next(after, 5), others);
      }),
      { numRuns: 300 },
    );
  });

  it("reads names, nicknames and Sunday as 7 as crontab(5) does", () => {
    const same: [string, string][] = [
      ["@daily", "0 0 * * *"],
      ["@midnight", "0 0 * * *"],
      ["@hourly", "0 * * * *"],
      ["@weekly", "0 0 * * 0"],
      ["@Monthly", "0 0 1 * *"],
      ["@yearly", "0 0 1 1 *"],
      ["@annually", "0 0 1 1 *"],
      [" 0\t8 * *   MON-fri ", "0 8 * * 1-5"],
      ["0 8 * jan,Dec 7", "0 8 * 1,12 0"],
      ["0 8 * * 5-7", "0 8 * * 0,5-6"],
      ["0 8 * * fri-mon", "0 8 * * 0-1,5-6"],
      ["0 8 * * sat-sun", "0 8 * * 0,6"],
      ["0 8 * * 0-7", "0 8 * * *"],
      ["10-40/15 8 * * *", "10,25,40 8 * * *"],
      ["0 8 1-31 * 1", "0 8 * * *"],
      ["0-59/15 0-23/6 * * *", "*/15 */6 * * *"],
    ];
    for (const [written, meant] of same) assert.equal(cron(written).toCrontab(), meant, written);
  });

  it("means the same in its portable form", () => {
    fc.assert(
      fc.property(cronExpressions, (expression) => {
        const schedule = cron(expression);
        fc.pre(schedule.isPortable);
        assert.deepEqual(cron(schedule.toCrontab()).toOnCalendar(), schedule.toOnCalendar());
      }),
    );
  });

  it("has no portable form where cron programs differ", () => {
    for (const expression of ["0 0 */2 * mon", "0 0 1 * */2"]) {
      assert.equal(cron(expression).isPortable, false);
      assert.throws(() => cron(expression).toCrontab(), /cron programs differ/);
    }
  });

  it("says which field is wrong, why, and what to write", () => {
    const reasons: [string, RegExp][] = [
      ["61 8 * * *", /"61 8 \* \* \*" can't be used: minute "61": 61 isn't from 0 to 59/],
      ["0 24 * * *", /hour "24": 24 isn't from 0 to 23/],
      ["0 0 0 * *", /day of month "0": 0 isn't from 1 to 31/],
      ["0 0 * 13 *", /month "13": 13 isn't from 1 to 12/],
      ["0 0 * * 8", /day of week "8": 8 isn't from 0 to 7/],
      ["0 0 * * monday", /day of week "monday": "monday" isn't .* three letters \(sun, mon/],
      ["0 8 * *", /has 4 of five fields; write five fields: minute/],
      ["0 0 8 * * *", /has 6 fields, and seconds or years aren't among them/],
      ["", /it is empty/],
      ["? * * * *", /minute "\?": \? is Quartz's way of writing \*; write \*/],
      ["0 0 L * *", /day of month "l": "l" isn't a number from 1 to 31/],
      ["5/15 * * * *", /minute "5\/15": a step needs a range; write 5-59\/15/],
      ["*/0 * * * *", /a step of 0/],
      ["*/90 * * * *", /a step of 90 in a range of 60 only ever meets 0; write 0/],
      ["*/x * * * *", /the step "x" isn't a number/],
      ["*/5/5 * * * *", /one step only/],
      ["0 22-2 * * *", /hour "22-2": the range runs backwards; write 22-23,0-2/],
      ["1-2-3 * * * *", /a range has two ends/],
      ["1- * * * *", /nothing at one side/],
      ["1,,2 * * * *", /a comma has nothing at one side/],
      ["*,5 * * * *", /stands alone/],
      ["-1 * * * *", /nothing at one side/],
      ["1.5 * * * *", /"1\.5" isn't a number/],
      ["0 0 30 2 *", /no month of "2" has a day 30, so it would never run/],
      ["0 0 31 apr,jun *", /no month of "apr,jun" has a day 31/],
      ["@reboot", /it may be one of @yearly, /],
      ["@every 5m", /it may be one of/],
    ];
    for (const [expression, reason] of reasons) {
      assert.throws(
        () => cron(expression),
        (error) => error instanceof InvalidValue && reason.test(error.message),
        expression,
      );
    }
  });

  it("takes any text without another kind of error", () => {
    const token = fc.constantFrom("*", "/", "-", ",", "1", "7", "59", " ", "mon", "@daily", "?", "L", "x");
    fc.assert(
      fc.property(fc.array(token, { maxLength: 16 }), (tokens) => {
        try {
          assert.equal(cron(tokens.join("")).next(new Date(0)).length, 1);
        } catch (error) {
          assert.ok(error instanceof InvalidValue, String(error));
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("writes calendar events for systemd", () => {
    const written: [string, string[]][] = [
      ["0 8 * * *", ["*-*-* 08:00:00 UTC"]],
      ["*/5 * * * *", ["*-*-* *:00/5:00 UTC"]],
      ["0 */6 * * *", ["*-*-* 00/6:00:00 UTC"]],
      ["0 2 * * 7", ["Sun *-*-* 02:00:00 UTC"]],
      ["0 2 * * fri-mon", ["Mon,Fri..Sun *-*-* 02:00:00 UTC"]],
      ["0 2 * * 1-5/2", ["Mon,Wed,Fri *-*-* 02:00:00 UTC"]],
      ["30 4 1,15 * 5", ["*-*-01,15 04:30:00 UTC", "Fri *-*-* 04:30:00 UTC"]],
      ["30 4 */10 2-4 5", ["Fri *-02..04-01,11,21,31 04:30:00 UTC"]],
      ["1,2,30 8-10,12 * * *", ["*-*-* 08..10,12:01,02,30:00 UTC"]],
      ["* * * * *", ["*-*-* *:*:00 UTC"]],
    ];
    for (const [expression, events] of written) assert.deepEqual(cron(expression).toOnCalendar(), events, expression);
    assert.deepEqual(cron("*/20 2 * * *", BERLIN).toOnCalendar(), ["*-*-* 02:00,20,40:00 Europe/Berlin"]);
  });

  it("meets a repeated hour once, and a skipped one not at all", () => {
    const daily = cron("30 2 * * *", BERLIN);
    const times = (after: string, count: number) =>
      daily.next(new Date(after), count).map((time) => time.toISOString());
    assert.deepEqual(times("2026-03-28T00:00:00Z", 2), ["2026-03-28T01:30:00.000Z", "2026-03-30T00:30:00.000Z"]);
    assert.deepEqual(times("2026-10-24T12:00:00Z", 2), ["2026-10-25T00:30:00.000Z", "2026-10-26T01:30:00.000Z"]);
    assert.deepEqual(times("2026-10-25T01:00:00Z", 1), ["2026-10-25T01:30:00.000Z"], "from within the second hour");
    assert.deepEqual(times("2026-10-25T00:30:00Z", 1), ["2026-10-26T01:30:00.000Z"], "from its first showing");
    assert.equal(daily.skipped(new Date("2026-01-01")), "2026-03-29 02:30");
    assert.equal(cron("0 2 * * *", BERLIN).skipped(new Date("2026-01-01")), "2026-03-29 02:00");
    assert.equal(cron("0 3 * * *", BERLIN).skipped(new Date("2026-01-01")), undefined);
    assert.equal(cron("0 0 * * *", { timeZone: "Africa/Cairo" }).skipped(new Date("2026-01-01")), "2026-04-24 00:00");
    assert.equal(cron("30 3 * * *", BERLIN).skipped(new Date("2026-01-01")), undefined);
    assert.equal(cron("30 2 * * mon", BERLIN).skipped(new Date("2026-01-01")), undefined);
    assert.equal(cron("*/10 * * * *", BERLIN).skipped(new Date("2026-01-01")), undefined);
    assert.equal(cron("30 2 * * *").skipped(new Date("2026-01-01")), undefined);
  });

  it("counts from after the moment given, and no further than asked", () => {
    const daily = cron("0 8 * * *");
    assert.deepEqual(daily.next(new Date("2026-01-01T08:00:00Z")), [new Date("2026-01-02T08:00:00Z")]);
    assert.deepEqual(daily.next(new Date("2026-01-01T07:59:59.999Z")), [new Date("2026-01-01T08:00:00Z")]);
    assert.deepEqual(daily.next(new Date("2026-01-01"), 0), []);
    assert.equal(daily.next(new Date("2199-12-30T12:00:00Z"), 5).length, 1, "systemd's calendar ends with 2199");
  });

  it("knows the shortest time between two runs", () => {
    const shortest: [string, string][] = [
      ["* * * * *", "1 minute"],
      ["*/5 * * * *", "5 minutes"],
      ["*/7 * * * *", "4 minutes"],
      ["55 * * * *", "1 hour"],
      ["0,59 * * * *", "1 minute"],
      ["0 8 * * *", "1 day"],
      ["0 23,1 * * *", "2 hours"],
      ["0 8 * * 1,4", "3 days"],
      ["0 0 1 * *", "28 days"],
      ["0 0 31 * *", "31 days"],
      ["0 0 1 1 *", "365 days"],
      ["0 0 29 2 *", "1461 days"],
      ["0 0 29 2 */6", "4382 days"],
      ["0 0 1,31 * *", "1 day"],
      ["0 0,23 1,15 * *", "23 hours"],
      ["0 0 1 * 1", "1 day"],
    ];
    for (const [expression, interval] of shortest) {
      assert.equal(cron(expression).minimumInterval().toString(), interval, expression);
    }
    const from = new Date("2026-01-01");
    assert.equal(cron("0 1,3 * * *", BERLIN).minimumInterval(from).toString(), "1 hour");
    assert.equal(cron("0 1,3 * * *").minimumInterval(from).toString(), "2 hours");
    assert.equal(cron("0 12 * * *", BERLIN).minimumInterval(from).toString(), "23 hours");
    assert.equal(cron("0 12 1 * *", BERLIN).minimumInterval(from).toString(), "28 days");
  });

  it("has no two runs closer than the shortest time", () => {
    fc.assert(
      fc.property(
        cronExpressions,
        moments,
        fc.constantFrom("UTC", "America/New_York"),
        (expression, after, timeZone) => {
          const schedule = cron(expression, { timeZone });
          const times = schedule.next(after, 20).map((time) => time.getTime());
          const closest = Math.min(...times.slice(1).map((time, index) => time - times[index]!));
          assert.ok(closest >= schedule.minimumInterval(after).toSeconds() * 1000);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("says in words when it runs", () => {
    const words: [string, string][] = [
      ["0 8 * * *", "daily at 08:00 UTC"],
      ["0 8,20 * * *", "daily at 08:00 and 20:00 UTC"],
      ["*/5 * * * *", "every 5 minutes"],
      ["* * * * *", "every minute"],
      ["30 * * * *", "every hour at :30"],
      ["0 */6 * * *", "every 6 hours"],
      ["0 2 * * 0", "Sundays at 02:00 UTC"],
      ["0 2 * * 1-5", "weekdays at 02:00 UTC"],
      ["0 2 * * 0,6", "weekends at 02:00 UTC"],
      ["0 2 * * 2-4", "Tuesdays to Thursdays at 02:00 UTC"],
      ["0 2 * * 1,3", "Mondays and Wednesdays at 02:00 UTC"],
      ["*/30 * * * 1-5", "every 30 minutes on weekdays UTC"],
      ["0 3 1 * *", "monthly on the 1st at 03:00 UTC"],
      ["0 3 22 * *", "monthly on the 22nd at 03:00 UTC"],
      ["0 3 13 * *", "monthly on the 13th at 03:00 UTC"],
      ["0 3 1 1 *", "yearly on 1 January at 03:00 UTC"],
      ["0  3 1 * mon", "0 3 1 * mon (UTC)"],
      ["*/7 1-5 * * *", "*/7 1-5 * * * (UTC)"],
      ["0 8 * jun *", "0 8 * jun * (UTC)"],
    ];
    for (const [expression, text] of words) assert.equal(cron(expression).describe(), text, expression);
    assert.equal(cron("0 8 * * *", BERLIN).describe(), "daily at 08:00 Europe/Berlin");
    assert.equal(cron("0 8 * * *", BERLIN).toString(), "0 8 * * * (Europe/Berlin)");
  });

  it("is made from an interval that divides an hour or a day", () => {
    const made: [Duration, string][] = [
      [Duration.minutes(1), "* * * * *"],
      [Duration.minutes(5), "*/5 * * * *"],
      [Duration.minutes(30), "*/30 * * * *"],
      [Duration.hours(1), "0 * * * *"],
      [Duration.hours(6), "0 */6 * * *"],
      [Duration.days(1), "0 0 * * *"],
    ];
    for (const [interval, expression] of made) {
      const schedule = Cron.every(interval, BERLIN);
      assert.equal(schedule.expression, expression);
      assert.equal(schedule.timeZone, "Europe/Berlin");
      assert.equal(Cron.every(interval).minimumInterval().compare(interval), 0);
    }
    assert.throws(() => Cron.every(Duration.minutes(7)), /every 7 minutes.*the nearest that does is 6 minutes/);
    assert.throws(() => Cron.every(Duration.hours(5)), /the nearest that does is 4 hours/);
    for (const interval of [Duration.minutes(59), Duration.seconds(30), Duration.seconds(0), Duration.days(2)]) {
      assert.throws(() => Cron.every(interval), InvalidValue);
    }
  });
});
