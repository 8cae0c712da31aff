import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ensureLinters, type Linters } from "../../.github/linters/linters";
import { run } from "../../engine/process";
import { RehearsedStack, type RehearsedValue } from "../../rehearsal/stack";
import { hostKey } from "../support/config";
import { FakeGitHub } from "../support/fakeGitHub";
import { gitHubFolder, jobOf, runSteps, type StepsEnded, type Values } from "../support/workflow";

const checkout = dirname(gitHubFolder);
const quiet = (): void => undefined;

describe("the workflows' linters", function () {
  this.timeout(300_000);
  let linters: Linters;
  before(async () => {
    linters = await ensureLinters(quiet);
  });
  const actionlint = (...files: string[]): ReturnType<typeof run> => run(linters.actionlint, files, { cwd: checkout });
  // Without the network: only what the files say counts.
  const zizmor = (...files: string[]): ReturnType<typeof run> =>
    run(linters.zizmor, ["--offline", "--no-progress", "--quiet", "--persona=auditor", ...files], { cwd: checkout });

  it("find nothing", async () => {
    for (const { code, stdout, stderr } of [await actionlint(), await zizmor(".github")]) {
      assert.equal(code, 0, stdout + stderr);
    }
  });

  it("would find a mistake, and a trap", async () => {
    const folder = mkdtempSync(join(tmpdir(), "homeport-lint-"));
    try {
      const text = readFileSync(join(gitHubFolder, "workflows", "preview.yml"), "utf8");
      const bad = join(folder, "preview.yml");
      writeFileSync(bad, text.replace("needs: preview", "needs: previews"));
      assert.match((await actionlint(bad)).stdout, /"previews"/);
      writeFileSync(bad, text.replace("  pull_request:", "  pull_request_target:"));
      assert.match((await zizmor(bad)).stdout, /dangerous-triggers/);
      writeFileSync(bad, text.replace(/checkout@[0-9a-f]{40} # v[\d.]+/, "checkout@v7"));
      assert.match((await zizmor(bad)).stdout, /unpinned-uses/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

/** A checkout as a runner has it, whose stacks are kept in the rehearsal's own state. */
class Checkout {
  readonly folder = mkdtempSync(join(tmpdir(), "homeport-workflows-"));
  private opened: RehearsedStack | undefined;

  constructor(private readonly github: FakeGitHub) {
    for (const name of [".github", "engine", "node_modules", "tsconfig.json"])
      symlinkSync(join(checkout, name), this.path(name));
  }

  path(...names: string[]): string {
    return join(this.folder, ...names);
  }

  async stack(
    stack: string,
    values: Readonly<Record<string, RehearsedValue>>,
    program?: string,
  ): Promise<RehearsedStack> {
    const options = { folder: this.folder, stack, log: quiet, ...(program === undefined ? {} : { program }) };
    this.opened = await RehearsedStack.open(options);
    await this.opened.configure(values);
    return this.opened;
  }

  /** Runs a job's commands with what the repository's settings and GitHub would give it. */
  run(workflow: string, job: string, more: Values = {}): Promise<StepsEnded> {
    const { env = {} } = this.opened?.command([]) ?? {};
    const { api, name, token } = this.github.repository;
    return runSteps(jobOf(workflow, job), {
      cwd: this.folder,
      env: {
        ...{ PATH: env["PATH"] ?? "", HOME: env["HOME"] ?? "", PULUMI_HOME: env["PULUMI_HOME"] ?? "" },
        ...(this.opened?.engine.env ?? {}),
        ...{
          GITHUB_API_URL: api,
          GITHUB_REPOSITORY: name,
          GITHUB_SERVER_URL: "https://github.test",
          GITHUB_RUN_ID: "42",
        },
      },
      values: {
        ...{ "github.token": token, "github.event.pull_request.number": "7" },
        "github.event.pull_request.head.sha": "0123456789abcdef0123456789abcdef01234567",
        "vars.PULUMI_BACKEND_URL": env["PULUMI_BACKEND_URL"] ?? "",
        "secrets.PULUMI_CONFIG_PASSPHRASE": env["PULUMI_CONFIG_PASSPHRASE"] ?? "",
        ...more,
      },
    });
  }

  /** Runs the preview's job for a stack, and hands its report on as the artifact actions do. */
  async preview(workflow: "preview" | "deploy", stack: string, more: Values = {}): Promise<StepsEnded> {
    rmSync(this.path("report"), { recursive: true, force: true });
    const ended = await this.run(workflow, workflow === "preview" ? "preview" : "plan", {
      "matrix.stack": stack,
      ...more,
    });
    for (const folder of ["previews/preview-" + stack, ...(stack === "prod" ? ["approved"] : [])]) {
      rmSync(this.path(folder), { recursive: true, force: true });
      mkdirSync(this.path(folder), { recursive: true });
      cpSync(this.path("report"), this.path(folder), { recursive: true });
    }
    return ended;
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const marker = "marker-";
const clean = (...texts: string[]): void => {
  for (const text of texts) assert.ok(!text.includes(marker), text);
};

describe("a pull request (catscan, on a host that nothing listens at)", function () {
  this.timeout(120_000);
  let github: FakeGitHub;
  let at: Checkout;
  let dev: RehearsedStack;
  const values: Record<string, RehearsedValue> = {
    "homeport:apps": { json: ["catscan"] },
    "catscan:target": "vps",
    "catscan:source": "rehearsal/standins/catscan",
    "vps:hosts": { json: { one: { address: "192.0.2.1", user: "root", hostKey } } },
    "vps:privateKey": {
      secret: generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    },
    "s3:endpoint": "http://127.0.0.1:9",
    "s3:region": "eu-central-1",
    "s3:accessKeyId": "rehearsal",
    "s3:secretAccessKey": { secret: `${marker}s3` },
    "catscan:GMAIL_CREDENTIALS": { secret: `{"installed":{"client_secret":"${marker}gmail"}}` },
    "catscan:GMAIL_TOKEN": { secret: `{"token":"${marker}token"}` },
  };

  before(async () => {
    github = await FakeGitHub.open();
    at = new Checkout(github);
    await at.stack("prod", { ...values, "catscan:GMAIL_CREDENTIALS": undefined, "catscan:prot": "1" });
    dev = await at.stack("dev", values);
  });
  after(async () => {
    at.close();
    await github.close();
  });

  it("gets a preview of each stack: one that is fine, and one that is refused, which fails its job", async () => {
    const fine = await at.preview("preview", "dev");
    assert.equal(fine.code, 0, fine.log);
    assert.match(fine.log, /^dev: \d+ to create, 0 unchanged$/m);
    assert.match(fine.summary, /^## Preview of dev\n/);
    const bad = await at.preview("preview", "prod");
    assert.equal(bad.code, 1);
    assert.match(
      bad.log,
      /^::error title=prod can't be deployed::Stack prod can't be deployed: 2 problems\. Nothing was touched\.%0A/m,
    );
    clean(fine.log, fine.summary, bad.log, bad.summary);
  });

  it("gets one comment with both: the changes of one, and what to do about the other", async () => {
    github.add("ada", "Looks good");
    const { code, log } = await at.run("preview", "comment");
    assert.equal(code, 0, log);
    assert.equal(github.comments.length, 2);
    const { body = "" } = github.comments[1] ?? {};
    assert.match(body, /## What merging 0123456789ab would change/);
    assert.match(body, /\| dev \| \d+ to create, 0 unchanged \|\n\| prod \| refused, 2 problems \|/);
    assert.match(body, /^\+ create {2}catscan-api \(homeport:index:AppService\)$/m);
    assert.match(body, /^1\. catscan:prot: Nothing reads this key\.\n {3}fix: pulumi config rm catscan:prot$/m);
    assert.match(body, /fix: pulumi config set --secret catscan:GMAIL_CREDENTIALS/);
    assert.match(body, /\(https:\/\/github\.test\/acme\/homeport\/actions\/runs\/42\)/);
    clean(body, readFileSync(at.path("previews/preview-dev/report.json"), "utf8"));
  });

  it("gets the comment edited after a push, also where a stack's job ended before its preview", async () => {
    await dev.configure({ "catscan:prot": "1" });
    await at.preview("preview", "dev");
    rmSync(at.path("previews/preview-prod"), { recursive: true });
    const { code, log } = await at.run("preview", "comment");
    assert.equal(code, 0, log);
    assert.equal(github.comments.length, 2);
    const { body = "" } = github.comments[1] ?? {};
    assert.match(body, /\| dev \| refused, 1 problem \|/);
    assert.match(body, /There is no preview: its job ended before it had one/);
  });

  it("has its previews in the summary where the token may not write", async () => {
    github.readOnly = true;
    const { code, log, summary } = await at.run("preview", "comment").finally(() => (github.readOnly = false));
    assert.equal(code, 0, log);
    assert.match(log, /^::warning title=The comment could not be written.*Workflow permissions$/m);
    assert.match(summary, /\| dev \| refused, 1 problem \|/);
  });

  it("is told what lacks where the repository isn't set up, or GitHub gives the run nothing", async () => {
    const none = { "vars.PULUMI_BACKEND_URL": "", "secrets.PULUMI_CONFIG_PASSPHRASE": "" };
    const unset = await at.preview("preview", "dev", none);
    assert.equal(unset.code, 1);
    assert.match(unset.log, /fix: gh variable set PULUMI_BACKEND_URL/);
    const noPassphrase = await at.preview("preview", "dev", { "secrets.PULUMI_CONFIG_PASSPHRASE": "" });
    assert.equal(noPassphrase.code, 1);
    assert.match(noPassphrase.log, /fix: gh secret set PULUMI_CONFIG_PASSPHRASE/);
    const noStack = await at.preview("preview", "staging");
    assert.match(noStack.log, /fix: pulumi stack init staging/);
  });

  it("from a fork is told why there is none and what to do, and fails nothing", async () => {
    const { code, log, summary } = await at.run("preview", "fork");
    assert.equal(code, 0);
    assert.match(log, /^::notice title=No preview for a fork::There is no preview/m);
    assert.match(
      summary,
      /```\ngh pr checkout 7\ngit push https:\/\/github\.com\/acme\/homeport HEAD:refs\/heads\/preview-7\n/,
    );
  });
});

/** A program with one resource that is made by a command, and one that its configuration may take away. */
const tiny = `
import { Config, RunError } from "@pulumi/pulumi";
import { local } from "@pulumi/command";
const config = new Config("tiny");
const command = config.get("command") ?? "true";
if (config.get("told") !== undefined) throw new RunError("The text is " + config.require("text"));
new local.Command("greeting", {
  create: "true", update: command,
  environment: { PORT: config.require("port") }, stdin: config.requireSecret("text"),
});
if (config.get("more") !== undefined) new local.Command("more", { create: command });
`;

describe("a merge (a program with two resources)", function () {
  this.timeout(120_000);
  let github: FakeGitHub;
  let at: Checkout;
  let prod: RehearsedStack;
  const allowed = { protection_rules: [{ type: "required_reviewers", reviewers: [{}] }] };
  const values = { "tiny:port": "8000", "tiny:text": { secret: `${marker}text` } };

  before(async () => {
    github = await FakeGitHub.open();
    at = new Checkout(github);
    const program = at.path("program");
    mkdirSync(program);
    symlinkSync(join(checkout, "node_modules"), join(program, "node_modules"));
    const options = { target: "ES2022", module: "commonjs", noCheck: true };
    writeFileSync(join(program, "Pulumi.yaml"), "name: tiny\nruntime: nodejs\n");
    writeFileSync(join(program, "package.json"), JSON.stringify({ name: "tiny", main: "index.ts" }));
    writeFileSync(join(program, "tsconfig.json"), JSON.stringify({ compilerOptions: options }));
    writeFileSync(join(program, "index.ts"), tiny);
    prod = await at.stack("prod", values, program);
  });
  after(async () => {
    at.close();
    await github.close();
  });

  it("is refused before anything is previewed where nobody would be asked", async () => {
    const { code, log } = await at.run("deploy", "plan", { "matrix.stack": "prod" });
    assert.equal(code, 1);
    assert.match(log, /Nobody would be asked before a deploy to production/);
    assert.match(log, /gh api -X PUT repos\/acme\/homeport\/environments\/production/);
    assert.ok(!existsSync(at.path("report")));
  });

  it("deploys what was shown, and says so", async () => {
    github.environments["production"] = allowed;
    const plan = await at.preview("deploy", "prod");
    assert.equal(plan.code, 0, plan.log);
    assert.match(plan.summary, /\+ create {2}greeting \(command:local:Command\)/);
    const { code, log, summary } = await at.run("deploy", "prod");
    assert.equal(code, 0, log);
    assert.match(summary, /^## prod is deployed\n\n2 to create/);
    assert.match(log, /\+ 2 created/);
    clean(plan.log, plan.summary, log, summary);
  });

  it("shows a change by its fields", async () => {
    await prod.configure({ "tiny:port": "8001", "tiny:text": { secret: `${marker}other` }, "tiny:more": "1" });
    const { code, log, summary } = await at.preview("deploy", "prod");
    assert.equal(code, 0, log);
    assert.match(summary, /! update {2}greeting \(command:local:Command\)\n {12}environment\.PORT: "8000" -> "8001"\n/);
    assert.match(summary, /\n {12}stdin: \[secret\], another one\n/);
    assert.match(summary, /1 to update, 1 to create, 1 unchanged/);
    clean(log, summary);
  });

  it("deploys nothing where that is no longer what was approved", async () => {
    await prod.configure({ "tiny:port": "8002" });
    const { code, log } = await at.run("deploy", "prod");
    assert.equal(code, 1);
    assert.match(log, /::error title=prod isn't deployed::What a deploy would do is no longer what was approved/);
    assert.doesNotMatch(log, /Updating \(prod\)|Duration/);
  });

  it("tells no secret that an error of the program tells", async () => {
    await prod.configure({ "tiny:told": "yes" });
    const { code, log, summary } = await at.preview("deploy", "prod");
    await prod.configure({ "tiny:told": undefined });
    assert.equal(code, 1);
    assert.match(summary, /The text is \[secret\]/);
    clean(log, summary, readFileSync(at.path("report/report.json"), "utf8"));
  });

  it("fails where the deploy fails, with its last lines and what to do", async () => {
    await prod.configure({ "tiny:command": "echo no luck >&2; exit 3" });
    await at.preview("deploy", "prod");
    const { code, log, summary } = await at.run("deploy", "prod");
    assert.equal(code, 1);
    assert.match(
      summary,
      /## The deploy of prod failed\n\n```text\nDiagnostics:\n[\s\S]*no luck[\s\S]*fix: mend what the log names and merge it/,
    );
    assert.match(log, /^::error title=The deploy of prod failed::/m);
    clean(log, summary);
  });
});
