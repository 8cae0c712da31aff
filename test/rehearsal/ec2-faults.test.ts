import assert from "node:assert/strict";
import { counted, inventory, oneOfEach } from "./support/ec2/cloud";
import { changingCalls, Ec2World } from "./support/ec2/world";
import { eventually, statusOf } from "./support/http";
import { RunningUp } from "./support/killed";

async function converged(world: Ec2World): Promise<void> {
  assert.equal(await statusOf(await world.url("catscan", "/health")), 200);
  assert.deepEqual(counted(await inventory(world)), oneOfEach);
  await world.aws.clearCalls();
  assert.deepEqual(Object.keys((await world.mustUp()).counts), ["unchanged"]);
  assert.deepEqual(await changingCalls(world.aws), []);
}

describe("When AWS fails (catscan on EC2)", function () {
  this.timeout(300_000);
  let world: Ec2World;

  before(async () => {
    world = await Ec2World.open(["catscan"]);
  });
  after(() => (world as Ec2World | undefined)?.close());
  afterEach(() => world.aws.clearFaults());

  for (const [what, path, wrong, right, said] of [
    [
      "SSH from everywhere",
      "ec2:sshFrom[0]",
      () => "0.0.0.0/0",
      () => `${world.site.gateway}/32`,
      /0\.0\.0\.0\/0 would open SSH to everyone.*fix: .*ec2:sshFrom\[0\]/s,
    ],
    ["an unknown instance type", "ec2:instances.catscan.type", () => "t3.gigantic", () => "t3.micro", /t3\.gigantic/],
  ] as const) {
    it(`refuses ${what} at preview, and has changed nothing`, async () => {
      await world.aws.clearCalls();
      await world.set({ [path]: wrong() });
      const { code, stdout, stderr } = await world.stack.preview();
      await world.set({ [path]: right() });
      assert.notEqual(code, 0);
      assert.match(stdout + stderr, said);
      assert.doesNotMatch(stdout + stderr, /\n +at .*\.(ts|js):\d+/);
      assert.deepEqual(await changingCalls(world.aws), []);
    });
  }

  it("says what to do where AWS has no machine left, and keeps what was made", async () => {
    await world.aws.fault({ action: "RunInstances", kind: "no capacity", times: 50 });
    const refused = await world.up();
    assert.notEqual(refused.code, 0);
    assert.match(refused.output, /InsufficientInstanceCapacity/);
    // By itself the provider tries 25 times.
    const tries = (await world.aws.calls()).filter(({ action }) => action === "RunInstances").length;
    assert.ok(tries < 10, `${tries} tries`);
    assert.deepEqual((await inventory(world)).instances, []);
  });

  it("deploys on the next `up`, throttled and with errors in between, with one of each", async () => {
    for (const action of ["RunInstances", "CreateVolume", "AttachVolume", "DescribeInstances", "PutMetricAlarm"]) {
      await world.aws.fault({ action, kind: "throttled", times: 2 });
    }
    for (const action of ["AssociateAddress", "DescribeVolumes", "GetConsoleOutput"]) {
      await world.aws.fault({ action, kind: "server error" });
    }
    await world.mustUp();
    await converged(world);
  });
});

describe("When an answer of AWS is lost (catscan on EC2)", function () {
  this.timeout(300_000);
  let world: Ec2World;

  before(async () => {
    world = await Ec2World.open(["catscan"]);
  });
  after(() => (world as Ec2World | undefined)?.close());

  it("doubles nothing", async () => {
    for (const action of ["RunInstances", "CreateVolume", "PutRolePolicy", "AttachVolume", "AssociateAddress"]) {
      await world.aws.fault({ action, kind: "answer lost" });
    }
    const first = await world.up();
    if (first.code !== 0) await world.mustUp();
    await converged(world);
  });
});

describe("An `up` of EC2 that is cut off (catscan)", function () {
  this.timeout(300_000);
  let world: Ec2World;

  before(async () => {
    world = await Ec2World.open(["catscan"]);
    // Everything around the machine is there first. What AWS knows by a name alone is refused where it is there already, by
    // any program: after a run that is killed while it makes such a thing comes `homeport recover` (ec2-cut-off.test.ts).
    await world.aws.fault({ action: "RunInstances", kind: "no capacity", times: 30 });
    assert.notEqual((await world.up()).code, 0);
    await world.aws.clearFaults();
    await world.aws.clearCalls();
  });
  after(() => (world as Ec2World | undefined)?.close());

  const cancel = async (): Promise<void> => {
    const { code, stdout, stderr } = await world.stack.pulumi(["cancel", "--yes"]);
    assert.equal(code, 0, stdout + stderr);
  };

  for (const [when, moment, call] of [
    ["while the instance boots", /catscan-instance creating/, "RunInstances"],
    ["while its disk is attached", /catscan-data-attachment creating/, "AttachVolume"],
    ["during the deploy", /catscan-prod: host: user/, undefined],
  ] as const) {
    it(`engine killed ${when}`, async () => {
      const up = RunningUp.start(world.stack);
      await up.says(moment);
      if (call !== undefined) {
        await eventually(`${call} was called`, 30, async () =>
          (await world.aws.calls()).some(({ action }) => action === call),
        );
      }
      await up.killEngine();
      await cancel();
    });
  }

  it("the next `up` converges after these kills, with one of each", async () => {
    await world.mustUp();
    await converged(world);
  });
});
