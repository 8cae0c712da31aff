import assert from "node:assert/strict";
import fc from "fast-check";
import { checkInputs, isDefaulted } from "../../../rehearsal/understudies/aws/check";
import { connectionOf } from "../../../rehearsal/understudies/aws/connection";
import { deletesFirst, diffInputs, isSameJson } from "../../../rehearsal/understudies/aws/diff";
import { resources } from "../../../rehearsal/understudies/aws/resources";
import { type Values, plain, unknown } from "../../../rehearsal/understudies/aws/schema";
import { partsOf } from "../../../rehearsal/understudies/aws/server";
import { volumeFailures } from "../../../rehearsal/understudies/aws/ec2/volume";

const typeOf = (token: string) => resources.get(token)!;
const instance = typeOf("aws:ec2/instance:Instance");
const group = typeOf("aws:ec2/securityGroup:SecurityGroup");
const check = (type: typeof instance, news: Values, olds: Values = {}) =>
  checkInputs(type, { name: "web", olds, news, region: "eu-central-1", random: "abc1234" });
const paths = (olds: Values, news: Values, ignored: string[] = []): string[] =>
  diffInputs(instance, olds, news, ignored).map(({ path, replaces }) => `${path}${replaces ? "!" : ""}`);

describe("The understudy of aws checks", () => {
  it("gives defaults, the provider's region and a name that stays", () => {
    const { inputs, failures } = check(group, {});
    assert.deepEqual(failures, []);
    assert.deepEqual(
      { ...inputs, __defaults: undefined },
      {
        name: "web-abc1234",
        region: "eu-central-1",
        description: "Managed by Pulumi",
        revokeRulesOnDelete: false,
        __defaults: undefined,
      },
    );
    assert.ok(isDefaulted(inputs, "name"));
    const again = checkInputs(group, { name: "web", olds: inputs, news: {}, region: "us-east-1", random: "ffffff0" });
    assert.equal(again.inputs["name"], "web-abc1234");
  });

  it("refuse what is missing, unknown, of another kind or not among the values, each by its place", () => {
    const { failures } = check(instance, {
      instanceType: 3,
      colour: "red",
      metadataOptions: { httpTokens: "maybe", hops: 1 },
      vpcSecurityGroupIds: ["sg-1", 2],
    });
    assert.deepEqual(
      failures.map(({ property }) => property),
      ["instanceType", "colour", "metadataOptions.httpTokens", "metadataOptions.hops", "vpcSecurityGroupIds[1]"],
    );
    assert.match(check(typeOf("aws:ebs/volume:Volume"), {}).failures[0]?.reason ?? "", /missing required argument/);
  });

  it("take what isn't known yet for any kind", () => {
    assert.deepEqual(check(instance, { instanceType: unknown, metadataOptions: unknown }).failures, []);
  });

  it("know the limits of volumes", () => {
    assert.deepEqual(volumeFailures({ type: "gp3", size: 10, iops: 3_000, throughput: 125 }), []);
    assert.deepEqual(
      volumeFailures({ type: "st1", size: 10, iops: 5 }).map(({ property }) => property),
      ["size", "iops"],
    );
  });
});

describe("The understudy of aws compares", () => {
  const olds = {
    ami: "ami-1",
    instanceType: "t3.micro",
    tags: { Name: "web", old: "1" },
    vpcSecurityGroupIds: ["sg-1", "sg-2"],
    rootBlockDevice: {
      volumeId: "vol-1",
      volumeSize: 8,
      volumeType: "gp3",
      encrypted: true,
      deleteOnTermination: true,
    },
    sourceDestCheck: true,
  };

  it("what the program asks for with what is there, and leaves to AWS what it doesn't name", () => {
    assert.deepEqual(
      paths(olds, { sourceDestCheck: true, tags: { Name: "web", old: "1" }, vpcSecurityGroupIds: ["sg-2", "sg-1"] }),
      [],
    );
    const wanted = {
      sourceDestCheck: true,
      tags: { Name: "api" },
      rootBlockDevice: { volumeSize: 9, deleteOnTermination: true },
    };
    assert.deepEqual(paths(olds, wanted), ["rootBlockDevice.volumeSize", "tags.Name", "tags.old"]);
  });

  it("and says what makes a new resource", () => {
    const wanted = { ...olds, ami: "ami-2", rootBlockDevice: { encrypted: false, deleteOnTermination: true } };
    assert.deepEqual(paths(olds, wanted), ["ami!", "rootBlockDevice.encrypted!"]);
    assert.deepEqual(paths(olds, wanted, ["ami", "rootBlockDevice"]), []);
    assert.deepEqual(paths(olds, { ...olds, ami: unknown }), ["ami!"]);
    assert.deepEqual(paths({ ...olds, userData: "a" }, { ...olds, userData: "b" }), ["userData"]);
    const replacing = { ...olds, userData: "b", userDataReplaceOnChange: true };
    assert.deepEqual(paths({ ...olds, userData: "a", userDataReplaceOnChange: true }, replacing), ["userData!"]);
  });

  it("and has the old one go first where the program chose the name", () => {
    const own = { name: "web", description: "a", __defaults: [] };
    assert.equal(deletesFirst(group, own, { ...own, description: "b" }), true);
    assert.equal(deletesFirst(group, own, { ...own, __defaults: ["name"] }), false);
    assert.equal(deletesFirst(group, own, { ...own, name: "api" }), false);
  });

  it("policies by their meaning", () => {
    assert.ok(isSameJson('{"a":["x"],"b":["2","1"]}', '{ "b": ["1", "2"], "a": "x" }'));
    assert.ok(!isSameJson('{"a":["x","y"]}', '{"a":["x"]}'));
    assert.ok(!isSameJson("{", '{"a":1}'));
    fc.assert(fc.property(fc.json(), (text) => isSameJson(text, JSON.stringify(JSON.parse(text)))));
  });
});

describe("The understudy of aws reads", () => {
  it("its configuration as the engine gives it", () => {
    const endpoints = '[{"ec2":"http://127.0.0.1:1","S3":"http://127.0.0.1:2"}]';
    const given = {
      region: "eu-central-1",
      accessKey: "a",
      secretKey: "b",
      endpoints,
      s3UsePathStyle: "true",
      maxRetries: "3",
    };
    assert.deepEqual(connectionOf(given, {}), {
      region: "eu-central-1",
      credentials: { accessKeyId: "a", secretAccessKey: "b" },
      endpoints: { ec2: "http://127.0.0.1:1", s3: "http://127.0.0.1:2" },
      pathStyle: true,
      attempts: 4,
    });
    assert.equal(connectionOf({ skipCredentialsValidation: "true" }, { AWS_REGION: "us-west-2" }).region, "us-west-2");
    assert.throws(() => connectionOf({}, {}), /pulumi config set aws:region/);
    assert.throws(
      () => connectionOf({ region: "x", assumeRoles: "[]" }, {}),
      /doesn't know this configuration: assumeRoles/,
    );
    assert.throws(() => connectionOf({ region: "x", endpoints: "localhost" }, {}), /expected a JSON list/);
  });

  it("the type and the name of a URN, whatever is in the name", () => {
    const urn = "urn:pulumi:prod::homeport::homeport:ec2:Host$aws:ec2/instance:Instance::a::b";
    assert.deepEqual(partsOf(urn), { type: "aws:ec2/instance:Instance", name: "a::b" });
  });

  it("values without the marks of secrets", () => {
    const secret = {
      "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
      value: { key: "k" },
    };
    assert.deepEqual(plain({ a: [secret], b: 1 }), { a: [{ key: "k" }], b: 1 });
  });
});
