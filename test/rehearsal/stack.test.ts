import { ArgvWatch } from "./support/argvWatch";
import { destroyTests, leavings } from "./support/five/destroy";
import { failureTests } from "./support/five/failures";
import { freshTests } from "./support/five/fresh";
import type { Five } from "./support/five/five";
import { noOpTests } from "./support/five/noOp";
import { drainTests, redeployTests } from "./support/five/redeploy";
import { restartTests } from "./support/five/restarts";
import { secrecyTests } from "./support/five/secrecy";
import { givenSecrets, madePasswords } from "./support/secrets";
import { allApps, progress, World } from "./support/world";

describe("The five apps on one host, by the real engine", function () {
  this.timeout(600_000);
  const five = {} as { -readonly [K in keyof Five]: Five[K] };
  let opened: World | undefined;
  let client: ReturnType<typeof redeployTests> = () => undefined;
  let bare: readonly string[] = [];

  before(async () => {
    opened = await World.open({ apps: allApps });
    five.world = opened;
    bare = await leavings(opened);
    const watch = await ArgvWatch.start();
    progress("pulumi up, for the first time");
    const probe = five.world.on("sleep 10; sh -c 'sleep 0.2; :' probe-of-the-watcher");
    five.first = await five.world.up();
    await probe;
    const { commandLines, looks } = await watch.stop();
    progress(`it took ${five.first.seconds.toFixed(0)} s`);
    Object.assign(five, { commandLines, looks });
    five.secrets = [...givenSecrets(five.world.values), ...(await madePasswords(five.world.stack))];
  });
  after(() => opened?.close());

  describe("after the first `up`", () => {
    freshTests(five);
  });
  describe("when nothing has changed", () => {
    noOpTests(five);
  });
  describe("secrets", () => {
    secrecyTests(five);
  });
  describe("when code or a secret changes", () => {
    client = redeployTests(five);
  });
  describe("when a new version fails", () => {
    failureTests(five);
  });
  describe("when an old version's time is over", () => {
    drainTests(five, () => client());
  });
  describe("when the host restarts", () => {
    restartTests(five);
  });
  describe("at its end", () => {
    destroyTests(five, () => bare);
  });
});
