import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { Duration } from "../../../components/values/duration";
import { InvalidValue } from "../../../components/values/invalid";

const durations = fc.integer({ min: 0, max: 2 ** 40 }).map((seconds) => Duration.seconds(seconds));

describe("Duration", () => {
  it("reads back what it prints, for people and for systemd", () => {
    fc.assert(
      fc.property(durations, (duration) => {
        assert.equal(Duration.parse(duration.toString()).toSeconds(), duration.toSeconds());
        assert.equal(Duration.parse(duration.toSystemd()).toSeconds(), duration.toSeconds());
        assert.equal(Duration.parse(JSON.parse(JSON.stringify(duration)) as string).compare(duration), 0);
      }),
    );
  });

  it("means to systemd what it means here", function () {
    const seconds = [0, 1, 59, 60, 90, 3600, 5400, 86399, 86400, 90061, 31 * 86400, 400 * 86400 + 1];
    const spans = seconds.map((each) => Duration.seconds(each).toSystemd());
    const { error, stdout } = spawnSync("systemd-analyze", ["timespan", ...spans], {
      encoding: "utf8",
      env: { ...process.env, LC_ALL: "C" },
    });
    if (error !== undefined) {
      console.log("      left out: systemd-analyze isn't installed here");
      this.skip();
    }
    const read = [...stdout.matchAll(/[μu]s: (\d+)/g)].map(([, microseconds]) => Number(microseconds) / 1e6);
    assert.deepEqual(read, seconds);
  });

  it("counts 60, 3600 and 86400 seconds", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100_000 }), (amount) => {
        assert.equal(Duration.minutes(amount).toSeconds(), amount * 60);
        assert.equal(Duration.hours(amount).toMinutes(), amount * 60);
        assert.equal(Duration.days(amount).toHours(), amount * 24);
        assert.equal(Duration.days(amount).toDays(), amount);
      }),
    );
  });

  it("reads the usual spellings", () => {
    const spellings: [string, number][] = [
      ["30m", 1800],
      ["30min", 1800],
      [" 30 minutes ", 1800],
      ["1h 30m", 5400],
      ["1h30m", 5400],
      ["1.5h", 5400],
      ["1.1 hours", 3960],
      ["2 days", 172_800],
      ["1w", 604_800],
      ["0", 0],
      ["0s", 0],
    ];
    for (const [text, seconds] of spellings) assert.equal(Duration.parse(text).toSeconds(), seconds, text);
  });

  it("refuses what it can't read, and says what to write", () => {
    const texts = [
      "",
      "30",
      "m",
      "-5m",
      "1h 30",
      "1h,30m",
      "5M",
      "3 months",
      "5 Minutes",
      "0.3s",
      "1e3s",
      "Infinity s",
    ];
    for (const text of texts) assert.throws(() => Duration.parse(text), InvalidValue, text);
    assert.throws(() => Duration.parse("5M"), /unknown unit "M"; the units are s, m, h, d and w/);
    assert.throws(() => Duration.parse("30"), /write for example 30s, 15m/);
  });

  it("refuses amounts that aren't whole seconds from 0 up", () => {
    for (const amount of [-1, Number.NaN, Infinity, 0.5, 2 ** 53]) {
      assert.throws(() => Duration.seconds(amount), InvalidValue, String(amount));
    }
    assert.equal(Duration.minutes(0.5).toSeconds(), 30);
  });

  it("loses nothing in a conversion unless told to", () => {
    const duration = Duration.seconds(90);
    assert.throws(() => duration.toMinutes(), /1 minute 30 seconds isn't a whole number of minutes \(it is 1\.5\)/);
    assert.throws(() => duration.toDays(), InvalidValue);
    assert.equal(duration.toMinutes({ integral: false }), 1.5);
    fc.assert(
      fc.property(durations, (each) => {
        assert.ok(Math.abs(each.toDays({ integral: false }) * 86400 - each.toSeconds()) < 1e-3);
      }),
    );
  });

  it("speaks of one second and two seconds", () => {
    assert.equal(Duration.seconds(3661).toString(), "1 hour 1 minute 1 second");
    assert.equal(Duration.minutes(30).toString(), "30 minutes");
    assert.equal(Duration.seconds(0).toString(), "0 seconds");
    assert.equal(Duration.minutes(90).toSystemd(), "1h 30min");
  });

  it("sorts by length", () => {
    const sorted = [Duration.hours(1), Duration.seconds(5), Duration.minutes(2)].sort((a, b) => a.compare(b));
    assert.deepEqual(sorted.map(String), ["5 seconds", "2 minutes", "1 hour"]);
  });
});
