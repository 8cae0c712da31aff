import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import fc from "fast-check";
import { InvalidValue } from "../../../components/values/invalid";
import { Zone } from "../../../components/values/zone";
import { currentZones } from "../../../components/values/zoneNames";

describe("Zone", () => {
  it("takes every zone that it suggests, and each has a file where systemd looks", function () {
    const names = currentZones();
    assert.ok(names.length > 300);
    for (const name of names) assert.equal(Zone.named(name).name, name);
    if (!existsSync("/usr/share/zoneinfo/UTC")) {
      console.log("      left out: the time zone database isn't installed here");
      this.skip();
    }
    assert.deepEqual(
      names.filter((name) => !existsSync(`/usr/share/zoneinfo/${name}`)),
      [],
    );
  });

  it("refuses names that not every host has, with the right one", () => {
    const meant: [string, string | undefined][] = [
      ["europe/berlin", "Europe/Berlin"],
      ["Europe/BERLIN", "Europe/Berlin"],
      ["Europe/Berln", "Europe/Berlin"],
      ["US/Eastern", "America/New_York"],
      ["Asia/Calcutta", "Asia/Kolkata"],
      ["asia/kolkata", "Asia/Kolkata"],
      ["Europe/Kiev", "Europe/Kyiv"],
      ["America/Buenos_Aires", "America/Argentina/Buenos_Aires"],
      ["Asia/Dacca", "Asia/Dhaka"],
      ["utc", "UTC"],
      ["GMT", "UTC"],
      ["Berlin", undefined],
      ["+02:00", undefined],
      ["", undefined],
      ["Europe/Berlin; reboot", undefined],
    ];
    for (const [name, right] of meant) {
      const reason =
        right === undefined ? /write UTC, or a region and a city/ : new RegExp(`did you mean "${right}"\\?$`);
      assert.throws(
        () => Zone.named(name),
        (error) => error instanceof InvalidValue && reason.test(error.message),
        name,
      );
    }
  });

  it("finds the instant of what a wall clock shows", () => {
    const zones = fc.constantFrom(...currentZones());
    fc.assert(
      fc.property(zones, fc.integer({ min: 1e9, max: 4e9 }), (name, seconds) => {
        const zone = Zone.named(name);
        assert.ok(zone.instants(zone.wallClock(seconds * 1000)).includes(seconds * 1000));
      }),
      { numRuns: 300 },
    );
  });

  it("knows skipped and repeated times", () => {
    const zone = Zone.named("Europe/Berlin");
    const instants = (wall: string) =>
      zone.instants(Date.parse(`${wall}Z`)).map((each) => new Date(each).toISOString());
    assert.deepEqual(instants("2026-03-29T02:30"), []);
    assert.deepEqual(instants("2026-03-29T03:00"), ["2026-03-29T01:00:00.000Z"]);
    assert.deepEqual(instants("2026-10-25T02:30"), ["2026-10-25T00:30:00.000Z", "2026-10-25T01:30:00.000Z"]);
    assert.deepEqual(instants("2026-10-25T03:00"), ["2026-10-25T02:00:00.000Z"]);
  });

  it("finds when clocks are put forward", () => {
    const changes = (name: string) =>
      [...Zone.named(name).forwardChanges(Date.parse("2026-01-01T12:34:56.789Z"), Date.parse("2027-12-31"))].map(
        (each) => new Date(each).toISOString(),
      );
    assert.deepEqual(changes("Europe/Berlin"), ["2026-03-29T01:00:00.000Z", "2027-03-28T01:00:00.000Z"]);
    assert.deepEqual(changes("Australia/Lord_Howe"), ["2026-10-03T15:30:00.000Z", "2027-10-02T15:30:00.000Z"]);
    assert.deepEqual(changes("UTC"), []);
    assert.deepEqual(changes("Asia/Kolkata"), []);
  });
});
