import assert from "node:assert/strict";
import { FlyBench } from "../support/fly/bench";
import { grown, scaled, withOtherSecrets } from "../support/fly/cases";
import type { Ended } from "../support/fly/driverProcess";
import { assertExact } from "../support/fly/exact";
import { behaviours, type PaperPlatform } from "../support/fly/platform";
import { planOf } from "../unit/fly/plans";
import type { FlySpec } from "../../targets/fly/plan";

const main = "hotrod-dev";

describe("Fly deploys that can't be, by the driver's own process", function () {
  this.timeout(120_000);
  let bench: FlyBench;
  let now: FlySpec;
  let platform: PaperPlatform;

  before(async () => {
    bench = new FlyBench();
    now = await planOf("hotrod", "1");
  });
  after(() => {
    bench.close();
  });
  beforeEach(async () => {
    platform = await bench.platform(now);
  });
  afterEach(() => platform.close());

  const up = (plan: FlySpec): Promise<Ended> => bench.drivers.start(platform.spec(plan)).ended;
  const changing = (): string[] =>
    platform.fly.journal.entries().flatMap((call) => (call.changes ? [`${call.method} ${call.path}`] : []));
  const machines = () =>
    Object.values(platform.state.machines).filter(({ app, state }) => app === main && state !== "destroyed");
  /** That a driver failed for a reason that it tells, without a stack trace or a secret. */
  function assertTold({ code, told }: Ended, ...patterns: readonly RegExp[]): void {
    assert.equal(code, 1, told);
    for (const pattern of [...patterns, / {2}where: /, / {2}why: /, / {2}fix: /]) assert.match(told, pattern);
    assert.doesNotMatch(told, /^\s+at .*:\d+:\d+/m);
    assert.doesNotMatch(told, /marker-/);
    assert.ok(!told.includes(platform.fly.token), "the token is told");
  }
  const versions = (): string[] => machines().map(({ id, instanceId }) => `${id} ${instanceId}`);

  it("stops at a release command that fails, shows its log, and leaves every machine as it is", async () => {
    const before = versions();
    assertTold(
      await up(await planOf("hotrod", behaviours.failingRelease)),
      /release command failed/,
      /relation exists/,
    );
    await platform.settled();
    assert.deepEqual(versions(), before);
    assertExact(platform.fly.world, platform.spec(now));
  });

  it("puts every machine back where the new version isn't healthy, and shows its log", async () => {
    assertTold(await up(await planOf("hotrod", behaviours.unhealthy)), /isn't healthy/, /can't find module/);
    await platform.settled();
    assertExact(platform.fly.world, platform.spec(now));
    assert.equal((await up(now)).code, 0);
    assertExact(platform.fly.world, platform.spec(now));
  });

  it("says that a region has no room, and leaves what runs", async () => {
    for (const region of platform.state.regions) region.capacity = 0;
    assertTold(await up(scaled(now, 1)), /no room in|hasn't room|room/, /fra/);
    await platform.settled();
    const found = machines().filter(({ state }) => state === "started");
    assert.equal(found.length, 3);
    for (const region of platform.state.regions) region.capacity = 10;
    assert.equal((await up(scaled(now, 1))).code, 0);
    await platform.settled();
    assertExact(platform.fly.world, platform.spec(scaled(now, 1)));
  });

  it("says that a name is another's before anything is changed", async () => {
    const fresh = await bench.platform();
    try {
      // The last one that is looked at: the others aren't made either.
      fresh.state.takenNames.push(`${main}--scheduler`);
      const ended = await bench.drivers.start(fresh.spec(now)).ended;
      assertTold(ended, /The name "hotrod-dev--scheduler" is taken/, /fly:names/);
      assert.deepEqual(Object.keys(fresh.state.apps), []);
      assert.ok(fresh.fly.journal.entries().every((call) => !call.changes));
    } finally {
      await fresh.close();
    }
  });

  it("says that a token has expired, before anything is changed", async () => {
    const [token] = platform.state.tokens;
    Object.assign(token!, { expiresAt: bench.time.clock.now() - 1000 });
    assertTold(await up(withOtherSecrets(now)), /token/, /fly tokens create/);
    assert.deepEqual(changing(), []);
  });

  it("never makes a volume smaller", async () => {
    const sizes = () => Object.values(platform.state.volumes).map(({ sizeGb }) => sizeGb);
    const before = sizes();
    const { told } = await up(grown(now, -1));
    assert.deepEqual(sizes(), before, told);
    assert.ok(!changing().some((call) => call.includes("/volumes")), told);
  });

  it("deploys a changed secret alone: the same image, every machine of the app with the new value", async () => {
    const before = new Set(versions());
    const other = withOtherSecrets(now);
    const { code, told } = await up(other);
    assert.equal(code, 0, told);
    await platform.settled();
    assertExact(platform.fly.world, platform.spec(other));
    assert.ok(versions().every((version) => !before.has(version)));
    assert.ok(machines().every(({ secretsVersion }) => secretsVersion === platform.state.apps[main]!.secretsVersion));
    assert.doesNotMatch(told, /marker-/);
  });

  it("scales down and up again onto the volumes that were there", async () => {
    const volumes = () => Object.keys(platform.state.volumes).sort();
    const before = volumes();
    for (const plan of [scaled(now, -1), now]) {
      const { code, told } = await up(plan);
      assert.equal(code, 0, told);
      await platform.settled();
      assertExact(platform.fly.world, platform.spec(plan), { before: now });
      assert.deepEqual(volumes(), before);
    }
  });

  it("ends at a signal, and the next deploy goes on", async () => {
    const next = await planOf("hotrod", "2");
    const first = bench.drivers.start(platform.spec(next));
    platform.onCall = (_number, { method, path }) => {
      if (method === "POST" && /\/machines\/\w+$/.test(path)) first.end("SIGINT");
    };
    const { code, told } = await first.ended;
    assert.equal(code, 130, told);
    platform.onCall = () => undefined;
    assert.equal((await up(next)).code, 0);
    await platform.settled();
    assertExact(platform.fly.world, platform.spec(next));
  });
});
