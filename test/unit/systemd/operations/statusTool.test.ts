import assert from "node:assert/strict";
import { makeDesk, needPrograms, type Desk } from "../../tools/desk";

interface Timer {
  readonly name: string;
  readonly last: string | null;
  readonly result: string;
  readonly next: string | null;
}

describe("the host's status of schedules", () => {
  let desk: Desk;
  before(() => needPrograms("jq"));
  beforeEach(() => {
    desk = makeDesk();
    desk.write("etc/homeport/shop-prod/alert", "APP=shop\nSTACK=prod\n");
    desk.write("etc/homeport/shop-prod/state", "");
  });
  afterEach(() => {
    desk.remove();
  });

  const timersOf = async (units: readonly string[]): Promise<readonly Timer[]> => {
    desk.write("units", units.join("\n\n") + "\n");
    // Only --all makes systemctl tell of services that aren't running.
    desk.script("systemctl", `[[ " $* " == *" --all "* ]] && cat '${desk.root}/units'`);
    const { code, stdout, stderr } = await desk.run("status", ["shop-prod"]);
    assert.equal(code, 0, stderr);
    return (JSON.parse(stdout) as { timers: Timer[] }).timers;
  };

  it("reads the dates that systemd prints for timers, and takes the newest run", async () => {
    const timers = await timersOf([
      "Id=shop-prod-job-x.timer\nActiveState=active\nUnit=shop-prod-job-x.service\nLastTriggerUSec=Sat 2026-11-21 08:00:00 UTC\nNextElapseUSecRealtime=Sun 2026-11-22 08:00:00 UTC",
      "Id=shop-prod-job-x.service\nActiveState=inactive\nResult=success\nExecMainStartTimestamp=@1795253234",
    ]);
    const [timer] = timers;
    assert.equal(timer?.next, "2026-11-22T08:00:00Z");
    assert.equal(timer.last, "2026-11-21T09:27:14Z");
    assert.equal(timer.result, "success");
  });

  it("tells of a run that a person started before the timer's first", async () => {
    const timers = await timersOf([
      "Id=shop-prod-job-x.timer\nActiveState=active\nUnit=shop-prod-job-x.service\nLastTriggerUSec=\nNextElapseUSecRealtime=",
      "Id=shop-prod-job-x.service\nActiveState=failed\nResult=exit-code\nExecMainStartTimestamp=@1795253234",
    ]);
    assert.deepEqual(timers, [
      { name: "job-x", state: "active", last: "2026-11-21T09:27:14Z", result: "exit-code", next: null },
    ]);
  });

  it("doesn't take a run that systemd has forgotten for a good one", async () => {
    const [timer] = await timersOf([
      "Id=shop-prod-job-x.timer\nActiveState=active\nUnit=shop-prod-job-x.service\nLastTriggerUSec=Sat 2026-11-21 08:00:00 UTC\nNextElapseUSecRealtime=",
      "Id=shop-prod-job-x.service\nActiveState=inactive\nResult=success\nExecMainStartTimestamp=",
    ]);
    assert.deepEqual([timer?.last, timer?.result], ["2026-11-21T08:00:00Z", "none"]);
  });

  it("knows nothing of what never ran", async () => {
    const timers = await timersOf([
      "Id=shop-prod-job-x.timer\nActiveState=active\nUnit=shop-prod-job-x.service\nLastTriggerUSec=n/a\nNextElapseUSecRealtime=n/a",
      "Id=shop-prod-job-x.service\nActiveState=inactive\nResult=success\nExecMainStartTimestamp=",
    ]);
    assert.deepEqual(timers, [{ name: "job-x", state: "active", last: null, result: "none", next: null }]);
  });
});
