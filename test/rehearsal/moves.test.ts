import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { apps } from "../../apps";
import { targets } from "../../targets";
import { parityOf } from "../support/parity";
import { isThere } from "./support/moveChecks";
import { elsewhere, ups } from "./support/moveTable";
import { MoveWorld } from "./support/moveWorld";
import { allApps, progress } from "./support/world";

describe("the table of moves", () => {
  it("has every app on every target that takes it, but for what other rehearsals have", async function () {
    this.timeout(60_000);
    const folder = mkdtempSync(join(tmpdir(), "homeport-parity-"));
    try {
      const cells = await parityOf(apps, targets, folder);
      const allowed = cells.filter(({ problems, unless }) => problems.length === 0 || unless !== undefined);
      const here = ups.flatMap((homes) => Object.entries(homes).map((pair) => pair.join(" ")));
      const covered = new Set([...here, ...Object.values(elsewhere).flat()]);
      assert.deepEqual([...covered].sort(), allowed.map(({ app, target }) => `${app} ${target}`).sort());
      for (const file of Object.keys(elsewhere)) assert.ok(existsSync(join(__dirname, file)), file);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("the five apps, moved between all five targets by their stack lines", function () {
  this.timeout(900_000);
  let world: MoveWorld;

  before(async () => {
    world = await MoveWorld.open();
  });
  after(() => world.close());

  ups.forEach((homes, index) => {
    const before = ups[index - 1];
    const moved = allApps.filter((app) => homes[app] !== before?.[app]);
    const line = moved.map((app) => `${app} ${before === undefined ? "on" : `from ${before[app]} to`} ${homes[app]}`);

    it(`come up at their places, and run nowhere else: ${line.join(", ")}`, async () => {
      const { seconds } = await world.moveTo(homes);
      progress(`the \`up\` took ${seconds.toFixed(0)} s`);
      await Promise.all(moved.map((app) => isThere(world, app)));
      for (const app of moved) {
        if (before !== undefined)
          assert.deepEqual(await world.running(app, before[app]), [], `${app} on ${before[app]}`);
        // What tells of nothing at an old place tells of something at the present one.
        assert.notDeepEqual(await world.running(app, homes[app]), [], `${app} on ${homes[app]}`);
      }
      assert.deepEqual(Object.keys((await world.mustUp()).counts), ["unchanged"]);
    });
  });
});
