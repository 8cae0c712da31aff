import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { factsOf } from "../http";
import { versionLoad } from "../load";
import { mainPids } from "../hostFacts";
import type { AppName, World } from "../world";
import type { Five } from "./five";

const ports: Partial<Record<AppName, number>> = { catscan: 8000, hotrod: 8090, clausea: 8010 };

/** Deploys a broken version, which has to fail while the one before answers every request. @returns what `up` printed */
async function fails(world: World, broken: Partial<Record<AppName, string>>): Promise<string> {
  const apps = Object.keys(broken) as AppName[];
  const before = await Promise.all(apps.map(async (app) => (await factsOf(world.url(ports[app]!))).version));
  for (const app of apps) {
    world.setFault(app, broken[app]);
    world.setVersion(app, "broken");
  }
  const loads = apps.map((app) => versionLoad(world.url(ports[app]!), 20));
  const { code, output } = await world.up();
  await delay(500);
  const reports = await Promise.all(loads.map((load) => load.end()));
  assert.notEqual(code, 0, output);
  reports.forEach((report, index) => {
    assert.deepEqual(report.failures, [], apps[index]);
    assert.deepEqual(
      [...report.answered.keys()],
      [before[index]],
      `${apps[index] ?? ""}: only the version before answers`,
    );
  });
  return output;
}

/** Versions that must not get through. */
export function failureTests(five: Five): void {
  it("keeps hotrod's version when the release step of a new one fails, and shows the step's last lines", async () => {
    const worker = [...(await mainPids(five.world.host, "hotrod-prod"))].filter(([unit]) => unit.includes("worker"));
    const output = await fails(five.world, { hotrod: "release" });
    assert.match(output, /FAULT release: the migration fails/);
    assert.match(output, /The release step of web failed\./);
    assert.match(output, /fix: /);
    const now = [...(await mainPids(five.world.host, "hotrod-prod"))].filter(([unit]) => unit.includes("worker"));
    assert.deepEqual(now, worker, "the worker is the same process");
  });

  it("keeps catscan's version when a new one ends at its start, and shows its last lines", async () => {
    const output = await fails(five.world, { catscan: "boot" });
    assert.match(output, /FAULT boot: refusing to start/);
    assert.match(output, /The new version of api isn't healthy/);
  });

  it("keeps the version before when a new one answers 503 or never, until its start's time is over", async () => {
    const output = await fails(five.world, { catscan: "health", clausea: "hang" });
    assert.match(output, /why: It answers 503 to \/health, 60 s after its start/);
    // Both of clausea's services hang: whichever is asked last when the time is over is the one that is told.
    assert.match(output, /why: It gives no HTTP answer to \/(_stcore\/)?health, \d+ s after its start/);
    assert.equal([...output.matchAll(/^ +fix: correct the code or its variables/gm)].length >= 2, true);
  });

  it("leaves nothing of the broken versions running, and deploys the next good one", async () => {
    const { world } = five;
    for (const app of ["catscan", "hotrod", "clausea"] as const) {
      world.setFault(app, undefined);
      world.setVersion(app, "3.0.0");
    }
    const { counts } = await world.mustUp();
    assert.equal(counts["updated"], 3);
    for (const app of ["catscan", "hotrod", "clausea"] as const) {
      assert.equal((await factsOf(world.url(ports[app]!))).version, "3.0.0", app);
    }
    assert.deepEqual((await world.mustUp()).counts, { unchanged: five.first.counts["created"] });
  });
}
