import assert from "node:assert/strict";
import { nextRuns } from "../hostFacts";
import { eventually, factsOf, jsonOf, statusOf } from "../http";
import { ids, schedules, unhealthy, type Five } from "./five";

/** Waits until all services are healthy, and looks at what else has to be back. */
async function isBack(five: Five): Promise<void> {
  const { world } = five;
  let ill: string[] = [];
  await eventually("all services are healthy", 60, async () => {
    ill = await unhealthy(world, (url) => statusOf(url, 3_000));
    return ill.length === 0;
  }).catch(async (error: unknown) => {
    const failed = await world.on("systemctl list-units --plain --no-legend --failed");
    throw new Error(`${String(error)} ${ill.join("; ")}; failed units: ${failed}`);
  });
  const timers = [...(await nextRuns(world.host, "prod")).keys()].sort();
  assert.deepEqual(timers, [...Object.keys(schedules), ...ids.map((id) => `${id}-watch`)].sort());
  const states = await world.on(`systemctl is-active ${timers.map((timer) => `${timer}.timer`).join(" ")} | sort -u`);
  assert.equal(states, "active");
  assert.equal((await factsOf(world.url(8000))).version, "3.0.0");
  const { processed } = await jsonOf<{ processed: number }>(world.url(8090, "/webhooks/jobs"));
  assert.equal(processed, 1, "hotrod's row is still there");
  const { counts } = await world.mustUp();
  assert.deepEqual(counts, { unchanged: five.first.counts["created"] });
}

/** The host goes down, and comes back by itself. */
export function restartTests(five: Five): void {
  it("has all apps, timers and data back after the host was rebooted", async () => {
    await five.world.host.reboot();
    await isBack(five);
  });

  it("has them back after a power cut in the middle of writes", async () => {
    const { world } = five;
    await world.on("systemctl start --no-block catscan-prod-job-gmail-import.service hotrod-prod-job-ingest.service");
    await world.host.kill();
    await world.host.start();
    await isBack(five);
    const check = "sqlite3 /var/lib/catscan-prod/data/catscan.db 'PRAGMA integrity_check'";
    assert.equal(await world.on(check), "ok");
  });
}
