import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gitHubFolder, jobOf, readYaml, workflow, type WorkflowStep } from "../support/workflow";

const project = join(gitHubFolder, "..");
const names = readdirSync(join(gitHubFolder, "workflows")).map((file) => file.replace(/\.yml$/, ""));
const jobs = names.flatMap((name) =>
  Object.entries(workflow(name).jobs).map(([job, spec]) => ({ where: `${name}.${job}`, ...spec })),
);
const prepare = (readYaml("actions", "prepare", "action.yml") as { runs: { steps: WorkflowStep[] } }).runs.steps;
const texts = [...names.map((name) => ["workflows", `${name}.yml`]), ["actions", "prepare", "action.yml"]].map((path) =>
  readFileSync(join(gitHubFolder, ...path), "utf8"),
);
const needsOf = (needs: string | readonly string[] | undefined): readonly string[] =>
  typeof needs === "string" ? [needs] : (needs ?? []);

describe("the workflows", () => {
  it("pin each action by a full commit, with its version beside it, and the same everywhere", () => {
    const pins = new Map<string, Set<string>>();
    for (const line of texts.flatMap((text) => text.split("\n")).filter((text) => /\buses:/.test(text))) {
      if (/uses: \.\//.test(line)) continue;
      const [, action = "", pin = ""] = /uses: ([\w.-]+\/[\w.-]+)@([0-9a-f]{40} # v\d+\.\d+\.\d+)$/.exec(line) ?? [];
      assert.notEqual(action, "", line);
      pins.set(action, (pins.get(action) ?? new Set()).add(pin));
    }
    assert.ok(pins.size >= 6);
    for (const [action, found] of pins) assert.equal(found.size, 1, `${action} has several versions`);
  });

  it("give no job more than it needs, and none a permission by default", () => {
    for (const name of names) assert.deepEqual(workflow(name).permissions, {}, name);
    const writes = jobs.map(({ where, permissions }) => [
      where,
      Object.entries(permissions ?? {}).flatMap(([what, level]) => (level === "write" ? [what] : [])),
    ]);
    assert.deepEqual(Object.fromEntries(writes), {
      "preview.preview": ["id-token"],
      "preview.comment": ["pull-requests"],
      "preview.fork": [],
      "deploy.plan": ["id-token"],
      "deploy.dev": ["id-token"],
      "deploy.prod": ["id-token"],
    });
  });

  it("may ask for AWS credentials only where a role is named, and ask for the deploying one only in an environment", () => {
    for (const { where, permissions, environment, steps } of jobs) {
      const role = steps.flatMap((step) => (step.with?.["role"] === undefined ? [] : [step.with["role"]]));
      assert.equal(role.length === 1, permissions?.["id-token"] === "write", where);
      assert.equal(role.includes("${{ vars.AWS_UP_ROLE_ARN }}"), environment !== undefined, where);
    }
  });

  it("leave no token behind in the checkout, and end by themselves", () => {
    for (const { where, steps, "timeout-minutes": minutes } of jobs) {
      assert.ok(minutes !== undefined && minutes <= 60, where);
      for (const { uses, with: given } of steps) {
        if (uses?.startsWith("actions/checkout@") === true) assert.equal(given?.["persist-credentials"], false, where);
      }
    }
  });

  it("put nothing that others write into a command: it goes through variables", () => {
    for (const { where, steps } of jobs)
      for (const { run } of steps) assert.doesNotMatch(run ?? "", /\$\{\{/, `${where}: ${run ?? ""}`);
  });

  it("run scripts that are there", () => {
    const scripts = jobs.flatMap(({ steps }) =>
      steps.flatMap(({ run }) => [...(run ?? "").matchAll(/\.github\/scripts\/\S+/g)].map(([path]) => path)),
    );
    assert.ok(scripts.length >= 5);
    for (const script of scripts) assert.ok(existsSync(join(project, script)), script);
  });

  it("have every stack that has a file, and the versions that the project has", () => {
    const stacks = readdirSync(project).flatMap((file) => /^Pulumi\.(?!rehearsal)(.+)\.yaml$/.exec(file)?.[1] ?? []);
    for (const [name, job] of [
      ["preview", "preview"],
      ["deploy", "plan"],
    ] as const) {
      assert.deepEqual(
        [...(jobOf(name, job).strategy?.matrix.include.map(({ stack }) => stack) ?? [])].sort(),
        stacks.sort(),
      );
    }
    const comment = jobOf("preview", "comment").steps.find(({ run }) => run !== undefined)?.run ?? "";
    assert.deepEqual(comment.split(" previews ")[1]?.split(" ").sort(), stacks);
    const manifest = JSON.parse(readFileSync(join(project, "package.json"), "utf8")) as {
      dependencies: Record<string, string>;
      engines: { node: string };
    };
    const given = (action: string, input: string): unknown =>
      prepare.find(({ uses }) => uses?.startsWith(action))?.with?.[input];
    assert.equal(given("pulumi/actions@", "pulumi-version"), manifest.dependencies["@pulumi/pulumi"]);
    assert.ok(Number(given("actions/setup-node@", "node-version")) >= Number(manifest.engines.node.replace(">=", "")));
  });
});

describe("the previews of pull requests", () => {
  const fromHere = "github.event.pull_request.head.repo.full_name == github.repository";
  const fromFork = "github.event.pull_request.head.repo.full_name != github.repository";

  it("never run a fork's code with credentials", () => {
    assert.deepEqual(Object.keys(workflow("preview").on), ["pull_request"]);
    assert.equal(jobOf("preview", "preview").if, fromHere);
    assert.equal(jobOf("preview", "fork").if, fromFork);
    assert.ok(!JSON.stringify(jobOf("preview", "fork")).includes("secrets."));
    assert.ok(jobOf("preview", "fork").steps.every(({ uses }) => uses === undefined));
  });

  it("comment also where a preview is refused, and not where there is none", () => {
    assert.equal(jobOf("preview", "comment").if, "${{ !cancelled() && needs.preview.result != 'skipped' }}");
    assert.deepEqual(needsOf(jobOf("preview", "comment").needs), ["preview"]);
    const upload = jobOf("preview", "preview").steps.find(({ uses }) => uses?.includes("upload-artifact"));
    assert.equal(upload?.if, "always()");
  });

  it("give way to those of a newer push", () => {
    assert.deepEqual(workflow("preview").concurrency, {
      group: "preview-${{ github.event.pull_request.number }}",
      "cancel-in-progress": true,
    });
  });

  it("give the job that may write no secret", () => {
    assert.ok(!JSON.stringify(jobOf("preview", "comment")).includes("secrets."));
  });
});

describe("the deploys", () => {
  const commands = (job: string): string[] => jobOf("deploy", job).steps.flatMap(({ run }) => run ?? []);

  it("come from main alone, dev first, production last and behind its environment", () => {
    assert.deepEqual(workflow("deploy").on, { push: { branches: ["main"] }, workflow_dispatch: null });
    assert.equal(jobOf("deploy", "plan").if, "github.ref == 'refs/heads/main'");
    assert.deepEqual(needsOf(jobOf("deploy", "dev").needs), ["plan"]);
    assert.deepEqual(needsOf(jobOf("deploy", "prod").needs), ["dev"]);
    assert.equal(jobOf("deploy", "prod").environment, "production");
  });

  it("begin only where somebody would be asked, before any environment is named", () => {
    assert.equal(jobOf("deploy", "plan").environment, undefined);
    assert.ok(commands("plan")[0]?.endsWith("approval.ts production"));
  });

  it("deploy in one place each, production by what was approved", () => {
    const ups = jobs.filter(({ steps }) => steps.some(({ run }) => /scripts\/up\.ts|pulumi up/.test(run ?? "")));
    assert.deepEqual(
      ups.map(({ where, environment }) => [where, environment]),
      [
        ["deploy.dev", "development"],
        ["deploy.prod", "production"],
      ],
    );
    assert.ok(commands("prod").at(-1)?.endsWith("up.ts prod approved/report.json"));
    const download = jobOf("deploy", "prod").steps.find(({ uses }) => uses?.includes("download-artifact"));
    assert.deepEqual(download?.with, { name: "preview-prod", path: "approved" });
  });

  it("refuse what a run can't do before anything is touched, and have a way to the hosts where they deploy", () => {
    const scripts = (job: string) =>
      commands(job).flatMap((line) =>
        [...line.matchAll(/scripts\/(\w+)\.ts (.*)$/g)].map(([, name, words]) => [name, words]),
      );
    assert.deepEqual(scripts("plan"), [
      ["approval", "production"],
      ["session", '"$STACK"'],
      ["preview", '"$STACK" "$HOMEPORT_PREVIEW" deploy'],
    ]);
    for (const stack of ["dev", "prod"]) assert.deepEqual(scripts(stack)[0], ["session", stack]);
    // A person's own deploy isn't for the preview of a pull request to refuse.
    const previews = jobOf("preview", "preview").steps.flatMap(({ run }) => run ?? []);
    assert.ok(previews.some((line) => line.endsWith('"$HOMEPORT_PREVIEW"')));
    assert.ok(!previews.some((line) => line.includes("session.ts")));
  });

  it("are never cut off by another", () => {
    for (const job of ["dev", "prod"]) {
      const { concurrency } = jobOf("deploy", job);
      assert.deepEqual(concurrency, { group: `deploy-${job}`, "cancel-in-progress": false });
    }
  });
});
