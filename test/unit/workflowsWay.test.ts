import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { byRun } from "../../.github/scripts/byHand";
import type { Report } from "../../.github/scripts/report";
import { proxyScript, wayTo, type StackValues } from "../../.github/scripts/way";
import { gitHubFolder } from "../support/workflow";

const instances = { main: { type: "t3.micro" }, old: { id: "i-0123456789abcdef0", region: "us-east-1" } };
const values = (changes: Readonly<Record<string, string | undefined>> = {}): StackValues => {
  const all: Record<string, string | undefined> = {
    "aws:region": "eu-central-1",
    "ec2:instances": JSON.stringify(instances),
    "catscan:target": "ec2",
    "hotrod:target": "fly",
    ...changes,
  };
  return Object.fromEntries(Object.entries(all).map(([key, value]) => [key, value === undefined ? {} : { value }]));
};

describe("a run's way to the instances", () => {
  it("is none from GitHub's machines, whose addresses nobody knows, to new instances with an open port", () => {
    assert.deepEqual(wayTo(values(), true), { kind: "closed", instances: ["main"] });
  });

  it("is open from a machine of one's own, and to instances whose groups are somebody else's", () => {
    assert.deepEqual(wayTo(values(), false), { kind: "open" });
    const adopted = { "ec2:instances": JSON.stringify({ old: instances.old }) };
    assert.deepEqual(wayTo(values(adopted), true), { kind: "open" });
  });

  it("goes through Session Manager where the stack says so, in all of the stack's regions", () => {
    for (const hosted of [true, false]) {
      assert.deepEqual(wayTo(values({ "ec2:session": "true" }), hosted), {
        kind: "session",
        regions: ["eu-central-1", "us-east-1"],
      });
    }
  });

  it("isn't needed where the stack deploys no app to EC2", () => {
    for (const changes of [
      { "catscan:target": "vps" },
      { "homeport:apps": '["hotrod"]' },
      { "catscan:target": undefined },
      { "ec2:instances": "{" },
    ]) {
      assert.deepEqual(wayTo(values(changes), true), { kind: "open" }, JSON.stringify(changes));
    }
    const named = values({ "homeport:apps": '["hotrod","catscan"]' });
    assert.equal(wayTo(named, true).kind, "closed");
  });
});

describe("the step that prepares the way", function () {
  this.timeout(60_000);
  let folder: string;
  const path = (...names: string[]): string => join(folder, ...names);
  const program = (name: string, text: string): void => {
    writeFileSync(path(name), `#!/bin/sh\n${text}\n`);
    chmodSync(path(name), 0o755);
  };
  const run = (given: StackValues, more: NodeJS.ProcessEnv = {}) => {
    writeFileSync(path("config.json"), JSON.stringify(given));
    const words = ["-r", "ts-node/register", join(gitHubFolder, "scripts/session.ts"), "prod", path("ssh")];
    return spawnSync(process.execPath, words, {
      cwd: join(gitHubFolder, ".."),
      encoding: "utf8",
      // Only what is put there: this machine may have programs of AWS.
      env: { PATH: [folder, "/bin"].join(delimiter), RUNNER_ENVIRONMENT: "github-hosted", ...more },
    });
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "homeport-way-"));
    program(
      "pulumi",
      `[ "$*" = "config --json --stack prod --non-interactive --color never" ] && cat ${path("config.json")}`,
    );
    program(
      "aws",
      `case "$*" in
--version) exit 0 ;;
*describe-instances*us-east-1*) echo looked >> ${path("looked")} ;;
*describe-instances*) exit 254 ;;
*) echo "$*" ;;
esac`,
    );
    program("session-manager-plugin", "exit 0");
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it("refuses to go on where there is none, and says what to do", () => {
    const { status, stdout } = run(values());
    assert.equal(status, 1);
    assert.match(stdout, /::error title=prod can't be deployed from here::This run can't reach main by SSH/);
    assert.match(stdout, /fix: pulumi config set ec2:session true/);
    assert.equal(run(values(), { RUNNER_ENVIRONMENT: "self-hosted" }).status, 0);
    assert.ok(!existsSync(path("ssh")));
  });

  it("says what lacks on a machine without AWS's plugin", () => {
    rmSync(path("session-manager-plugin"));
    const { status, stdout } = run(values({ "ec2:session": "true" }));
    assert.equal(status, 1);
    assert.match(stdout, /This machine has no session-manager-plugin/);
  });

  it("leaves it to the preview to say that a stack can't be read", () => {
    program("pulumi", "echo nothing >&2; exit 255");
    assert.equal(run(values()).status, 0);
  });

  it("has ssh open a session in the region of the instance, which is looked up once", () => {
    const { status, stderr } = run(values({ "ec2:session": "true" }));
    assert.equal(status, 0, stderr);
    const config = path("ssh", "config");
    const asked = execFileSync("ssh", ["-G", "-F", config, "-p", "22", "i-0123456789abcdef0"], { encoding: "utf8" });
    const [, script = ""] = /^proxycommand "(.+)" %h %p$/m.exec(asked) ?? [];
    assert.equal(script, path("ssh", "homeport-session-prod"));
    assert.equal(statSync(script).mode & 0o777, 0o700);
    assert.doesNotMatch(execFileSync("ssh", ["-G", "-F", config, "203.0.113.7"], { encoding: "utf8" }), /proxycommand/);
    const env = { PATH: [folder, "/bin"].join(delimiter) };
    for (const port of ["22", "22"]) {
      assert.equal(
        execFileSync(script, ["i-0123456789abcdef0", port], { encoding: "utf8", env }),
        "ssm start-session --region us-east-1 --target i-0123456789abcdef0 " +
          "--document-name AWS-StartSSHSession --parameters portNumber=22\n",
      );
    }
    assert.equal(readFileSync(path("looked"), "utf8"), "looked\n");
  });

  it("ends where no region has the instance", () => {
    writeFileSync(path("proxy"), proxyScript(["eu-central-1", "eu-west-1'; touch bad; '"]), { mode: 0o700 });
    const env = { PATH: [folder, "/bin"].join(delimiter) };
    const { status, stderr } = spawnSync(path("proxy"), ["i-1", "22"], { encoding: "utf8", env, cwd: folder });
    assert.equal(status, 1);
    assert.match(stderr, /There is no instance i-1 in eu-central-1, /);
    assert.ok(!existsSync(path("bad")));
  });
});

describe("a deploy that would change what deploys may do", () => {
  const urn = (type: string, name: string) => `urn:pulumi:prod::homeport::homeport:ec2:Place$${type}::${name}`;
  const report = (...urns: string[]): Report => ({
    stack: "prod",
    changes: urns.map((one) => ({ kind: "update", urn: one, fields: [] })),
    unchanged: 1,
    fingerprint: "f",
  });

  it("is refused, with the command by which a person does it", () => {
    for (const [type, name] of [
      ["aws:iam/policy:Policy", "github-up-machines"],
      ["aws:iam/rolePolicyAttachment:RolePolicyAttachment", "github-up-databases-given"],
      ["aws:iam/rolePolicy:RolePolicy", "github-preview-preview"],
      ["aws:iam/role:Role", "github-up"],
      ["aws:iam/openIdConnectProvider:OpenIdConnectProvider", "github"],
    ] as const) {
      const { refusal = "" } = byRun(report(urn("aws:ec2/eip:Eip", "main-address"), urn(type, name)));
      assert.match(refusal, new RegExp(`may do: ${name}\\.`));
      assert.match(refusal, /fix: pulumi up --stack prod --target '\*\*::github\*', then run all jobs/);
    }
  });

  it("isn't one that changes something of a like name, and an earlier refusal stays", () => {
    const other = report(urn("aws:iam/role:Role", "githubber-role"), urn("aws:ec2/eip:Eip", "github-address"));
    assert.deepEqual(byRun(other), other);
    const refused = { ...report(urn("aws:iam/role:Role", "github-up")), refusal: "already" };
    assert.deepEqual(byRun(refused), refused);
  });
});
