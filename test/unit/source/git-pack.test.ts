import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, it } from "mocha";
import { fingerprint, git as source, pack, type GitSource } from "../../../drivers/source";
import { bytesOf, commit, git, listTar, put, refuses, repository, sandbox, untar } from "./support";

describe("a commit of a git repository", () => {
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
  const mirrors = (): string[] => {
    const folder = box.path("cache", "git");
    return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
  };

  it("is packed as stored: no line ending, export rule or filter applies", async () => {
    const root = box.fresh();
    git(root, "init", "-q", "-b", "main");
    put(root, {
      "dos.txt": "a\r\nb\r\n",
      "unix.txt": "a\nb\n",
      subst: "$Format:%H$",
      tests: "1",
      "bin/run*": "x",
      l: "-> bin/run",
    });
    git(root, "add", "--all");
    put(root, { ".gitattributes": "*.txt text eol=crlf\nsubst export-subst\ntests export-ignore\n" });
    git(root, "add", ".gitattributes");
    git(root, "commit", "-q", "-m", "x");
    const from = source(root);
    const packed = await pack(from, await look(from), { cwd });
    const archive = await bytesOf(packed);
    const time = "1970-01-01 00:00:00";
    assert.deepEqual(listTar(archive), [
      `-rw-r--r-- 0/0 59 ${time} .gitattributes`,
      `drwxr-xr-x 0/0 0 ${time} bin/`,
      `-rwxr-xr-x 0/0 1 ${time} bin/run`,
      `-rw-r--r-- 0/0 6 ${time} dos.txt`,
      `lrwxrwxrwx 0/0 0 ${time} l -> bin/run`,
      `-rw-r--r-- 0/0 11 ${time} subst`,
      `-rw-r--r-- 0/0 1 ${time} tests`,
      `-rw-r--r-- 0/0 4 ${time} unix.txt`,
    ]);
    const into = box.fresh();
    untar(archive, into);
    assert.equal(readFileSync(join(into, "dos.txt"), "utf8"), "a\r\nb\r\n");
    assert.equal(readFileSync(join(into, "unix.txt"), "utf8"), "a\nb\n");
    assert.equal(readFileSync(join(into, "subst"), "utf8"), "$Format:%H$");
    await packed.dispose();
  });

  it("is packed at the fingerprint's commit, though the branch moved on", async () => {
    const root = box.fresh();
    repository(root, { "app/a": "1", other: "x" });
    const from = source(root, { ref: "main", directory: "app" });
    const print = await look(from);
    put(root, { "app/a": "2" });
    commit(root);
    const packed = await pack(from, print, { cwd });
    assert.match(listTar(await bytesOf(packed)).join(), /^-rw-r--r-- \S+ 1 \S+ \S+ a$/);
    await packed.dispose();
    assert.deepEqual(await release(from), { a: "2" });
    await refuses(() => pack(source(root), print, { cwd }), /isn't one of this source/);
  });

  it("is packed without the remote once a commit is in the cache, big files and many too", async () => {
    const root = box.fresh();
    const big = Buffer.alloc(1_500_000, "0123456789abcdef\n");
    const files = Object.fromEntries(Array.from({ length: 70 }, (_, index) => [`d${index % 7}/f${index}`, `${index}`]));
    const hash = repository(root, { ...files, big, "new\nline": "1" });
    const from = source(root, { ref: hash });
    const print = await look(from);
    await (await pack(from, print, { cwd })).dispose();
    rmSync(root, { recursive: true });
    const packed = await pack(from, print, { cwd });
    const into = box.fresh();
    untar(await bytesOf(packed), into);
    await packed.dispose();
    assert(readFileSync(join(into, "big")).equals(big));
    assert.equal(readdirSync(join(into, "d3")).length, 10);
    assert.equal(readFileSync(join(into, "new\nline"), "utf8"), "1");
  });

  it("tells of a commit that the remote doesn't have", async () => {
    const root = box.fresh();
    repository(root, { a: "1" });
    const from = source(root, { ref: "1".repeat(40) });
    await refuses(async () => pack(from, await look(from), { cwd }), /doesn't have the commit 1111/, /forced push/);
  });

  it("works with SHA-256 repositories", async () => {
    const root = box.fresh();
    git(root, "init", "-q", "-b", "main", "--object-format=sha256");
    put(root, { a: "1" });
    assert.equal(commit(root).length, 64);
    assert.deepEqual(await release(source(root)), { a: "1" });
  });

  it("refuses submodules, LFS pointers, missing folders and links out", async () => {
    const root = box.fresh();
    const module = box.fresh();
    repository(module, { m: "1" });
    repository(root, {
      "web/a": "1",
      "lfs/x": `version https://git-lfs.github.com/spec/v1\noid sha256:${"a".repeat(64)}\nsize 1\n`,
    });
    put(root, { "out/l": "-> ../web/a" });
    git(root, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", module, "mods/sub");
    commit(root);
    const at = (directory: string) => () => release(source(root, { directory }));
    assert.deepEqual(await at("web")(), { a: "1" });
    await refuses(at("mods"), /"sub" is a submodule/);
    await refuses(at("lfs"), /"x" is kept in Git LFS/, /git lfs pull/);
    await refuses(at("wbe"), /no folder "wbe"/, /near: web/);
    await refuses(at("web/a"), /no folder "web\/a"/);
    await refuses(at("out"), /link "l" points out/);
  });

  // Few objects are kept as a file each, many in one pack (fetch.unpackLimit of git-config(1)).
  for (const [kind, number] of [
    ["of single objects", 3],
    ["of a pack", 110],
  ] as const) {
    it(`heals a damaged cache ${kind}`, async () => {
      const root = box.fresh();
      const files = Object.fromEntries(Array.from({ length: number }, (_, index) => [`f${index}`, `${index}`]));
      repository(root, files);
      const from = source(root);
      const print = await look(from);
      const packed = async (): Promise<Buffer> => {
        const made = await pack(from, print, { cwd });
        const bytes = await bytesOf(made);
        await made.dispose();
        return bytes;
      };
      const before = new Set(mirrors());
      const whole = await packed();
      assert.equal(listTar(whole).length, number);
      const mirror = mirrors().find((path) => !before.has(path)) ?? "";
      const blob = join("objects", git(root, "rev-parse", "HEAD:f1").replace(/^../, "$&/"));
      const object = (): string => {
        const name = readdirSync(join(mirror, "objects/pack")).find((each) => each.endsWith(".pack"));
        return number < 100 ? blob : join("objects/pack", name ?? "");
      };
      const damages: [path: () => string, content?: (old: Buffer) => Buffer | string][] = [
        [object],
        [object, (old) => old.subarray(0, 10)],
        [object, (old) => Buffer.from(old).fill(0x55, old.length >> 1)],
        [object, (old) => Buffer.from(old).fill(0x55, 3)],
      ];
      if (number < 100) {
        damages.push([() => "objects"], [() => "refs"], [() => "HEAD", () => "junk"], [() => "config", () => "[junk"]);
        damages.push([() => "shallow.lock", () => ""], [() => `../${basename(mirror)}`, () => "junk"]);
      }
      for (const [path, content] of damages) {
        const place = join(mirror, path());
        const old = existsSync(place) && statSync(place).isFile() ? readFileSync(place) : Buffer.alloc(0);
        rmSync(place, { recursive: true, force: true });
        if (content !== undefined) writeFileSync(place, content(old));
        assert.deepEqual(await packed(), whole, path());
      }
      // What a killed fetch leaves must not hold up the next commit.
      writeFileSync(join(mirror, "shallow.lock"), "");
      put(root, { f1: "new" });
      commit(root);
      assert.deepEqual(await release(from), { ...files, f1: "new" });
      assert.deepEqual(readdirSync(box.path("cache", "scratch")), []);
    });
  }

  it("is fetched once for several at once", async () => {
    const root = box.fresh();
    repository(root, { a: "1", "b/c": "2" });
    const from = source(root);
    const trace = box.path("trace");
    process.env["GIT_TRACE"] = trace;
    try {
      const all = await Promise.all(Array.from({ length: 6 }, () => release(from)));
      for (const each of all) assert.deepEqual(each, { a: "1", "b/c": "2" });
      assert.equal(readFileSync(trace, "utf8").match(/built-in: git fetch/g)?.length, 1);
    } finally {
      Reflect.deleteProperty(process.env, "GIT_TRACE");
    }
  });

  it("starts the copy afresh after many commits", async () => {
    const root = box.fresh();
    repository(root, { a: "0" });
    const from = source(root);
    const before = new Set(mirrors());
    await release(from);
    const mirror = mirrors().find((path) => !before.has(path)) ?? "";
    const hash = git(root, "rev-parse", "HEAD");
    const refs = Array.from(
      { length: 60 },
      (_, index) => `create refs/homeport/${createHash("sha1").update(`${index}`).digest("hex")} ${hash}`,
    );
    execFileSync("git", ["update-ref", "--stdin"], { cwd: mirror, input: `${refs.join("\n")}\n` });
    put(root, { a: "1" });
    commit(root);
    assert.deepEqual(await release(from), { a: "1" });
    assert.equal(git(mirror, "for-each-ref", "refs/homeport/").split("\n").length, 1);
  });
});
