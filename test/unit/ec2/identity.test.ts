import assert from "node:assert/strict";
import fc from "fast-check";
import { hostRole, type HostRoleArgs } from "../../../targets/ec2/identity";
import { awsName } from "../../../targets/ec2/names";
import { monitoringPolicy } from "../../../targets/ec2/policies/host";
import { promiseOf } from "../../support/mocks";
import { register } from "./parts";

const group = "arn:aws:logs:eu-central-1:123456789012:log-group:/homeport/prod/catscan";
const args: HostRoleArgs = {
  name: "main",
  region: "eu-central-1",
  stack: "prod",
  logGroupArns: [group],
  namespace: "Homeport/prod",
  session: false,
  tags: { "homeport:host": "main" },
};
const role = "aws:iam/role:Role";
const attachment = "aws:iam/rolePolicyAttachment:RolePolicyAttachment";

describe("a host's role", () => {
  it("is EC2's to take alone, below the stack's path", async () => {
    const { registered } = await register((parent) => hostRole(parent, args));
    const { assumeRolePolicy, path, name, tags } = registered.inputs(role);
    assert.deepEqual(JSON.parse(String(assumeRolePolicy)), {
      Version: "2012-10-17",
      Statement: [
        { Sid: "Service", Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" },
      ],
    });
    assert.deepEqual({ path, name, tags }, { path: "/homeport/prod/", name: "homeport-prod-main", tags: args.tags });
    assert.equal(registered.inputs("aws:iam/instanceProfile:InstanceProfile").role, "homeport-prod-main");
  });

  it("writes to its own log groups and its own namespace of metrics, and may do nothing else", async () => {
    const { registered } = await register((parent) => hostRole(parent, args));
    assert.equal(registered.ofType("aws:iam/rolePolicy:RolePolicy").length, 1);
    assert.deepEqual(registered.policy("main-monitoring").Statement, [
      {
        Sid: "Logs",
        Effect: "Allow",
        Action: ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:GetLogEvents", "logs:PutLogEvents"],
        Resource: [`${group}:*`],
      },
      {
        Sid: "Metrics",
        Effect: "Allow",
        Action: ["cloudwatch:PutMetricData"],
        Resource: "*",
        Condition: { StringEquals: { "cloudwatch:namespace": "Homeport/prod" } },
      },
    ]);
    assert.deepEqual(registered.ofType(attachment), []);
  });

  it("asks for no right to logs where there are none", () => {
    assert.deepEqual(
      monitoringPolicy([], "Homeport/prod").Statement.map(({ Sid }) => Sid),
      ["Metrics"],
    );
  });

  it("publishes to the stack's topic alone, where it has one", async () => {
    const topicArn = "arn:aws:sns:eu-central-1:123456789012:homeport-prod-alarms";
    const { registered } = await register((parent) => hostRole(parent, { ...args, topicArn }));
    assert.deepEqual(registered.policy("main-monitoring").Statement.slice(2), [
      { Sid: "Alerts", Effect: "Allow", Action: ["sns:Publish"], Resource: topicArn },
    ]);
    assert.deepEqual(
      monitoringPolicy([], "Homeport/prod", topicArn).Statement.map(({ Sid }) => Sid),
      ["Metrics", "Alerts"],
    );
  });

  it("gets Session Manager's policy of its partition where that is asked for", async () => {
    const { registered } = await register((parent) =>
      hostRole(parent, { ...args, session: true, region: "cn-north-1" }),
    );
    const { policyArn } = registered.inputs(attachment);
    assert.equal(policyArn, "arn:aws-cn:iam::aws:policy/AmazonSSMManagedInstanceCore");
  });

  it("is left as it is where it exists, and gets the rights", async () => {
    const { made, registered } = await register((parent) => hostRole(parent, { ...args, existing: "theirs" }));
    assert.deepEqual(registered.types, ["aws:iam/rolePolicy:RolePolicy"]);
    assert.equal(registered.inputs("aws:iam/rolePolicy:RolePolicy").role, "theirs");
    assert.equal(await promiseOf(made.granted), "theirs");
  });
});

describe("names on AWS", () => {
  const part = fc.stringMatching(/^[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,8}){0,2}$/);
  const parts = fc.tuple(part, fc.array(part, { minLength: 1, maxLength: 3 }));

  it("are plain where they can be", () => {
    assert.equal(awsName("prod", ["hotrod", "db"], 45), "homeport-prod-hotrod-db");
  });

  it("stay within the limit, in the form that every service takes, and start with the stack's prefix", () => {
    fc.assert(
      fc.property(parts, fc.integer({ min: 40, max: 64 }), ([stack, rest], limit) => {
        const name = awsName(stack, rest, limit);
        assert.ok(name.length <= limit, name);
        assert.match(name, /^homeport-[a-z0-9]+(-[a-z0-9]+)*$/);
        assert.ok(name.startsWith(`homeport-${stack}-`) || `homeport-${stack}-`.length > limit - 7);
      }),
    );
  });

  it("differ where their parts do", () => {
    fc.assert(
      fc.property(parts, parts, (one, other) => {
        const same = JSON.stringify(one) === JSON.stringify(other);
        assert.equal(awsName(one[0], one[1], 64) === awsName(other[0], other[1], 64), same);
      }),
    );
    assert.notEqual(awsName("prod", ["a-b", "c"], 64), awsName("prod", ["a", "b-c"], 64));
    assert.notEqual(awsName("prod", ["a", "b", "c"], 64), awsName("prod", ["a", "b-c"], 64));
    assert.notEqual(awsName("prod-a", ["b"], 64), awsName("prod", ["a", "b"], 64));
  });
});
