import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { preview, pulumi } from "../../.github/scripts/pulumi";
import { gitHubFolder, jobOf } from "../support/workflow";

/** Writes down what it is called with, and ends as the real one does on an interrupt, when it has put its state away. */
const stub = `#!/usr/bin/env bash
trap 'echo "state is written"; exit 130' INT
trap 'echo "cut off"; exit 143' TERM
printf '%s\\n' "$*" >> "$CALLS"
env | grep -E '^(PULUMI|AWS)_' >> "$CALLS.env"
[ "$1" = preview ] && { echo '{"steps": []}'; exit 0; }
touch "$CALLS.up"
while ((SECONDS < 20)); do sleep 0.1; done
`;

describe("pulumi, called by the workflows", () => {
  let folder: string;
  const saved = { ...process.env };
  const calls = (end = ""): string => readFileSync(join(folder, `calls${end}`), "utf8");
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "homeport-pulumi-"));
    writeFileSync(join(folder, "pulumi"), stub);
    chmodSync(join(folder, "pulumi"), 0o755);
    Object.assign(process.env, {
      ...{ PATH: [folder, saved["PATH"]].join(delimiter), CALLS: join(folder, "calls") },
      ...{ PULUMI_BACKEND_URL: "s3://state", PULUMI_CONFIG_PASSPHRASE: "", PULUMI_ACCESS_TOKEN: "", AWS_PROFILE: "" },
    });
  });
  afterEach(() => {
    for (const name of Object.keys(process.env)) if (!(name in saved)) Reflect.deleteProperty(process.env, name);
    Object.assign(process.env, saved);
    rmSync(folder, { recursive: true });
  });

  it("isn't given what isn't set, and is never asked to show secrets", async () => {
    assert.equal((await preview("dev")).refusal, undefined);
    assert.equal(calls(), "preview --json --stack dev --non-interactive --color never\n");
    assert.match(calls(".env"), /^PULUMI_BACKEND_URL=s3:\/\/state$/m);
    assert.doesNotMatch(calls(".env"), /PASSPHRASE|ACCESS_TOKEN|AWS_PROFILE/);
  });

  it("isn't called without a backend", async () => {
    process.env["PULUMI_BACKEND_URL"] = "";
    assert.match((await preview("dev")).refusal ?? "", /fix: gh variable set PULUMI_BACKEND_URL/);
    assert.ok(!existsSync(join(folder, "calls")));
  });

  it("is missed with a word on it", async () => {
    process.env["PATH"] = "/nowhere";
    assert.deepEqual(await pulumi(["version"]), {
      ...{ code: 127, stdout: "" },
      stderr: "pulumi can't be started: spawn pulumi ENOENT",
    });
  });

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it(`ends a deploy in order when its job is cancelled by ${signal}`, async () => {
      const script = jobOf("deploy", "dev").steps.find(({ run }) => run?.includes("up.ts"))?.run;
      assert.ok(script !== undefined);
      writeFileSync(join(folder, "step.sh"), script);
      const env = { ...process.env, GITHUB_STEP_SUMMARY: join(folder, "summary") };
      const child = spawn("bash", ["-e", join(folder, "step.sh")], { cwd: join(gitHubFolder, ".."), env });
      let log = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => (log += text));
      try {
        const ended = once(child, "close");
        while (!existsSync(join(folder, "calls.up"))) {
          assert.equal(child.exitCode, null, log);
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        child.kill(signal);
        assert.equal((await ended)[0], 1);
      } finally {
        child.kill("SIGKILL");
      }
      assert.match(log, /^state is written$/m);
      assert.doesNotMatch(log, /cut off/);
      assert.match(readFileSync(join(folder, "summary"), "utf8"), /^## The deploy of dev failed/);
    });
  }
});
