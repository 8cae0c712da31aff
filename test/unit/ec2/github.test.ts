import assert from "node:assert/strict";
import { checkResource } from "../../../targets/ec2/guard/check";
import { githubRoles, type GithubArgs } from "../../../targets/ec2/github";
import type { PolicyDocument, Statement } from "../../../targets/ec2/policies/document";
import { previewPolicy, upPolicies, type GithubScope } from "../../../targets/ec2/policies/github";
import { promiseOf } from "../../support/mocks";
import { register } from "./parts";

const args: GithubArgs = {
  repository: "example/homeport",
  stack: "prod",
  regions: ["eu-central-1"],
  buckets: ["catscan-prod--archive-*"],
};
const scope: GithubScope = {
  partition: "aws",
  account: "123456789012",
  stack: "prod",
  regions: ["eu-central-1", "us-east-1"],
  buckets: ["shopifly-prod--backups-*", "rtbcat-csv-archive-frankfurt-328614522524"],
  stateBucket: "example-state",
  secretsKey: "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000000",
  managed: true,
  hosts: true,
  session: true,
  existing: { instances: [], openedGroups: [], groups: [], keyPairs: [], volumes: [], roles: ["theirs"] },
};
const host = "token.actions.githubusercontent.com";
const role = "aws:iam/role:Role";
const make = (changes: Partial<GithubArgs> = {}) => register((parent) => githubRoles(parent, { ...args, ...changes }));
const statementsOf = (...documents: (PolicyDocument | undefined)[]): Statement[] =>
  documents.flatMap((document) => document?.Statement ?? []);
const list = (value: string | readonly string[] | undefined) => [value ?? []].flat();
const up = () => statementsOf(...Object.values(upPolicies(scope)));
const allowing = (statements: readonly Statement[], action: string) =>
  statements.filter(({ Action }) => list(Action).includes(action));

describe("the roles of GitHub's workflows", () => {
  const trustOf = async (name: string, changes: Partial<GithubArgs> = {}) => {
    const { registered } = await make(changes);
    const found = registered.ofType(role).find((one) => one.name === name);
    const {
      Statement: [statement],
    } = JSON.parse(String(found?.inputs.assumeRolePolicy)) as PolicyDocument;
    return statement;
  };

  it("trust tokens for AWS alone: a pull request's and the branch's for previews, the environment's for deploys", async () => {
    const preview = await trustOf("github-preview");
    assert.equal(preview?.Action, "sts:AssumeRoleWithWebIdentity");
    assert.deepEqual(preview.Condition, {
      StringEquals: {
        [`${host}:aud`]: "sts.amazonaws.com",
        [`${host}:sub`]: ["repo:example/homeport:pull_request", "repo:example/homeport:ref:refs/heads/main"],
      },
    });
    assert.deepEqual((await trustOf("github-up"))?.Condition, {
      StringEquals: {
        [`${host}:aud`]: "sts.amazonaws.com",
        [`${host}:sub`]: ["repo:example/homeport:environment:production"],
      },
    });
    const subjects = (await trustOf("github-up", { environment: "live" }))?.Condition?.["StringEquals"];
    assert.deepEqual(subjects?.[`${host}:sub`], ["repo:example/homeport:environment:live"]);
  });

  it("use the account's provider where there is one, as an account has one only", async () => {
    const provider = `arn:aws:iam::999999999999:oidc-provider/${host}`;
    const { registered } = await make({ provider });
    assert.deepEqual(registered.ofType("aws:iam/openIdConnectProvider:OpenIdConnectProvider"), []);
    assert.deepEqual((await trustOf("github-up", { provider }))?.Principal, { Federated: provider });
    assert.match(JSON.stringify(registered.policy("github-up-machines")), /arn:aws:ec2:\*:999999999999:instance/);
  });

  it("lie where no stack's role may change them, and are told", async () => {
    const { made, registered } = await make();
    for (const { inputs } of registered.ofType(role)) assert.equal(inputs.path, "/homeport-deployers/");
    assert.match(await promiseOf(made.upRoleArn), /:homeport-prod-github-up/);
    assert.match(await promiseOf(made.previewRoleArn), /:homeport-prod-github-preview/);
  });

  it("pass the rules of safety", async () => {
    const { existing, secretsKey = "" } = scope;
    const { registered } = await make({
      managed: true,
      stateBucket: "example-state",
      secretsKey,
      session: true,
      existing: {
        ...existing,
        instances: [{ region: "eu-central-1", name: "i-0123456789abcdef0" }],
        openedGroups: [{ region: "eu-central-1", name: "sg-0123456789abcdef0" }],
        keyPairs: [{ region: "eu-central-1", name: "ours" }],
      },
    });
    assert.deepEqual(new Set(registered.types).size, 5);
    for (const type of registered.types) {
      for (const { name, inputs } of registered.ofType(type)) assert.deepEqual(checkResource(type, name, inputs), []);
    }
  });
});

describe("the preview's rights", () => {
  const statements = statementsOf(previewPolicy(scope));
  const actions = statements.flatMap(({ Action }) => list(Action));

  it("change nothing but the state's locks", () => {
    const reading = /^(ec2:Describe|ssm:Get|s3:(Get|List)|kms:Decrypt)/;
    assert.deepEqual(
      actions.filter((action) => !reading.test(action)),
      ["s3:DeleteObject", "s3:PutObject"],
    );
    for (const action of ["s3:DeleteObject", "s3:PutObject"]) {
      assert.deepEqual(
        allowing(statements, action).map(({ Resource }) => Resource),
        ["arn:aws:s3:::example-state/.pulumi/locks/*"],
      );
    }
  });

  it("show no object of an app, and no parameter that isn't public", () => {
    const objects = allowing(statements, "s3:GetObject").map(({ Resource }) => Resource);
    assert.deepEqual(objects, ["arn:aws:s3:::example-state/.pulumi/*"]);
    const parameters = allowing(statements, "ssm:GetParameter").map(({ Resource }) => Resource);
    assert.deepEqual(parameters, ["arn:aws:ssm:*::parameter/aws/service/*"]);
  });
});

describe("the rights in a stack without apps on EC2", () => {
  const bare: GithubScope = { ...scope, hosts: false, managed: false, session: false, buckets: [] };

  it("are the state's, and no more", () => {
    const { stateBucket, secretsKey, ...stateless } = bare;
    for (const statements of [statementsOf(previewPolicy(bare)), statementsOf(...Object.values(upPolicies(bare)))]) {
      assert.deepEqual(
        new Set(statements.flatMap(({ Resource }) => list(Resource)).map((arn) => arn.replace(/\/\.pulumi.*$/, ""))),
        new Set([secretsKey, `arn:aws:s3:::${stateBucket}`]),
      );
      assert.ok(statements.every(({ Action }) => list(Action).every((action) => /^(s3|kms):/.test(action))));
    }
    assert.equal(previewPolicy(stateless), undefined);
    assert.deepEqual(upPolicies(stateless), {});
  });
});

describe("the deploy's rights", () => {
  it("end, stop and change machines, disks and groups of the stack alone, by their tag", () => {
    for (const action of [
      "ec2:TerminateInstances",
      "ec2:StopInstances",
      "ec2:DeleteVolume",
      "ec2:DetachVolume",
      "ec2:ModifyInstanceAttribute",
      "ec2:RevokeSecurityGroupIngress",
      "ec2:ReleaseAddress",
    ]) {
      const found = allowing(up(), action);
      assert.equal(found.length, 1, action);
      assert.deepEqual(found[0]?.Condition, { StringEquals: { "aws:ResourceTag/homeport:stack": "prod" } }, action);
    }
  });

  it("make machines, disks and groups only with the stack's tag, and tag only what is made or is the stack's", () => {
    const tag = { StringEquals: { "aws:RequestTag/homeport:stack": "prod" } };
    for (const [action, kind] of [
      ["ec2:RunInstances", "instance"],
      ["ec2:CreateVolume", "volume"],
      ["ec2:CreateSecurityGroup", "security-group"],
    ] as const) {
      const making = allowing(up(), action).filter(
        ({ Resource, Condition }) =>
          list(Resource).some((arn) => arn.endsWith(`:${kind}/*`)) &&
          !JSON.stringify(Condition).includes("ResourceTag"),
      );
      assert.deepEqual(
        making.map(({ Condition }) => Condition),
        [tag],
        action,
      );
    }
    for (const { Condition } of allowing(up(), "ec2:CreateTags")) {
      const { "ec2:CreateAction": created, ...rest } = Condition?.["StringEquals"] ?? {};
      if (created === undefined) assert.deepEqual(rest, { "aws:ResourceTag/homeport:stack": "prod" });
      else assert.deepEqual(rest, tag.StringEquals);
    }
  });

  it("make and hand out roles below the stack's path alone, to the three services that use them, and never their own", () => {
    const theirs = ["role/theirs", "role/*/theirs"].map((name) => `arn:aws:iam::123456789012:${name}`);
    const granting = ["iam:DeleteRolePolicy", "iam:GetRolePolicy", "iam:PutRolePolicy"];
    const all = up();
    const onTheirs = all.filter(({ Resource }) => list(Resource).some((arn) => theirs.includes(arn)));
    assert.deepEqual(
      onTheirs.map(({ Action, Resource }) => ({ Action, Resource })),
      [{ Action: granting, Resource: theirs }],
    );
    assert.deepEqual(
      allowing(up(), "iam:CreateServiceLinkedRole").map(({ Resource }) => Resource),
      ["arn:aws:iam::123456789012:role/aws-service-role/*"],
    );
    const own = "arn:aws:iam::123456789012:role/homeport/prod/*";
    const changing = /^iam:(Create|Put|Attach|Update|Delete|Detach|Pass|Add|Tag)/;
    const statements = all.filter(
      (one) =>
        list(one.Action).some((action) => changing.test(action) && action !== "iam:CreateServiceLinkedRole") &&
        !onTheirs.includes(one),
    );
    for (const { Resource } of statements)
      assert.ok([own, own.replace("role/", "instance-profile/")].includes(String(Resource)), String(Resource));
    assert.deepEqual(
      allowing(up(), "iam:PassRole").map(({ Condition }) => Condition),
      [
        {
          StringEquals: {
            "iam:PassedToService": ["dlm.amazonaws.com", "ec2.amazonaws.com", "scheduler.amazonaws.com"],
          },
        },
      ],
    );
    assert.deepEqual(
      allowing(up(), "iam:AttachRolePolicy").map(({ Condition }) => Condition),
      [{ ArnEquals: { "iam:PolicyARN": "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore" } }],
    );
  });

  it("set up the stack's buckets and read none of their objects", () => {
    const buckets = allowing(up(), "s3:PutBucketPolicy").flatMap(({ Resource }) => list(Resource));
    assert.deepEqual(
      buckets,
      scope.buckets.map((bucket) => `arn:aws:s3:::${bucket}`),
    );
    for (const action of ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]) {
      const objects = allowing(up(), action).flatMap(({ Resource }) => list(Resource));
      assert.deepEqual(objects, ["arn:aws:s3:::example-state/.pulumi/*"]);
    }
  });

  it("reach RDS and ElastiCache only where the stack uses them", () => {
    const services = (managed: boolean) =>
      new Set(
        statementsOf(...Object.values(upPolicies({ ...scope, managed }))).flatMap(({ Action }) =>
          list(Action).map((action) => action.split(":")[0]),
        ),
      );
    assert.ok(services(true).has("rds") && services(true).has("elasticache"));
    assert.ok(!services(false).has("rds") && !services(false).has("elasticache"));
  });
});
