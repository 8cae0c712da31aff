import * as pulumi from "@pulumi/pulumi";
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { apps } from "../../../apps";
import { deployStack } from "../../../components/deploy";
import type { StackConfig } from "../../../components/settings";
import { targets } from "../../../targets";
import { finders, repeatable } from "../../../targets/ec2/recover";
import type { PolicyDocument } from "../../../targets/ec2/policies/document";
import { account, mockAws, type AwsMocks } from "../../support/awsMocks";
import { promiseOf } from "../../support/mocks";
import { catscanInstance, liveConfig, shopiflyInstance } from "./ec2Config";
import { refusedOn, type Call, type Thing } from "./iam";
import { callsOf, lookupCalls, resourceCalls, World } from "./providerCalls";

const cwd = resolve(__dirname, "../../..");
const github = JSON.stringify({ repository: "example/homeport", stateBucket: "example-state" });
const schedule = { stop: "19:30", start: "07:00", inLive: true };

/** What the runbooks have, and everything that a stack may name besides. */
const everything = liveConfig({
  "ec2:github": github,
  "ec2:session": "true",
  "ec2:alarmEmails": '["ops@example.com"]',
  "ec2:budget": "50",
  "ec2:instances": JSON.stringify({
    shopifly: { ...shopiflyInstance, role: "shopifly-role", openIn: "sg-0aaaaaaaaaaaaaaaa" },
    catscan: { ...catscanInstance, schedule, securityGroups: ["sg-0bbbbbbbbbbbbbbbb"] },
  }),
  "catscan:buckets": undefined,
});
/** A disk and a key pair that exist, and apps that AWS runs databases for. */
const others = liveConfig({
  "homeport:apps": '["hotrod"]',
  "hotrod:target": "ec2",
  "hotrod:domain": undefined,
  "ec2:github": github,
  "ec2:instances": JSON.stringify({
    main: { ...catscanInstance, type: "t3.large", volume: "vol-0cccccccccccccccc", keyName: "ours" },
  }),
  "ec2:privateKey": { value: "marker", secret: true },
  "ec2:postgres": "rds",
  "ec2:redis": "elasticache",
});

interface Deployed {
  readonly mocks: AwsMocks;
  readonly world: World;
  readonly up: readonly PolicyDocument[];
  readonly preview: readonly PolicyDocument[];
}

async function deploy(config: StackConfig): Promise<Deployed> {
  const mocks = await mockAws();
  const outputs = await deployStack({ apps, targets, config, cwd });
  for (const output of Object.values(outputs)) await promiseOf(output);
  await pulumi.runtime.disconnect();
  const policies = (type: string): PolicyDocument[] =>
    mocks.recorded
      .filter((one) => one.type === type && one.name.startsWith("github-"))
      .map(({ inputs }) => JSON.parse(String(inputs.policy)) as PolicyDocument);
  return {
    mocks,
    world: new World(account, mocks.recorded),
    up: policies("aws:iam/policy:Policy"),
    preview: policies("aws:iam/rolePolicy:RolePolicy"),
  };
}

const isDeployers = ({ name, type }: { readonly name: string; readonly type: string }): boolean =>
  type.startsWith("aws:iam/") && /^github(-|$)/.test(name);

describe("the rights of GitHub's workflows, held against what the provider calls", function () {
  this.timeout(120_000);
  let full: Deployed;
  let rest: Deployed;
  before(async () => {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    try {
      full = await deploy(everything);
      rest = await deploy(others);
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  });
  const made = ({ mocks }: Deployed) => mocks.recorded.filter(({ type }) => type.startsWith("aws:"));

  it("cover every type of resource and every lookup of the program", () => {
    assert.deepEqual(Object.keys(resourceCalls).sort(), [...Object.keys(finders), ...repeatable].sort());
    const types = new Set([...made(full), ...made(rest)].map(({ type }) => type));
    assert.deepEqual([...types].sort(), Object.keys(resourceCalls).sort());
    const folder = join(cwd, "targets/ec2");
    const imported = readdirSync(folder, { encoding: "utf8", recursive: true })
      .filter((file) => file.endsWith(".ts"))
      .flatMap((file) => [...readFileSync(join(folder, file), "utf8").matchAll(/"@pulumi\/aws\/\w+\/(get\w+)"/g)])
      .map(([, name = ""]) => name);
    assert.deepEqual([...new Set(imported)].sort(), Object.keys(lookupCalls).sort());
  });

  it("let a deploy make, change and delete everything that the program declares", () => {
    for (const deployed of [full, rest]) {
      const resources = made(deployed).filter((one) => !isDeployers(one));
      assert.ok(resources.length > 20);
      const refused = resources.flatMap((one) =>
        callsOf(deployed.world, one).flatMap((call) =>
          refusedOn(deployed.up, call).map((why) => `${one.name}: ${why}`),
        ),
      );
      assert.deepEqual(refused, []);
    }
  });

  it("let both roles look up what the program asks for", () => {
    for (const { mocks, up, preview } of [full, rest]) {
      const asked = mocks.asked.map(({ token, inputs }) => ({ name: token.split(":").at(-1) ?? "", inputs }));
      assert.ok(asked.length > 3);
      for (const { name, inputs } of asked) {
        const calls = lookupCalls[name]?.(String(inputs["region"]), account, inputs) ?? [];
        assert.ok(calls.length > 0, name);
        for (const call of calls) {
          assert.deepEqual(refusedOn(preview, call), [], `preview: ${name}`);
          assert.deepEqual(refusedOn(up, call), [], `up: ${name}`);
        }
      }
    }
  });

  const arn = (rest: string, region = "eu-central-1", service = "ec2") =>
    `arn:aws:${service}:${region}:${account}:${rest}`;
  const iam = (rest: string) => `arn:aws:iam::${account}:${rest}`;
  const call = (action: string, ...on: (Thing | string)[]): Call => ({
    action,
    on: on.map((one) => (typeof one === "string" ? { arn: one } : one)),
    region: "eu-central-1",
  });
  const stack = { "homeport:stack": "prod" };
  const document = "arn:aws:ssm:eu-central-1::document/AWS-StartSSHSession";

  it("let a deploy reach new and adopted instances by SSH, through sessions of its own, where the stack wants that", () => {
    const fresh = { arn: arn("instance/i-1"), tags: stack };
    const adopted = arn(`instance/${shopiflyInstance.id}`, "us-east-1");
    const own = ["ssm:TerminateSession", "ssm:ResumeSession", "ssmmessages:OpenDataChannel"].map((action) =>
      call(action, arn("session/homeport-0123456789abcdef0", "eu-central-1", "ssm")),
    );
    for (const one of [
      call("ssm:StartSession", fresh, document),
      call("ssm:StartSession", adopted, document),
      ...own,
    ]) {
      assert.deepEqual(refusedOn(full.up, one), []);
      assert.notDeepEqual(refusedOn(rest.up, one), []);
      assert.notDeepEqual(refusedOn(full.preview, one), []);
    }
    const prepare = readFileSync(join(cwd, ".github/actions/prepare/action.yml"), "utf8");
    assert.match(prepare, /^ +role-session-name: homeport$/m);
  });

  it("refuse a deploy everything else", () => {
    const theirs = { tags: { "homeport:stack": "dev" } };
    const instance = { arn: arn("instance/i-2"), ...theirs };
    const group = { arn: arn("security-group/sg-2"), ...theirs };
    const passed = (one: Call, service: string): Call => ({ ...one, keys: { "iam:PassedToService": service } });
    const refused: Call[] = [
      ...["ec2:StopInstances", "ec2:TerminateInstances", "ec2:ModifyInstanceAttribute", "ec2:GetConsoleOutput"].flatMap(
        (action) => [call(action, instance), call(action, arn("instance/i-3"))],
      ),
      // An adopted instance is reached, and never stopped, ended or changed.
      ...["ec2:StopInstances", "ec2:TerminateInstances", "ec2:ModifyInstanceAttribute"].map((action) =>
        call(action, arn(`instance/${shopiflyInstance.id}`, "us-east-1")),
      ),
      call("ssm:StartSession", instance, document),
      call(
        "ssm:StartSession",
        { arn: arn("instance/i-1"), tags: stack },
        arn("document/AWS-RunShellScript", "eu-central-1", "ssm"),
      ),
      call(
        "ssm:StartSession",
        { arn: arn("instance/i-1"), tags: stack },
        arn("document/SSM-SessionManagerRunShell", "eu-central-1", "ssm"),
      ),
      call("ssm:TerminateSession", arn("session/ada-0123", "eu-central-1", "ssm")),
      call("ssm:SendCommand", { arn: arn("instance/i-1"), tags: stack }),
      call("ec2:AuthorizeSecurityGroupIngress", group, { arn: arn("security-group-rule/*"), given: stack }),
      call("ec2:AuthorizeSecurityGroupIngress", arn("security-group/sg-0bbbbbbbbbbbbbbbb")),
      call("ec2:AuthorizeSecurityGroupEgress", arn("security-group/sg-0aaaaaaaaaaaaaaaa", "us-east-1")),
      call("ec2:DeleteSecurityGroup", arn("security-group/sg-0aaaaaaaaaaaaaaaa", "us-east-1")),
      call("ec2:DeleteVolume", arn("volume/vol-0cccccccccccccccc")),
      call("ec2:ModifyVolume", arn("volume/vol-0dddddddddddddddd")),
      call("ec2:CreateVolume", { arn: arn("volume/*"), given: theirs.tags }),
      call("ec2:RunInstances", { arn: arn("volume/*") }),
      call("ec2:RunInstances", { arn: arn("key-pair/theirs") }),
      // Nothing is taken over by a tag.
      call("ec2:CreateTags", { arn: arn("instance/i-3"), given: stack }),
      call("ec2:CreateTags", { ...instance, given: stack }),
      call("ec2:CreateSnapshot", { arn: arn("volume/vol-1"), tags: stack }),
      passed(call("iam:PassRole", iam("role/Admin")), "ec2.amazonaws.com"),
      passed(call("iam:PassRole", iam("role/shopifly-role")), "ec2.amazonaws.com"),
      passed(call("iam:PassRole", iam("role/homeport/dev/homeport-dev-main")), "ec2.amazonaws.com"),
      passed(call("iam:PassRole", iam("role/homeport/prod/homeport-prod-catscan")), "lambda.amazonaws.com"),
      ...["iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy", "iam:DeleteRole"].flatMap((action) =>
        ["role/Admin", "role/homeport/dev/x", "role/homeport-deployers/homeport-prod-github-up"].map((role) =>
          call(action, iam(role)),
        ),
      ),
      ...["iam:UpdateAssumeRolePolicy", "iam:DeleteRole", "iam:AttachRolePolicy"].map((action) =>
        call(action, iam("role/shopifly-role")),
      ),
      {
        ...call("iam:AttachRolePolicy", iam("role/homeport/prod/homeport-prod-catscan")),
        keys: { "iam:PolicyARN": "arn:aws:iam::aws:policy/AdministratorAccess" },
      },
      call("iam:CreateUser", iam("user/x")),
      call("iam:CreateAccessKey", iam("user/x")),
      ...["sts:AssumeRole", "sts:AssumeRoleWithWebIdentity"].flatMap((action) =>
        ["role/Admin", "role/shopifly-role", "role/homeport/prod/homeport-prod-catscan"].map((role) =>
          call(action, iam(role)),
        ),
      ),
      ...["s3:GetObject", "s3:PutObject", "s3:DeleteObject"].flatMap((action) => [
        call(action, "arn:aws:s3:::catscan-prod--archive-0a1b2c3d/2026/x.csv"),
        call(action, "arn:aws:s3:::example-state/other"),
      ]),
      call("s3:DeleteBucket", "arn:aws:s3:::example-state"),
      call("s3:PutBucketPolicy", "arn:aws:s3:::somebody-elses"),
      call("ssm:GetParameter", arn("parameter/secret", "eu-central-1", "ssm")),
      call("kms:Decrypt", arn("key/x", "eu-central-1", "kms")),
      call("rds:DeleteDBInstance", arn("db:homeport-dev-hotrod-db", "eu-central-1", "rds")),
      call("logs:GetLogEvents", arn("log-group:/homeport/prod/catscan:log-stream:x", "eu-central-1", "logs")),
      call("logs:DeleteLogGroup", arn("log-group:/homeport/dev/catscan", "eu-central-1", "logs")),
      call("sns:Publish", arn("homeport-prod-alarms", "eu-central-1", "sns")),
      { ...call("ec2:DescribeInstances", "*"), region: "ap-south-1" },
    ];
    for (const deployed of [full, rest]) {
      for (const one of refused) {
        assert.notDeepEqual(
          refusedOn(deployed.up, one),
          [],
          `${one.action} on ${one.on.map(({ arn: on }) => on).join()}`,
        );
        assert.notDeepEqual(refusedOn(deployed.preview, one), [], `preview: ${one.action}`);
      }
    }
  });

  it("let no deploy change its own roles, nor a preview anything", () => {
    for (const deployed of [full, rest]) {
      const reading = /^(ec2:Describe|iam:(Get|List)|logs:(Describe|List)|s3:(Get|List)|ssm:Get)/;
      for (const one of made(deployed)) {
        const calls = callsOf(deployed.world, one).filter(({ action }) => !reading.test(action));
        const changed = calls.filter((each) => refusedOn(deployed.preview, each).length < each.on.length);
        assert.deepEqual(changed, [], one.name);
        if (!isDeployers(one)) continue;
        assert.deepEqual(
          calls.filter((each) => refusedOn(deployed.up, each).length === 0),
          [],
          one.name,
        );
      }
    }
  });

  it("fit into what IAM takes: 6,144 characters of a policy, 10 policies of a role", () => {
    const many = ["a", "b", "c", "d", "e", "f"].map((app) => `${app}-prod--archive-*`);
    for (const { up } of [full, rest]) {
      assert.ok(up.length >= 2 && up.length <= 10);
      for (const one of up) {
        const characters = JSON.stringify(one).length + JSON.stringify(many).length * 2;
        assert.ok(characters <= 6_144, `${characters}`);
      }
    }
  });
});
