import assert from "node:assert/strict";
import { policy, type Statement } from "../../../targets/ec2/policies/document";
import { refusedOn, type Call, type Thing } from "./iam";

const arn = "arn:aws:ec2:eu-central-1:123456789012:instance/i-1";
const call = (thing: Partial<Thing> = {}, more: Partial<Call> = {}): Call => ({
  action: "ec2:StopInstances",
  on: [{ arn, ...thing }],
  region: "eu-central-1",
  ...more,
});
const rule = (fields: Partial<Statement> = {}): Statement => ({
  Effect: "Allow",
  Action: ["ec2:StopInstances"],
  Resource: "arn:aws:ec2:*:123456789012:instance/*",
  ...fields,
});
const allowed = (asked: Call, ...statements: Statement[]): boolean =>
  refusedOn([policy(...statements)], asked).length === 0;

describe("the evaluator of policies", () => {
  it("refuses what nothing allows, and what something denies", () => {
    assert.ok(!allowed(call()));
    assert.ok(allowed(call(), rule()));
    assert.ok(!allowed(call(), rule(), rule({ Effect: "Deny" })));
  });

  it("wants the action, and the resource as a whole", () => {
    assert.ok(!allowed(call({}, { action: "ec2:StartInstances" }), rule()));
    assert.ok(allowed(call(), rule({ Action: "ec2:stop*" })));
    assert.ok(!allowed(call(), rule({ Resource: "arn:aws:ec2:*:123456789012:instance/i-" })));
    assert.ok(!allowed(call({ arn: "*" }), rule()));
    assert.ok(allowed(call({ arn: "*" }), rule({ Resource: "*" })));
    assert.ok(!allowed(call({ arn: "arn:aws:ec2:eu-central-1:999999999999:instance/i-1" }), rule()));
  });

  it("wants each thing that the call touches", () => {
    const two = [{ arn }, { arn: arn.replace("instance/i", "volume/vol") }];
    assert.deepEqual(refusedOn([policy(rule())], call({}, { on: two })), [`ec2:StopInstances on ${two[1]?.arn}`]);
  });

  it("tells a thing's tags from those that it is given, and fails where a key isn't there", () => {
    const has = rule({ Condition: { StringEquals: { "aws:ResourceTag/stack": "prod" } } });
    const gets = rule({ Condition: { StringEquals: { "aws:RequestTag/stack": ["dev", "prod"] } } });
    assert.ok(allowed(call({ tags: { stack: "prod" } }), has));
    assert.ok(!allowed(call({ given: { stack: "prod" } }), has));
    assert.ok(allowed(call({ given: { stack: "prod" } }), gets));
    assert.ok(!allowed(call({ tags: { stack: "prod" } }), gets));
    assert.ok(!allowed(call({ tags: { stack: "other" } }), has));
  });

  it("reads variables, and other keys of the request", () => {
    const own = rule({ Resource: "arn:aws:ssm:*:123456789012:session/${aws:userid}-*" });
    assert.ok(allowed(call({ arn: "arn:aws:ssm:eu-central-1:123456789012:session/AROAEXAMPLE:homeport-1" }), own));
    assert.ok(!allowed(call({ arn: "arn:aws:ssm:eu-central-1:123456789012:session/other-1" }), own));
    const passed = rule({ Condition: { StringEquals: { "iam:PassedToService": "ec2.amazonaws.com" } } });
    assert.ok(allowed(call({}, { keys: { "iam:PassedToService": "ec2.amazonaws.com" } }), passed));
    assert.ok(!allowed(call(), passed));
    const here = rule({ Condition: { StringEquals: { "aws:RequestedRegion": "us-east-1" } } });
    assert.ok(!allowed(call(), here));
  });

  it("takes no operator for granted that it doesn't know", () => {
    assert.throws(() => allowed(call(), rule({ Condition: { Bool: { "aws:SecureTransport": "true" } } })), /Bool/);
  });
});
