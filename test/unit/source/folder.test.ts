import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, it } from "mocha";
import { fingerprint, folder, pack } from "../../../drivers/source";
import { humanBytes } from "../../../drivers/source/folder";
import { listFolder } from "../../../drivers/source/listing";
import {
  bytesOf,
  commit,
  filesBelow,
  git,
  listTar,
  put,
  refuses,
  repository,
  sandbox,
  untar,
  type Files,
} from "./support";

describe("a folder as a source", () => {
  const box = sandbox();
  const cwd = "/";
  const idOf = async (path: string, directory?: string): Promise<string> =>
    (await fingerprint(folder(path, directory === undefined ? {} : { directory }), { cwd })).id;

  /** The names in a folder's release. */
  const names = async (path: string): Promise<string[]> => {
    const source = folder(path);
    const packed = await pack(source, await fingerprint(source, { cwd }), { cwd });
    const into = box.fresh();
    untar(await bytesOf(packed), into);
    await packed.dispose();
    return filesBelow(into);
  };

  it("describes itself", async () => {
    const root = box.fresh();
    put(root, { "app/sub/a": "x".repeat(119_500), "app/sub/b": "y" });
    const found = await fingerprint(folder("app", { directory: "./sub/" }), { cwd: root });
    assert.equal(found.describe, "folder app/sub (2 files, 120 kB)");
    assert.deepEqual([0, 999, 1_000, 1_500, 99_949, 999_499, 999_500, 5e9].map(humanBytes), [
      "0 B",
      "999 B",
      "1.0 kB",
      "1.5 kB",
      "100 kB",
      "999 kB",
      "1.0 MB",
      "5.0 GB",
    ]);
  });

  it("has one id for a checkout, its copy elsewhere and a copy without .git, whatever times and owners are", async () => {
    const root = box.fresh();
    repository(root, { ".gitignore": "*.log\n", "b/x*": "run", "b/link": "-> x", a: "1", "b/.gitignore": "tmp\n" });
    put(root, { "b/y.log": "noise", "b/tmp/z": "noise", untracked: "2" });
    const copy = join(box.fresh(), "deeper");
    cpSync(root, copy, { recursive: true, verbatimSymlinks: true });
    const bare = join(box.fresh(), "bare");
    cpSync(root, bare, { recursive: true, verbatimSymlinks: true });
    rmSync(join(bare, ".git"), { recursive: true });
    utimesSync(join(bare, "a"), 1, 1);
    chmodSync(join(bare, "a"), 0o640);
    execFileSync("chown", ["-R", "12345", bare]);
    const id = await idOf(root);
    assert.equal(await idOf(copy), id);
    assert.equal(await idOf(bare), id);
    assert.deepEqual(await names(bare), [".gitignore", "a", "b/.gitignore", "b/link", "b/x", "untracked"]);
  });

  it("has another id after each change that a release shows", async () => {
    const root = box.fresh();
    const ids = [await (put(root, { a: "1", "d/b": "2", l: "-> a" }), idOf(root))];
    const step = async (change: () => void): Promise<void> => {
      change();
      ids.push(await idOf(root));
    };
    await step(() => {
      writeFileSync(join(root, "a"), "2");
    });
    await step(() => {
      chmodSync(join(root, "a"), 0o755);
    });
    await step(() => {
      rmSync(join(root, "l"));
    });
    await step(() => {
      symlinkSync("d", join(root, "l"));
    });
    await step(() => {
      cpSync(join(root, "a"), join(root, "c"));
    });
    ids.push(await idOf(root, "d"), await idOf(join(root, "d")));
    assert.equal(new Set(ids).size, ids.length);
    mkdirSync(join(root, "empty"));
    assert.equal(await idOf(root), ids[5]);
  });

  it("takes what git would: tracked though ignored, not what was deleted, not what lies behind a link", async () => {
    const root = box.fresh();
    const other = box.fresh();
    put(other, { x: "secret" });
    repository(root, { "kept.log": "1", gone: "1", "dir/x": "1", "swap/x": "1" });
    put(root, { ".gitignore": "*.log\n", "other.log": "1" });
    rmSync(join(root, "gone"));
    rmSync(join(root, "dir"), { recursive: true });
    writeFileSync(join(root, "dir"), "a file now");
    rmSync(join(root, "swap"), { recursive: true });
    symlinkSync("kept.log", join(root, "swap"));
    assert.deepEqual(await names(root), [".gitignore", "dir", "kept.log", "swap"]);
    // Ignored as a whole, the link isn't listed, but what git tracks below it still is.
    rmSync(join(root, "swap"));
    symlinkSync(other, join(root, "swap"));
    appendFileSync(join(root, ".gitignore"), "swap\n");
    assert.deepEqual(await names(root), [".gitignore", "dir", "kept.log"]);
  });

  it("lists a conflicted file once", async () => {
    const root = box.fresh();
    repository(root, { a: "1" });
    git(root, "checkout", "-q", "-b", "other");
    put(root, { a: "2" });
    commit(root);
    git(root, "checkout", "-q", "main");
    put(root, { a: "3" });
    commit(root);
    assert.throws(() => git(root, "merge", "other"));
    assert.deepEqual(await listFolder(root), ["a"]);
  });

  it("enters repositories within, and asks for submodules that aren't there", async () => {
    const root = box.fresh();
    repository(root, { a: "1" });
    const module = box.fresh();
    repository(module, { m: "1" });
    git(root, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", module, "sub");
    commit(root);
    put(root, { "clone/.gitignore": "no\n", "clone/yes": "1", "clone/no": "1" });
    git(join(root, "clone"), "init", "-q");
    assert.deepEqual(await names(root), [".gitmodules", "a", "clone/.gitignore", "clone/yes", "sub/m"]);
    git(root, "submodule", "deinit", "--force", "--quiet", "sub");
    await refuses(() => idOf(root), /submodule "sub" isn't checked out/, /submodule update --init/);
  });

  it("takes a folder that an outer repository ignores by its own rules", async () => {
    const root = box.fresh();
    repository(root, { ".gitignore": "made\n" });
    put(root, { "made/app/a": "1", "made/app/b": "1", "made/app/.gitignore": "b\n" });
    assert.deepEqual(await names(join(root, "made/app")), [".gitignore", "a"]);
  });

  it("leaves out sockets and pipes, and never waits for one", async () => {
    const root = box.fresh();
    put(root, { a: "1" });
    execFileSync("mkfifo", [join(root, "pipe")]);
    assert.deepEqual(await names(root), ["a"]);
    rmSync(join(root, "pipe"));
    repository(root, { pipe: "1" });
    rmSync(join(root, "pipe"));
    execFileSync("mkfifo", [join(root, "pipe")]);
    assert.deepEqual(await names(root), ["a"]);
  });

  it("isn't led astray by the environment of a git hook", async () => {
    const root = box.fresh();
    repository(root, { a: "1", b: "2" });
    const other = box.fresh();
    repository(other, { z: "1" });
    process.env["GIT_DIR"] = join(other, ".git");
    try {
      assert.deepEqual((await listFolder(root)).sort(), ["a", "b"]);
    } finally {
      Reflect.deleteProperty(process.env, "GIT_DIR");
    }
  });

  it("changes nothing in the folder, not even git's index", async () => {
    const root = box.fresh();
    repository(root, { a: "1" });
    utimesSync(join(root, "a"), 1, 1);
    const look = (): string => execFileSync("find", [root, "-printf", "%p %T@ %i\\n"], { encoding: "utf8" });
    const before = look();
    await names(root);
    assert.equal(look(), before);
  });

  it("packs deterministically: sorted, no owner, no time, two modes", async () => {
    const root = box.fresh();
    const long = `${"long/".repeat(30)}name`;
    put(root, { "b/run*": "x", a: "1", "a-b": "2", ü: "3", [long]: "4", "b/l": "-> ../a", empty: "" });
    chmodSync(join(root, "a"), 0o600);
    const source = folder(root);
    const print = await fingerprint(source, { cwd });
    const one = await pack(source, print, { cwd });
    utimesSync(join(root, "a"), 1, 1);
    const two = await pack(source, print, { cwd });
    const bytes = await bytesOf(one);
    assert.equal(bytes.length, one.bytes);
    assert.deepEqual(bytes, await bytesOf(two));
    assert.deepEqual(bytes, await bytesOf(one));
    await one.dispose();
    await one.dispose();
    await two.dispose();
    const rows = listTar(bytes).filter((row) => !row.includes("long/"));
    const time = "1970-01-01 00:00:00";
    assert.deepEqual(rows, [
      `-rw-r--r-- 0/0 1 ${time} a`,
      `-rw-r--r-- 0/0 1 ${time} a-b`,
      `drwxr-xr-x 0/0 0 ${time} b/`,
      `lrwxrwxrwx 0/0 0 ${time} b/l -> ../a`,
      `-rwxr-xr-x 0/0 1 ${time} b/run`,
      `-rw-r--r-- 0/0 0 ${time} empty`,
      `-rw-r--r-- 0/0 1 ${time} ü`,
    ]);
    const into = box.fresh();
    untar(bytes, into);
    execFileSync("diff", ["-r", "--no-dereference", root, into]);
  });

  it("refuses to pack what changed since the fingerprint", async () => {
    const root = box.fresh();
    put(root, { a: "1", b: "2" });
    const source = folder(root);
    const print = await fingerprint(source, { cwd });
    writeFileSync(join(root, "a"), "9");
    await refuses(() => pack(source, print, { cwd }), /changed since its fingerprint/);
    writeFileSync(join(root, "a"), "1");
    await (await pack(source, print, { cwd })).dispose();
  });

  it("leaves no file behind, packed or failed", async () => {
    const root = box.fresh();
    put(root, { a: "1" });
    const source = folder(root);
    const packed = await pack(source, await fingerprint(source, { cwd }), { cwd });
    await refuses(() => pack(source, { id: "0", describe: "" }, { cwd }));
    assert.deepEqual(readdirSync(box.path("cache", "scratch")), []);
    const stream = packed.stream();
    await packed.dispose();
    assert(stream.destroyed);
    await assert.rejects(bytesOf(packed), /disposed of/);
  });

  it("says where the cache can't be made", async () => {
    const root = box.fresh();
    put(root, { a: "1" });
    const saved = process.env["HOMEPORT_CACHE"];
    process.env["HOMEPORT_CACHE"] = join(root, "a");
    try {
      await refuses(() => idOf(root), /cache can't be used/, /HOMEPORT_CACHE/);
    } finally {
      process.env["HOMEPORT_CACHE"] = saved;
    }
  });

  const refused: [string, Files, Parameters<typeof folder>, ...RegExp[]][] = [
    ["a link out", { "d/l": "-> ../../x" }, ["."], /link "d\/l" points out/],
    ["a link out of the directory", { "d/l": "-> ../a", a: "1" }, [".", { directory: "d" }], /link "l" points out/],
    ["an absolute link", { l: "-> /etc/passwd" }, ["."], /its target is "\/etc\/passwd"/],
    ["no folder", { "cat-scan/a": "1" }, ["cat-scam"], /doesn't exist; beside it there are cat-scan/],
    ["a file", { a: "1" }, ["a"], /it isn't a folder/],
    ["no directory", { "web/a": "1" }, [".", { directory: "wed" }], /beside it there are web/],
    [
      "a directory that is a link out",
      { "d/a": "1", "e/l": "-> ../d" },
      ["e", { directory: "l" }],
      /outside of the folder/,
    ],
    ["nothing left", { ".gitignore": "*\n", a: "1" }, ["."], /has no files to release/],
  ];
  for (const [name, files, args, ...patterns] of refused) {
    it(`refuses ${name}`, async () => {
      const root = box.fresh();
      put(root, files);
      await refuses(() => fingerprint(folder(...args), { cwd: root }), ...patterns);
    });
  }

  it("refuses a name that isn't UTF-8", async () => {
    const root = box.fresh();
    writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff, 0x61])]), "1");
    await refuses(() => idOf(root), /isn't UTF-8/);
  });
});
