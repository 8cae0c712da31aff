import assert from "node:assert/strict";
import { appendFileSync } from "node:fs";
import { mainPids } from "./support/hostFacts";
import { eventually, factsOf } from "./support/http";
import { RunningUp } from "./support/killed";
import { versionLoad, type Load } from "./support/load";
import { call, succeeded, World } from "./support/world";

/** Lines at which a deploy is cut off: before, in the middle of and after each thing that it does to the host. */
const firstMoments = [/homeport:index:App catscan/, /installs jq|user catscan-prod/, /catscan-prod: sends/];
const laterMoments = [
  /catscan-prod: sends/,
  /installs Python packages/,
  /release \w+ is ready/,
  /slot [ab] is healthy/,
  /on slot [ab]/,
];

describe("An `up` that is cut off (catscan on one host)", function () {
  this.timeout(600_000);
  let world: World;
  let version = 1;
  const loads: Load[] = [];

  before(async () => {
    world = await World.open({ apps: ["catscan"] });
  });
  after(() => (world as World | undefined)?.close());

  afterEach(() => Promise.all(loads.splice(0).map((load) => load.end())));

  /** Clients that ask all the time, until the test's end at the latest. */
  const someLoad = (): Load => {
    const load = versionLoad(world.url(8000), 20);
    loads.push(load);
    return load;
  };

  /** Deploys the next version, cut off when a line comes. */
  const startUp = async (moment: RegExp): Promise<RunningUp> => {
    version += 1;
    world.setVersion("catscan", `${version}.0.0`);
    // Packages are kept by what asks for them.
    if (moment.test("installs Python packages")) {
      appendFileSync(world.code("catscan", "requirements.txt"), `# ${version}\n`);
    }
    const up = RunningUp.start(world.stack);
    await up.says(moment);
    return up;
  };

  /** What the engine's users do after a kill. */
  const cancel = async (): Promise<void> => {
    const { code, stdout, stderr } = await world.stack.pulumi(["cancel", "--yes"]);
    assert.equal(code, 0, stdout + stderr);
  };

  /** Everything is there once, and nothing that the cut left. */
  const converged = async (): Promise<void> => {
    const { host } = world;
    assert.equal((await factsOf(world.url(8000))).version, `${version}.0.0`);
    await eventually("one slot serves", 40, async () => {
      const units = [...(await mainPids(host, "catscan-prod")).keys()];
      return (
        units.filter((unit) => unit.includes("-api-")).length === 1 && !units.some((unit) => unit.includes("drain"))
      );
    });
    assert.equal(await world.on("pgrep -fc 'uvicorn api.main:app'"), "1");
    assert.equal(await world.on("grep -c '^api ' /etc/homeport/catscan-prod/state"), "1");
    assert.equal(await world.on("ls /etc/homeport/catscan-prod/*.next /run/homeport/stage* 2>/dev/null | cat"), "");
    assert.equal(await world.on("for r in /opt/catscan-prod/releases/*; do [ -e $r/.complete ] || echo $r; done"), "");
    assert.equal(await world.on("sort /var/lib/homeport/ports | uniq -d"), "");
    const { counts } = await world.mustUp();
    assert.deepEqual(Object.keys(counts), ["unchanged"]);
  };

  for (const [index, moment] of firstMoments.entries()) {
    it(`first deploy, engine killed at "${moment.source}"`, async () => {
      const up = await startUp(moment);
      await up.killEngine();
      if (index === 0) {
        const locked = await world.up();
        assert.notEqual(locked.code, 0);
        assert.match(locked.output, /currently locked by 1 lock.*`pulumi cancel`/s);
      }
      await cancel();
    });
  }

  it("first deploy: the next `up` converges after these kills, and finds what was made before", async () => {
    await world.mustUp();
    await converged();
  });

  it("first deploy: what the engine says of pending operations goes by the command that clears them", async () => {
    const pending = /warning: Attempting to deploy or update resources with \d pending operations/;
    assert.match((await world.mustUp()).output, pending);
    const clear = ["refresh", "--yes", "--skip-preview", "--clear-pending-creates"];
    assert.equal((await world.stack.pulumi(clear)).code, 0);
    assert.doesNotMatch((await world.mustUp()).output, pending);
  });

  for (const moment of laterMoments) {
    it(`redeploy, engine killed at "${moment.source}": the version before or the new one serves, without a gap`, async () => {
      const load = someLoad();
      const up = await startUp(moment);
      await up.killEngine();
      await cancel();
      assert.deepEqual((await load.end()).failures, []);
    });
  }

  it("redeploy: the next `up` converges after these kills, without a gap", async () => {
    const load = someLoad();
    await world.mustUp();
    assert.deepEqual((await load.end()).failures, []);
    await converged();
  });

  for (const moment of laterMoments) {
    it(`redeploy, ssh killed at "${moment.source}": told, and served without a gap`, async () => {
      const load = someLoad();
      const up = await startUp(moment);
      const killed = up.killSsh();
      const code = await up.end();
      assert.ok(killed > 0, up.output);
      assert.notEqual(code, 0);
      assert.match(up.output, /The session with the host broke off\.\n +where: .*\n +why: .*\n +fix: deploy again/);
      assert.deepEqual((await load.end()).failures, []);
    });
  }

  it("redeploy: the next `up` converges after these breaks, without a gap", async () => {
    const load = someLoad();
    await world.mustUp();
    assert.deepEqual((await load.end()).failures, []);
    await converged();
  });

  it("interrupted by Ctrl-C, ends at once and leaves no lock", async () => {
    const up = await startUp(/catscan-prod: sends/);
    up.interrupt();
    assert.notEqual(await up.end(), 0);
    succeeded(await call(() => world.stack.up()));
    await converged();
  });
});
