import * as dlm from "@aws-sdk/client-dlm";
import assert from "node:assert/strict";
import { Cli } from "./support/cli";
import { counted, inventory, oneOfEach } from "./support/ec2/cloud";
import { changingCalls, Ec2World } from "./support/ec2/world";
import { eventually, statusOf } from "./support/http";
import { RunningUp } from "./support/killed";

/**
 * Calls that make something, in the order in which a first `up` comes to them: those of one list wait for nothing but what
 * the lists before it have made.
 */
const moments: readonly (readonly string[])[] = [
  ["CreateRole", "CreateSecurityGroup", "CreateVolume", "AllocateAddress", "CreateLogGroup", "ImportKeyPair"],
  ["CreateInstanceProfile", "AuthorizeSecurityGroupEgress", "AuthorizeSecurityGroupIngress", "PutRolePolicy"],
  ["RunInstances", "POST /policies"],
  ["AttachVolume", "AssociateAddress", "PutMetricAlarm"],
];

/** Has `up` begin, AWS carry these calls out without an answer, and the machine that runs the engine lose its power then. */
async function cutOff(world: Ec2World, actions: readonly string[]): Promise<void> {
  for (const action of actions) await world.aws.fault({ action, kind: "answer held", times: 100 });
  await world.aws.clearCalls();
  const up = RunningUp.start(world.stack);
  const called = eventually(`${actions.join(" and ")} were called`, 120, async () => {
    const seen = (await world.aws.calls()).map(({ action }) => action);
    return actions.every((action) => seen.some((one) => one.startsWith(action)));
  });
  const ended = up.end().then(() => Promise.reject(new Error(`It came to an end before that:\n${up.output}`)));
  try {
    await Promise.race([called, ended]);
  } finally {
    await up.powerCut();
    await world.aws.clearFaults();
  }
}

async function cancel(world: Ec2World): Promise<void> {
  const { code, stdout, stderr } = await world.stack.pulumi(["cancel", "--yes"]);
  assert.equal(code, 0, stdout + stderr);
}

describe("A first `up` of EC2 that is killed from its first calls on (catscan)", function () {
  this.timeout(300_000);
  this.bail(true);
  let world: Ec2World;
  let homeport: Cli;

  before(async () => {
    world = await Ec2World.open(["catscan"]);
    homeport = new Cli(world);
    await world.aws.clearCalls();
  });
  after(async () => {
    (homeport as Cli | undefined)?.stop();
    await (world as Ec2World | undefined)?.close();
  });

  it("has recover say that the killed run still holds the stack, and change nothing", async () => {
    const [first = []] = moments;
    await cutOff(world, first);
    const { code, stderr } = await homeport.call(["recover"]);
    assert.equal(code, 1, stderr);
    assert.match(
      stderr,
      /Another run holds the stack[^]*fix: .*pulumi cancel --yes --stack prod, then homeport recover --stack prod/,
    );
    await cancel(world);
    const said = await homeport.must(["recover"]);
    for (const what of ["catscan-role", "catscan-group", "catscan-data", "catscan-address", "ec2-key-eu-central-1"]) {
      assert.match(said, new RegExp(`^${what} \\(aws:.*\\) is there: .+$`, "m"));
    }
  });

  for (const actions of moments.slice(1)) {
    it(`takes in what ${actions.join(", ")} made`, async () => {
      await cutOff(world, actions);
      await cancel(world);
      await homeport.must(["recover"]);
      assert.match(await homeport.must(["recover"]), /nothing is left/);
    });
  }

  it("converges by the next `up`, with one of each", async () => {
    const { output } = await world.mustUp();
    assert.doesNotMatch(output, /pending operations/);
    assert.equal(await statusOf(await world.url("catscan", "/health")), 200);
    assert.deepEqual(counted(await inventory(world)), oneOfEach);
    const { Policies = [] } = await new dlm.DLM(world.client()).getLifecyclePolicies({});
    assert.equal(Policies.length, 1);
    await world.aws.clearCalls();
    assert.deepEqual(Object.keys((await world.mustUp()).counts), ["unchanged"]);
    assert.deepEqual(await changingCalls(world.aws), []);
  });
});
