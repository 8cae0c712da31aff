import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unguarded } from "../../.github/scripts/approval";
import { marker, reportsIn, writeComment } from "../../.github/scripts/comment";
import { GitHubError } from "../../.github/scripts/api";
import { FakeGitHub } from "../support/fakeGitHub";

const mine = "github-actions[bot]";

describe("GitHub, asked by the workflows", () => {
  let github: FakeGitHub;
  beforeEach(async () => {
    github = await FakeGitHub.open();
  });
  afterEach(() => github.close());
  const write = (text: string): Promise<number> => writeComment(github.repository, "7", `${marker}\n${text}`, 1);

  it("gets one comment, edited in place ever after", async () => {
    const first = await write("one");
    const second = await write("two");
    assert.equal(second, first);
    assert.deepEqual(
      github.comments.map(({ body }) => body),
      [`${marker}\ntwo`],
    );
    assert.deepEqual(github.writes, ["POST issues/7/comments", `PATCH issues/comments/${first}`]);
  });

  it("keeps what others wrote, also another bot's copy of ours and one of ours that quotes it", async () => {
    const others = [
      github.add("dependabot[bot]", `${marker}\nby another bot`),
      github.add("ada", `${marker}\nby a person`),
      github.add(mine, `another workflow quotes ${marker}`),
      github.add(null, "by somebody who is gone"),
    ];
    const before = others.map(({ body }) => body);
    const id = await write("one");
    assert.equal(await write("two"), id);
    assert.deepEqual(
      others.map(({ body }) => body),
      before,
    );
    assert.equal(github.comments.length, 5);
  });

  it("is asked for page after page until ours is found", async () => {
    for (let index = 0; index < 230; index += 1) github.add("ada", `comment ${index}`);
    const ours = github.add(mine, `${marker}\nold`);
    for (let index = 0; index < 150; index += 1) github.add("ada", `later ${index}`);
    assert.equal(await write("new"), ours.id);
    assert.equal(ours.body, `${marker}\nnew`);
    assert.equal(github.requests.filter((request) => request.startsWith("GET")).length, 3);
  });

  it("gets no second comment where its answer was lost", async () => {
    github.faults.push("lost");
    await write("one");
    assert.equal(github.comments.length, 1);
  });

  it("is asked again after a fault that may pass, and gets a new comment where ours was deleted meanwhile", async () => {
    github.faults.push({ status: 502 }, { status: 403, retryAfter: 0 });
    await write("one");
    github.comments.length = 0;
    await write("two");
    assert.deepEqual(
      github.comments.map(({ body }) => body),
      [`${marker}\ntwo`],
    );
  });

  it("is asked four times at most, and once where it refuses", async () => {
    github.faults.push(...Array.from({ length: 9 }, () => ({ status: 503 })));
    await assert.rejects(write("one"), /answered POST .* with 503: Sorry/);
    assert.equal(github.writes.length, 4);
    github.faults.length = 0;
    github.requests.length = 0;
    github.readOnly = true;
    await assert.rejects(write("one"), (error: unknown) => error instanceof GitHubError && error.status === 403);
    assert.equal(github.writes.length, 1);
  });

  it("isn't sent the token anywhere else", async () => {
    const { ask } = await import("../../.github/scripts/api");
    await assert.rejects(ask(github.repository, "GET", "http://127.0.0.1:9/next"), /isn't GitHub's API/);
  });

  it("tells whether anybody would be asked before a deploy", async () => {
    const asked = (environment: string): Promise<string | undefined> => unguarded(github.repository, environment, 1);
    assert.match((await asked("production")) ?? "", /There is no environment "production"/);
    github.environments["production"] = {
      protection_rules: [{ type: "wait_timer", reviewers: [{}] }, { type: "branch_policy" }],
    };
    assert.match((await asked("production")) ?? "", /has no required reviewers/);
    github.environments["production"] = { protection_rules: [{ type: "required_reviewers", reviewers: [] }] };
    assert.match((await asked("production")) ?? "", /has no required reviewers/);
    github.environments["production"] = { protection_rules: [{ type: "required_reviewers", reviewers: [{}] }] };
    assert.equal(await asked("production"), undefined);
  });
});

describe("the reports of the jobs before", () => {
  it("are read for each stack, and a job that left none is told", () => {
    const folder = mkdtempSync(join(tmpdir(), "homeport-reports-"));
    try {
      mkdirSync(join(folder, "preview-dev"));
      const report = { stack: "dev", changes: [], unchanged: 3, fingerprint: "f" };
      writeFileSync(join(folder, "preview-dev", "report.json"), JSON.stringify(report));
      const [dev, prod] = reportsIn(folder, ["dev", "prod"]);
      assert.deepEqual(dev, report);
      assert.equal(prod?.stack, "prod");
      assert.match(prod.refusal ?? "", /no preview/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
