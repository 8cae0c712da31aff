import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "mocha";
import { fingerprint, git as source, pack, type GitSource } from "../../../drivers/source";
import { bytesOf, commit, git, listTar, put, refuses, repository, sandbox, untar } from "./support";
import { serve } from "./server";

describe("a git repository as a source", () => {
  const box = sandbox();
  const cwd = "/";
  const look = (from: GitSource): ReturnType<typeof fingerprint> => fingerprint(from, { cwd });

  /** Name and content of what a source releases. */
  const release = async (from: GitSource): Promise<Record<string, string>> => {
    const packed = await pack(from, await look(from), { cwd });
    const archive = await bytesOf(packed);
    await packed.dispose();
    const into = box.fresh();
    untar(archive, into);
    const names = listTar(archive)
      .filter((row) => row.startsWith("-"))
      .map((row) => row.split(" ").slice(5).join(" "));
    return Object.fromEntries(names.map((name) => [name, readFileSync(join(into, name), "utf8")]));
  };

  it("is found by HEAD, branch, tag, annotated tag, full name and commit", async () => {
    const root = box.fresh();
    const first = repository(root, { a: "1" });
    git(root, "tag", "light");
    git(root, "tag", "-a", "-m", "x", "v1.0");
    git(root, "switch", "-q", "-c", "feature/x");
    put(root, { a: "2" });
    const second = commit(root);
    git(root, "switch", "-q", "main");
    const expected: [string | undefined, string, string][] = [
      [undefined, first, `main @ ${first.slice(0, 7)}`],
      ["HEAD", first, `main @ ${first.slice(0, 7)}`],
      ["main", first, `main @ ${first.slice(0, 7)}`],
      ["light", first, `light @ ${first.slice(0, 7)}`],
      ["v1.0", first, `v1.0 @ ${first.slice(0, 7)}`],
      ["refs/tags/v1.0", first, `v1.0 @ ${first.slice(0, 7)}`],
      ["feature/x", second, `feature/x @ ${second.slice(0, 7)}`],
      [second.toUpperCase(), second, second.slice(0, 7)],
    ];
    for (const [ref, hash, describe] of expected) {
      const found = await look(source(root, ref === undefined ? {} : { ref }));
      assert.deepEqual([found.commit, found.describe], [hash, describe], ref);
    }
    const one = await look(source(root));
    assert.equal((await look(source(`file://${root}`, { ref: first }))).id, one.id);
    assert.equal(
      (await look(source(root, { directory: "./a//" }))).id,
      (await look(source(root, { directory: "a" }))).id,
    );
    assert.notEqual((await look(source(root, { directory: "a" }))).id, one.id);
    assert.equal((await fingerprint(source("./x/.."), { cwd: root })).id, one.id);
  });

  it("needs no remote for a full commit hash", async () => {
    const found = await look(source("https://nowhere.invalid/o/r", { ref: "a".repeat(64) }));
    assert.equal(found.commit, "a".repeat(64));
  });

  it("refuses an ambiguous ref, and takes its full names", async () => {
    const root = box.fresh();
    const first = repository(root, { a: "1" });
    git(root, "tag", "both");
    git(root, "branch", "both");
    assert.equal((await look(source(root, { ref: "both" }))).commit, first);
    git(root, "switch", "-q", "both");
    const second = commit(root);
    await refuses(() => look(source(root, { ref: "both" })), /ambiguous/, /refs\/heads\/both .* refs\/tags\/both/);
    assert.equal((await look(source(root, { ref: "refs/heads/both" }))).commit, second);
    assert.equal((await look(source(root, { ref: "refs/tags/both" }))).commit, first);
  });

  it("names near refs for a missing one, and the full hash for a short one", async () => {
    const root = box.fresh();
    const hash = repository(root, { a: "1" });
    git(root, "tag", "v1.2.3");
    git(root, "branch", "develop");
    await refuses(() => look(source(root, { ref: "develp" })), /no branch or tag "develp"/, /fix: .*develop/);
    await refuses(() => look(source(root, { ref: "v1.2.4" })), /fix: .*v1\.2\.3/);
    await refuses(
      () => look(source(root, { ref: hash.slice(0, 8) })),
      new RegExp(`fix: set ref to the full hash: ${hash}`),
    );
    await refuses(() => look(source(root, { ref: "0000000" })), /shortened commit hash/);
    // A pattern of ls-remote would match the end of a longer name.
    git(root, "branch", "x/refs/heads/tail");
    await refuses(() => look(source(root, { ref: "tail" })), /no branch or tag "tail"/);
  });

  it("says what is wrong with a repository that can't be read", async () => {
    await refuses(() => look(source(box.path("none"))), /can't be read/, /check the URL/);
    await refuses(() => look(source("http://127.0.0.1:1/o/r")), /can't be read/, /check the network/);
    const empty = box.fresh();
    git(empty, "init", "-q", "--bare");
    await refuses(() => look(source(empty)), /no default branch/, /repository is empty/);
  });

  it("reads a private repository over http, its token in no argument, message or file", async () => {
    const root = box.fresh();
    repository(root, { a: "1" });
    git(root, "update-server-info");
    const server = await serve((request) => {
      const login = Buffer.from((request.headers.authorization ?? "").replace("Basic ", ""), "base64").toString();
      if (login !== "user:S3cr3t/tok@n" && login !== "S3cr3t:")
        return { status: 401, headers: { "www-authenticate": 'Basic realm="x"' } };
      const path = join(root, ".git", new URL(request.url ?? "", "http://x").pathname.replace("/o/r.git/", ""));
      return existsSync(path) ? { body: readFileSync(path) } : { status: 404 };
    });
    const trace = box.path("trace");
    process.env["GIT_TRACE"] = trace;
    try {
      const url = server.url("/o/r.git").replace("//", "//user:S3cr3t%2Ftok%40n@");
      const from = source(url);
      assert.deepEqual(await release(from), { a: "1" });
      assert.doesNotMatch((await look(from)).describe, /S3cr3t/);
      await look(source(server.url("/o/r.git").replace("//", "//S3cr3t@")));
      const missing = await refuses(() => look(source(url, { ref: "nope" })), /no branch or tag/);
      const wrong = await refuses(
        () => look(source(url.replace("S3cr3t", "S3cr3tWrong"))),
        /can't be read/,
        /credentials/,
      );
      const none = await refuses(() => look(source(server.url("/o/r.git"))), /can't be read/, /gh auth setup-git/);
      const traced = readFileSync(trace, "utf8");
      assert.match(traced, /run_command: git remote-http http:\/\/127/);
      for (const text of [missing, wrong, none].map((each) => each.message).concat(traced)) {
        assert.doesNotMatch(text, /S3cr3t|tok@n|tok%40n/);
      }
      assert.throws(() => execFileSync("grep", ["-rE", "S3cr3t", box.path("cache")]), { status: 1 });
    } finally {
      Reflect.deleteProperty(process.env, "GIT_TRACE");
      await server.close();
    }
  });

  it("gives overlapping look-ups of one ref one answer", async () => {
    const root = box.fresh();
    repository(root, { a: "1" });
    const trace = box.path("trace2");
    process.env["GIT_TRACE"] = trace;
    try {
      const [one, two] = await Promise.all([
        look(source(root, { directory: "a" })),
        look(source(root, { directory: "b" })),
      ]);
      assert.equal(one.commit, two.commit);
      assert.equal(readFileSync(trace, "utf8").match(/built-in: git ls-remote/g)?.length, 1);
    } finally {
      Reflect.deleteProperty(process.env, "GIT_TRACE");
    }
    appendFileSync(join(root, "a"), "2");
    assert.equal((await look(source(root))).commit, git(root, "rev-parse", "HEAD"));
  });
});
