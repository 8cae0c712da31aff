import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { guard, installGuard, Watched } from "../../../targets/ec2/guard/install";
import { mockAws } from "../../support/awsMocks";

const volume = "aws:ebs/volume:Volume";
const rolePolicy = "aws:iam/rolePolicy:RolePolicy";
const wide = JSON.stringify({ Statement: [{ Effect: "Allow", Action: "*", Resource: "arn:aws:s3:::b" }] });

/** A value that is told later, or never, as an output of a resource that isn't made yet. */
function later<T>() {
  let tell: (value: T) => void = () => undefined;
  const promise = new Promise<T>((resolve) => (tell = resolve));
  return { output: pulumi.output(promise), tell };
}
const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

describe("the guard, at one resource", () => {
  it("tells at once what is plain, though other inputs aren't known", () => {
    const told: string[] = [];
    const { output } = later<string>();
    new Watched(volume, "data", (text) => told.push(text)).watch({ availabilityZone: output, size: 1 });
    assert.equal(told.length, 1);
    assert.match(told[0] ?? "", /^data \(aws:ebs Volume\): Its disk isn't encrypted\.\n {3}why: .+\n {3}fix: /);
  });

  it("tells the rest as it comes to be known, and nothing twice", async () => {
    const told: string[] = [];
    const [policy, role] = [later<string>(), later<string>()];
    new Watched(rolePolicy, "wide", (text) => told.push(text)).watch({ policy: policy.output, role: role.output });
    assert.deepEqual(told, []);
    policy.tell(wide);
    await settled();
    assert.equal(told.length, 1);
    role.tell("role");
    await settled();
    assert.equal(told.length, 1);
  });

  it("sees into lists and maps of outputs", async () => {
    const told: string[] = [];
    const from = later<string>();
    const rule = { protocol: "tcp", fromPort: 22, toPort: 22, cidrBlocks: [from.output] };
    new Watched("aws:ec2/securityGroup:SecurityGroup", "open", (text) => told.push(text)).watch({ ingress: [rule] });
    assert.deepEqual(told, []);
    from.tell("0.0.0.0/0");
    await settled();
    assert.match(told.join(), /port 22/);
  });

  it("hands every input on as it is, secrets as secrets", async () => {
    const inputs = { size: 1, encrypted: true, tags: { Name: pulumi.secret("x"), list: [1, pulumi.output("y")] } };
    const copy = new Watched(volume, "data", (text) => assert.fail(text)).watch(inputs) as typeof inputs;
    assert.deepEqual([copy.size, copy.encrypted, copy.tags.list[0]], [1, true, 1]);
    assert.equal(await pulumi.isSecret(copy.tags.Name), true);
    const value = await new Promise((resolve) => pulumi.output(copy.tags).apply(resolve));
    assert.deepEqual(value, { Name: "x", list: [1, "y"] });
  });
});

describe("the guard, in a deploy", () => {
  const options = { transformations: [guard] };
  class Any extends pulumi.CustomResource {
    constructor(type: string, name: string, inputs: pulumi.Inputs) {
      super(type, name, inputs, options);
    }
  }

  it("keeps an unsafe resource from being registered", async () => {
    const { recorded } = await mockAws();
    assert.throws(() => new Any(volume, "data", { size: 1 }), /isn't encrypted/);
    assert.deepEqual(recorded, []);
  });

  it("fails the input by which a resource turns out to be unsafe, so that it is never registered", async () => {
    const policy = later<string>();
    const checked = guard({
      type: rolePolicy,
      name: "wide",
      props: { policy: policy.output, role: "role" },
      opts: {},
      resource: undefined as never,
    });
    policy.tell(wide);
    const { policy: watched } = checked?.props as { policy: { promise(): Promise<unknown> } };
    await assert.rejects(watched.promise(), { name: "Error", message: /allows \*/ });
  });

  it("lets the others be", async () => {
    const { recorded } = await mockAws();
    new Any(volume, "data", { size: 1, encrypted: pulumi.output(true) });
    await pulumi.runtime.disconnect();
    assert.deepEqual(
      recorded.map(({ inputs }) => inputs),
      [{ size: 1, encrypted: true }],
    );
  });

  it("changes no input of a preview", async () => {
    await mockAws({ preview: true });
    const props = { encrypted: true };
    assert.equal(guard({ type: volume, name: "data", props, opts: {}, resource: undefined as never }), undefined);
  });

  it("is installed only where there is a stack", async () => {
    await mockAws();
    assert.doesNotThrow(installGuard);
  });
});
