import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";

const cwd = resolve(__dirname, "../../..");

/** Deploys a stack to mocks in a process of its own. @returns which of the packages that it may load it has loaded */
function loadedBy(setUp: string): string[] {
  const program = `
    const { apps } = require("./apps");
    const { deployStack } = require("./components/deploy");
    const { targets } = require("./targets");
    const { promiseOf, recordResources } = require("./test/support/mocks");
    void (async () => {
      ${setUp}
      const outputs = await deployStack({ apps, targets, config, cwd: process.cwd() });
      for (const output of Object.values(outputs)) await promiseOf(output);
      const loaded = Object.keys(require.cache).flatMap((path) => /node_modules\\/(@pulumi\\/[a-z]+|@aws-sdk|@smithy)/.exec(path)?.[1] ?? []);
      console.log(JSON.stringify([...new Set(loaded)].sort()));
      await require("@pulumi/pulumi").runtime.disconnect();
    })().catch((error) => { console.error(error); process.exit(1); });
  `;
  const { stdout, stderr, status } = spawnSync(process.execPath, ["-r", "ts-node/register", "-e", program], {
    cwd,
    encoding: "utf8",
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as string[];
}

describe("a stack without AWS", function () {
  this.timeout(60_000);

  it("loads neither the aws provider's SDK nor AWS's own", () => {
    const loaded = loadedBy(`
      await recordResources();
      const config = require("./test/support/config").workingConfig();
    `);
    assert.deepEqual(loaded, ["@pulumi/command", "@pulumi/pulumi", "@pulumi/random"]);
  });

  it("is told apart by this test from one with AWS, which loads the provider's alone", () => {
    const loaded = loadedBy(`
      await require("./test/support/awsMocks").mockAws();
      const config = require("./test/unit/ec2/ec2Config").liveConfig();
    `);
    assert.deepEqual(loaded, ["@pulumi/aws", "@pulumi/command", "@pulumi/pulumi", "@pulumi/random"]);
  });
});
