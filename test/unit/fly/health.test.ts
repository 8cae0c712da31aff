import assert from "node:assert/strict";
import { crashesOf } from "../../../targets/fly/deploy/health";
import type { Machine } from "../../../targets/fly/api/types";

const machine = (events: Machine["events"]): Machine => ({ id: "1", state: "started", events }) as Machine;
const exit = (timestamp: number, more: object = {}) => ({
  type: "exit",
  status: "stopped",
  timestamp,
  request: { exit_event: { exit_code: 1 }, ...more },
});
const launch = { type: "launch", status: "created", timestamp: 5 };

describe("A machine's crashes", () => {
  it("are those since it got its configuration, but not the stops that were asked for", () => {
    assert.equal(crashesOf(machine([exit(9), exit(7), launch, exit(3)])), 2);
    assert.equal(crashesOf(machine([exit(9, { exit_event: { requested_stop: true } }), launch])), 0);
    assert.equal(crashesOf(machine([launch])), 0);
  });

  it("are as many as its last one says, where the others are shown no more", () => {
    assert.equal(crashesOf(machine([exit(90, { restart_count: 6 }), exit(80, { restart_count: 5 })])), 7);
  });
});
