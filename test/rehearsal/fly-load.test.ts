import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { flyCalls } from "./support/flyCalls";
import { FlyWorld } from "./support/flyWorld";
import { factsOf } from "./support/http";
import { RunningUp } from "./support/killed";
import { versionLoad, type Load, type Report } from "./support/load";
import { progress } from "./support/world";

/** Requests a second: more than any pause of a proxy would hide, less than a busy machine's containers can't answer. */
const perSecond = 40;

/** hotrod's two web machines have volumes and are changed one after the other; clausea's two of the API are blue and green. */
const cases = [
  { app: "hotrod", flyApp: "hotrod-prod", group: "web", root: "", updated: /web 1 is updated/ },
  { app: "clausea", flyApp: "clausea-prod", group: "api", root: "apps/backend/", updated: /api 2 is created/ },
] as const;

describe("Apps of two machines on Fly, under load", function () {
  this.timeout(600_000);
  let world: FlyWorld;
  const loads: Load[] = [];

  before(async () => {
    world = await FlyWorld.open(["hotrod", "clausea"]);
    await world.stack.configure({
      "clausea:target": "fly",
      "clausea:instances": { json: { api: 2 } },
      "clausea:allowFrom": undefined,
      "fly:propagation": "1s",
    });
    for (const { app, root } of cases) world.write(app, `${root}VERSION`, "one\n");
    progress(`the first \`up\` took ${(await world.mustUp()).seconds.toFixed(0)} s`);
  });
  after(() => (world as FlyWorld | undefined)?.close());
  afterEach(() => Promise.all(loads.splice(0).map((load) => load.end())));

  const startLoad = async (flyApp: string): Promise<Load> => {
    const load = versionLoad(await world.url(flyApp), perSecond);
    loads.push(load);
    return load;
  };
  /** That every request was answered, by these versions. */
  function assertServed({ sent, answered, failures, slowestMs }: Report, ...versions: readonly string[]): void {
    progress(`${sent} requests, ${failures.length} failed, the slowest took ${slowestMs.toFixed(0)} ms`);
    for (const failure of failures.slice(0, 5)) progress(failure);
    assert.deepEqual(failures, []);
    assert.deepEqual([...answered.keys()].sort(), [...versions].sort());
    assert.ok(sent > 100, `only ${sent} requests`);
  }
  const machinesOf = async (flyApp: string, group: string) =>
    [...((await world.machines(flyApp)) ?? new Map<string, never>())].filter(([name]) => name.startsWith(`${group}/`));

  for (const { app, flyApp, group, root, updated } of cases) {
    const file = (name: string): string => `${root}${name}`;

    describe(app, () => {
      it("brings a new version without losing a request", async () => {
        const load = await startLoad(flyApp);
        world.write(app, file("VERSION"), "two\n");
        await world.mustUp();
        assertServed(await load.end(), "one", "two");
        assert.equal((await factsOf(await world.url(flyApp))).version, "two");
      });

      it("loses no request where the engine is killed in the middle, and the next `up` converges", async () => {
        const load = await startLoad(flyApp);
        world.write(app, file("VERSION"), "three\n");
        const up = RunningUp.start(world.stack);
        await up.says(updated);
        await up.powerCut();
        assert.equal((await world.stack.pulumi(["cancel", "--yes"])).code, 0);
        await world.mustUp();
        assertServed(await load.end(), "two", "three");
        const machines = await machinesOf(flyApp, group);
        assert.deepEqual(
          machines.map(([name, { state, config }]) => [name, state, config.metadata?.["homeport_state"]]).sort(),
          [
            [`${group}/1`, "started", "proven"],
            [`${group}/2`, "started", "proven"],
          ],
        );
        const { counts } = await world.mustUp();
        assert.deepEqual(Object.keys(counts), ["unchanged"]);
      });

      it("puts back what served where the new version's health check fails, without losing a request", async () => {
        const load = await startLoad(flyApp);
        world.write(app, file("VERSION"), "four\n");
        world.write(app, file("FAULT"), "health\n");
        const { code, output } = await world.up();
        assert.notEqual(code, 0, output);
        assert.match(output, /isn't healthy/);
        assertServed(await load.end(), "three");
        rmSync(world.path(app, file("FAULT")));
        await world.mustUp();
        assert.equal((await factsOf(await world.url(flyApp))).version, "four");
      });
    });
  }

  describe("hotrod's volumes", () => {
    it("keep what lies on them through a new version, each its machine's", async () => {
      const calls = flyCalls(world.fly);
      for (const [name, { id }] of await machinesOf("hotrod-prod", "web")) {
        await calls.inside("hotrod-prod", id, "sh", "-c", `echo ${name} > /data/chroma/keep`);
      }
      world.write("hotrod", "VERSION", "five\n");
      await world.mustUp();
      for (const [name, { id }] of await machinesOf("hotrod-prod", "web")) {
        assert.equal(await calls.inside("hotrod-prod", id, "cat", "/data/chroma/keep"), name);
      }
    });
  });
});
