import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { flyCalls } from "./support/flyCalls";
import { FlyWorld } from "./support/flyWorld";
import { factsOf } from "./support/http";
import { RunningUp } from "./support/killed";
import { versionLoad, type Load, type Report } from "./support/load";
import { progress } from "./support/world";

/** Requests a second to each app: more than any pause of a proxy would hide, less than a busy machine's containers can't answer. */
const perSecond = 20;

/** hotrod's two web machines have volumes and are changed one after the other; clausea's two of the API are blue and green. */
const cases = [
  { app: "hotrod", flyApp: "hotrod-prod", group: "web", root: "" },
  { app: "clausea", flyApp: "clausea-prod", group: "api", root: "apps/backend/" },
] as const;
/** What the first of them to be in the middle of its change says. */
const inTheMiddle = /web 1 is updated|api 2 is created/;

describe("Two apps of two machines each on Fly, under load", function () {
  this.timeout(600_000);
  let world: FlyWorld;
  const loads = new Map<string, Load>();

  before(async () => {
    world = await FlyWorld.open(["hotrod", "clausea"]);
    await world.stack.configure({
      "clausea:target": "fly",
      "clausea:instances": { json: { api: 2 } },
      "clausea:allowFrom": undefined,
      "fly:propagation": "1s",
    });
    write("VERSION", "one\n");
    progress(`the first \`up\` took ${(await world.mustUp()).seconds.toFixed(0)} s`);
  });
  after(() => (world as FlyWorld | undefined)?.close());
  afterEach(endLoads);

  /** Puts something into a file of both apps' code. */
  function write(file: string, text: string): void {
    for (const { app, root } of cases) world.write(app, `${root}${file}`, text);
  }
  async function startLoads(): Promise<void> {
    for (const { flyApp } of cases) loads.set(flyApp, versionLoad(await world.url(flyApp), perSecond));
  }
  async function endLoads(): Promise<[string, Report][]> {
    const ended = [...loads].map(async ([app, load]): Promise<[string, Report]> => [app, await load.end()]);
    loads.clear();
    return Promise.all(ended);
  }
  /** That every request since the loads began was answered, by these versions. */
  async function assertServed(...versions: readonly string[]): Promise<void> {
    const reports = await endLoads();
    assert.equal(reports.length, cases.length);
    for (const [app, { sent, failures, slowestMs }] of reports) {
      progress(`${app}: ${sent} requests, ${failures.length} failed, the slowest took ${slowestMs.toFixed(0)} ms`);
      for (const failure of failures.slice(0, 5)) progress(failure);
    }
    for (const [app, { sent, answered, failures }] of reports) {
      assert.deepEqual(failures, [], app);
      assert.deepEqual([...answered.keys()].sort(), [...versions].sort(), app);
      assert.ok(sent > 100, `${app}: only ${sent} requests`);
    }
  }
  async function assertVersion(version: string): Promise<void> {
    for (const { flyApp } of cases) assert.equal((await factsOf(await world.url(flyApp))).version, version, flyApp);
  }
  const machinesOf = async (flyApp: string, group: string) =>
    [...((await world.machines(flyApp)) ?? new Map<string, never>())].filter(([name]) => name.startsWith(`${group}/`));

  it("bring a new version without losing a request", async () => {
    await startLoads();
    write("VERSION", "two\n");
    await world.mustUp();
    await assertServed("one", "two");
    await assertVersion("two");
  });

  it("lose no request where the engine is killed in the middle, and the next `up` converges", async () => {
    await startLoads();
    write("VERSION", "three\n");
    const up = RunningUp.start(world.stack);
    await up.says(inTheMiddle);
    await up.powerCut();
    assert.equal((await world.stack.pulumi(["cancel", "--yes"])).code, 0);
    await world.mustUp();
    await assertServed("two", "three");
    for (const { flyApp, group } of cases) {
      const machines = await machinesOf(flyApp, group);
      assert.deepEqual(
        machines.map(([name, { state, config }]) => [name, state, config.metadata?.["homeport_state"]]).sort(),
        [
          [`${group}/1`, "started", "proven"],
          [`${group}/2`, "started", "proven"],
        ],
      );
    }
    const { counts } = await world.mustUp();
    assert.deepEqual(Object.keys(counts), ["unchanged"]);
  });

  it("put back what served where the new version ends at its start, without losing a request", async () => {
    await startLoads();
    write("VERSION", "four\n");
    write("FAULT", "boot\n");
    const { code, output } = await world.up();
    assert.notEqual(code, 0, output);
    for (const { group } of cases) assert.match(output, new RegExp(`new version of ${group} isn't healthy`));
    await assertServed("three");
    for (const { app, root } of cases) rmSync(world.path(app, `${root}FAULT`));
    await world.mustUp();
    await assertVersion("four");
  });

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
