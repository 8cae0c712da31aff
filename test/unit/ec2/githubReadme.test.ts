import * as pulumi from "@pulumi/pulumi";
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { apps } from "../../../apps";
import { deployStack } from "../../../components/deploy";
import { resolveStack } from "../../../components/resolveStack";
import type { ConfigEntry, StackConfig } from "../../../components/settings";
import { targets } from "../../../targets";
import type { PolicyDocument } from "../../../targets/ec2/policies/document";
import { account, mockAws, type AwsMocks } from "../../support/awsMocks";
import { workingConfig } from "../../support/config";
import { promiseOf } from "../../support/mocks";
import { gitHubFolder, jobOf } from "../../support/workflow";
import { refusedOn } from "./iam";

const cwd = resolve(__dirname, "../../..");
const [, section = ""] = readFileSync(join(cwd, "README.md"), "utf8").split(/^## Pull requests$/m);
const text = section.split(/^## /m)[0] ?? "";
/** Commands of the section, without the remarks beside them. */
const commands = [...text.matchAll(/^(?:gh|pulumi) .*$/gm)].map(([line]) => line.replace(/\s+#.*$/, ""));
const inProse = [...text.matchAll(/`(pulumi config set [^`]+)`/g)].map(([, line = ""]) => line);

const placeholders: Readonly<Record<string, string>> = {
  "OWNER/NAME": "acme/homeport",
  BUCKET: "acme-state",
  ACCOUNT: account,
  KEY_ARN: `arn:aws:kms:eu-central-1:${account}:key/00000000-0000-0000-0000-000000000000`,
};
const filled = (word: string): string =>
  Object.entries(placeholders).reduce((known, [name, value]) => known.replaceAll(name, value), word);

/** What `pulumi config set` makes of a stack's configuration. */
function configured(config: StackConfig, lines: readonly string[]): StackConfig {
  const entries = new Map<string, ConfigEntry>(config.entries);
  for (const line of lines) {
    const [, path, key = "", value = ""] = /^pulumi config set --stack \w+ (--path )?(\S+) (\S+)$/.exec(line) ?? [];
    assert.notEqual(key, "", line);
    const [name = key, field] = path === undefined ? [key] : key.split(".");
    const before = entries.get(name)?.value;
    const parts = { ...(before === undefined ? {} : (JSON.parse(before) as object)), [field ?? ""]: filled(value) };
    entries.set(name, { value: field === undefined ? filled(value) : JSON.stringify(parts), secret: false });
  }
  return { ...config, entries };
}

const settingLines = commands.filter((line) => line.startsWith("pulumi config set"));
const provider = inProse.filter((line) => line.includes("ec2:github.provider"));
/** dev as README sets it up: no app of it is on EC2. */
const dev = (): StackConfig => configured({ ...workingConfig(), stack: "dev" }, settingLines);
const prod = (): StackConfig =>
  configured(
    { ...workingConfig(), stack: "prod" },
    [...settingLines.filter((line) => !line.includes("environment")), ...provider].map((line) =>
      line.replace("--stack dev", "--stack prod"),
    ),
  );

describe("README on pull requests", () => {
  const workflows = readdirSync(join(gitHubFolder, "workflows")).map((file) =>
    readFileSync(join(gitHubFolder, "workflows", file), "utf8"),
  );

  it("sets the variables and secrets that the workflows read, and no others", () => {
    const read = workflows.join("\n").matchAll(/\b(?:vars|secrets)\.(\w+)/g);
    const set = [...text.matchAll(/gh (?:variable|secret) set (\w+)|\b(AWS_PREVIEW_ROLE_ARN_PROD)\b/g)];
    // The variable for stacks without a role of their own.
    const names = [...read].map(([, name = ""]) => name).filter((name) => name !== "AWS_PREVIEW_ROLE_ARN");
    assert.deepEqual(new Set(set.map(([, one, other]) => one ?? other)), new Set(names));
  });

  it("makes the environments that the jobs name, before they get a variable, and has production ask somebody", () => {
    const made = commands.flatMap((line) => /environments\/(\w+)/.exec(line)?.[1] ?? []);
    const named = ["dev", "prod"].map((job) => jobOf("deploy", job).environment);
    assert.deepEqual(made, named);
    assert.match(commands.find((line) => line.includes("environments/production")) ?? "", /reviewers\[\]\[type\]=User/);
    for (const [name = ""] of text.matchAll(/--env \w+/g)) assert.ok(made.includes(name.replace("--env ", "")), name);
  });

  it("sets keys that the program takes, also in a stack with no app on EC2", async () => {
    assert.ok(settingLines.length >= 4 && provider.length === 1);
    for (const config of [dev(), prod()]) {
      const { apps: resolved, problems } = await resolveStack({ apps, targets, config, cwd });
      assert.deepEqual(problems, []);
      assert.ok(resolved.every(({ target }) => target.name !== "ec2"));
    }
  });

  const deployed = async (config: StackConfig): Promise<{ mocks: AwsMocks; arns: Record<string, unknown> }> => {
    const mocks = await mockAws({ stack: config.stack });
    const outputs = await deployStack({ apps, targets, config, cwd });
    const { github } = await promiseOf(
      outputs["ec2"] as pulumi.Output<{ github: Record<string, pulumi.Output<string>> }>,
    );
    const arns = Object.fromEntries(
      await Promise.all(Object.entries(github).map(async ([name, arn]) => [name, await promiseOf(arn)] as const)),
    );
    await pulumi.runtime.disconnect();
    return { mocks, arns };
  };

  it("gives dev, without an app on EC2, the roles that its jobs take, with the state as all that they reach", async function () {
    this.timeout(60_000);
    const { mocks, arns } = await deployed(dev());
    assert.deepEqual(Object.keys(arns).sort(), ["previewRoleArn", "providerArn", "upRoleArn"]);
    const aws = mocks.recorded.filter(({ type }) => type.startsWith("aws:"));
    assert.ok(aws.every(({ type }) => type.startsWith("aws:iam/")));
    const trust = (name: string) => String(aws.find((one) => one.name === name)?.inputs.assumeRolePolicy);
    assert.match(trust("github-up"), /"repo:acme\/homeport:environment:development"/);
    const policyOf = (name: string) =>
      JSON.parse(String(aws.find((one) => one.name === name)?.inputs.policy)) as PolicyDocument;
    const state = (action: string, key: string) => ({
      action: `s3:${action}`,
      on: [{ arn: `arn:aws:s3:::acme-state/.pulumi/${key}` }],
      region: "eu-central-1",
    });
    const [up, preview] = [policyOf("github-up-surroundings"), policyOf("github-preview-preview")];
    for (const [action, key] of [
      ["GetObject", "stacks/homeport/dev.json"],
      ["PutObject", "locks/x"],
      ["DeleteObject", "locks/x"],
    ] as const) {
      for (const document of [up, preview]) assert.deepEqual(refusedOn([document], state(action, key)), []);
    }
    assert.deepEqual(refusedOn([up], state("PutObject", "stacks/homeport/dev.json")), []);
    assert.notDeepEqual(refusedOn([preview], state("PutObject", "stacks/homeport/dev.json")), []);
  });

  it("makes the account's provider once, for both stacks", async function () {
    this.timeout(60_000);
    const providers = async (config: StackConfig) => {
      const { mocks, arns } = await deployed(config);
      const made = mocks.recorded.filter(({ type }) => type.endsWith(":OpenIdConnectProvider"));
      return { made: made.length, arn: arns["providerArn"] };
    };
    assert.equal((await providers(dev())).made, 1);
    const second = await providers(prod());
    const arn = `arn:aws:iam::${account}:oidc-provider/token.actions.githubusercontent.com`;
    assert.deepEqual(second, { made: 0, arn });
  });

  it("is told what lacks where the roles would be for nothing", async () => {
    const lines = settingLines.filter((line) => !line.includes("stateBucket"));
    const config = configured({ ...workingConfig(), stack: "dev" }, lines);
    const { problems } = await resolveStack({ apps, targets, config, cwd });
    assert.deepEqual(
      problems.map(({ where }) => where),
      ["ec2:github"],
    );
    assert.match(problems[0]?.fix ?? "", /ec2:github\.stateBucket BUCKET/);
  });
});
