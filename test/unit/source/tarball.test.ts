import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, it } from "mocha";
import { fingerprint, pack, tarball, type TarballSource, type UnpackLimits } from "../../../drivers/source";
import { member } from "./member";
import { bytesOf, listTar, put, refuses, sandbox } from "./support";

const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

describe("a tarball as a source", () => {
  const box = sandbox();
  const cwd = "/";
  const rows = async (source: TarballSource, limits?: UnpackLimits): Promise<string[]> => {
    const print = await fingerprint(source, { cwd });
    const packed = await pack(source, print, { cwd, ...(limits === undefined ? {} : { limits }) });
    const found = listTar(await bytesOf(packed));
    await packed.dispose();
    return found.map((row) => row.replace("0/0 ", "").replace(" 1970-01-01 00:00:00", ""));
  };
  const made = (...members: Buffer[]): TarballSource => {
    const path = join(box.fresh(), "x.tar");
    writeFileSync(path, Buffer.concat([...members, Buffer.alloc(1024)]));
    return tarball(path);
  };
  /** An archive by GNU tar of a folder's content. */
  const tar = (root: string, ...args: string[]): TarballSource => {
    const path = join(box.fresh(), "x.tar.gz");
    execFileSync("tar", ["-czf", path, "-C", root, ...args]);
    return tarball(path);
  };

  it("is identified by the file's hash and the directory", async () => {
    const root = box.fresh();
    put(root, { "app/a": "1", "app/b/c": "2" });
    const source = tar(root, "app");
    const bytes = readFileSync(source.location);
    const print = await fingerprint(source, { cwd });
    assert.equal(print.describe, `tarball ${source.location} (sha256 ${sha256(bytes).slice(0, 7)})`);
    writeFileSync(join(root, "copy.tgz"), bytes);
    const copy = tarball("./copy.tgz", { sha256: sha256(bytes).toUpperCase() });
    assert.equal((await fingerprint(copy, { cwd: root })).id, print.id);
    assert.notEqual((await fingerprint({ ...source, directory: "b" }, { cwd })).id, print.id);
    const wrong = { ...source, sha256: "0".repeat(64) };
    await refuses(() => fingerprint(wrong, { cwd }), /isn't the expected one/, new RegExp(sha256(bytes)));
    await refuses(() => fingerprint(tarball("/none.tgz"), { cwd }), /can't be read/);
    await refuses(() => fingerprint(tarball("/"), { cwd }), /isn't a file/);
  });

  it("is packed anew: one top folder stripped, sorted, links and modes kept, hard links as files", async () => {
    const root = box.fresh();
    const long = `${"deep/".repeat(25)}file`;
    put(root, { "app/run*": "x", "app/d/b": "22", "app/l": "-> d/b", [`app/${long}`]: "1", "app/é": "1" });
    execFileSync("ln", [join(root, "app/run"), join(root, "app/zz")]);
    execFileSync("mkdir", [join(root, "app/empty")]);
    for (const format of ["gnu", "pax", "ustar"]) {
      const found = await rows(tar(root, `--format=${format}`, "./app"));
      assert.deepEqual(
        found.filter((row) => !row.startsWith("d") || row.includes("empty")),
        [
          "-rw-r--r-- 2 d/b",
          `-rw-r--r-- 1 ${long}`,
          "drwxr-xr-x 0 empty/",
          "lrwxrwxrwx 0 l -> d/b",
          "-rwxr-xr-x 1 run",
          "-rwxr-xr-x 1 zz",
          "-rw-r--r-- 1 é",
        ],
        format,
      );
      assert.deepEqual(await rows({ ...tar(root, `--format=${format}`, "app"), directory: "d" }), ["-rw-r--r-- 2 b"]);
    }
    put(root, { other: "1" });
    assert((await rows(tar(root, "."))).includes("-rw-r--r-- 2 app/d/b"));
  });

  it("takes what git archive and GitHub write, with a global header in front", async () => {
    const root = box.fresh();
    put(root, { a: "1" });
    const run = (...args: string[]): Buffer => execFileSync("git", args, { cwd: root });
    run("init", "-q");
    run("add", "a");
    run("commit", "-q", "-m", "x");
    const path = join(box.fresh(), "x.tgz");
    writeFileSync(path, run("archive", "--format=tar.gz", "--prefix=o-r-abc/", "HEAD"));
    assert.deepEqual(await rows(tarball(path)), ["-rw-r--r-- 1 a"]);
  });

  it("lets the last of several members with one name count", async () => {
    const source = made(member("a", "0", { body: "1" }), member("b", "0"), member("a", "0", { body: "22" }));
    assert.deepEqual(await rows(source), ["-rw-r--r-- 2 a", "-rw-r--r-- 0 b"]);
  });

  const hostile: [string, Buffer[], RegExp][] = [
    ["an absolute path", [member("/etc/x", "0")], /"\/etc\/x".*absolute/s],
    ["a path upwards", [member("a", "0"), member("b/../../x", "0")], /leads out of its folder/],
    ["a folder upwards", [member("a", "0"), member("../x/", "5")], /leads out of its folder/],
    ["a link out", [member("a/l", "2", { link: "../../x" }), member("b", "0")], /link "a\/l" points out/],
    ["a link out once stripped", [member("top/l", "2", { link: "../x" }), member("top/a", "0")], /link "l" points out/],
    ["a file behind a link", [member("l", "2", { link: "d" }), member("l/x", "0")], /"l" is no folder/],
    ["a folder behind a link", [member("l", "2", { link: "d" }), member("l/x/", "5")], /"l" is no folder/],
    ["a hard link out", [member("x", "1", { link: "/etc/passwd" })], /hard link to "\/etc\/passwd"/],
    ["a device", [member("dev", "3")], /"dev" is neither file, folder nor link/],
    ["a pipe", [member("pipe", "6")], /neither file/],
    ["a GNU sparse file", [member("s", "S", { body: "x" })], /neither file/],
    [
      "a pax sparse file",
      [member("p", "x", { body: "22 GNU.sparse.major=1\n" }), member("s", "0", { body: "x" })],
      /sparse/,
    ],
    ["a global path", [member("g", "g", { body: "9 path=x\n" }), member("s", "0")], /global header/],
    ["a broken pax header", [member("p", "x", { body: "99 path=x\n" }), member("s", "0")], /broken/],
    ["a name that isn't UTF-8", [member("p", "L", { body: "" }), badName()], /isn't UTF-8/],
    ["no members", [], /no members/],
    ["only folders", [member("a/", "5")], /no files/],
    ["a header changed since it was summed", [changed()], /checksum/],
    ["no tar", [Buffer.from("hello world, this is no archive ".repeat(40))], /isn't a tar archive/],
  ];
  for (const [name, members, pattern] of hostile) {
    it(`refuses ${name}`, () => refuses(() => rows(made(...members)), pattern));
  }

  it("refuses cut and damaged archives", async () => {
    const root = box.fresh();
    put(root, { a: "x".repeat(5000), b: "y" });
    const whole = readFileSync(tar(root, ".").location);
    const plain = execFileSync("tar", ["-cf", "-", "-C", root, "a", "b"]);
    const cases: [Buffer, RegExp][] = [
      [whole.subarray(0, -20), /unexpected end/],
      [plain.subarray(0, 2000), /ends within a file/],
      [plain.subarray(0, 300), /ends within a header/],
      [Buffer.from(whole).fill(0, 40, 60), /can't be unpacked/],
      [Buffer.alloc(0), /no members/],
    ];
    for (const [bytes, pattern] of cases) {
      const path = join(box.fresh(), "x.tgz");
      writeFileSync(path, bytes);
      await refuses(() => rows(tarball(path)), pattern);
    }
  });

  it("refuses decompression bombs before they take space", async () => {
    const bomb = (bytes: Buffer): TarballSource => {
      const path = join(box.fresh(), "x.tgz");
      writeFileSync(path, gzipSync(bytes));
      return tarball(path);
    };
    const limits = { bytes: 100_000, entries: 5 };
    const big = member("a", "0", { body: "x".repeat(200_000) });
    await refuses(() => rows(bomb(big), limits), /unpacks to too much/, /more than 100000 bytes/);
    const many = Buffer.concat(Array.from({ length: 6 }, (_, index) => member(`f${index}`, "0")));
    await refuses(() => rows(bomb(many), limits), /more than 5 members/);
    assert.equal((await rows(bomb(many), { entries: 6 })).length, 6);
    // Announced, and not there: the size alone must not be trusted.
    const liar = member("a", "0");
    liar.write("77777777777", 124);
    liar.write("        ", 148);
    const sum = liar.reduce((total, byte) => total + byte, 0);
    liar.write(`${sum.toString(8).padStart(6, "0")}\0`, 148);
    await refuses(() => rows(bomb(liar), limits), /ends within a file/);
  });

  it("refuses to pack a file that changed since the fingerprint", async () => {
    const source = made(member("a", "0", { body: "1" }));
    const print = await fingerprint(source, { cwd });
    const changed = readFileSync(source.location);
    changed.write("2", 512);
    writeFileSync(source.location, changed);
    await refuses(() => pack(source, print, { cwd }), /changed since its fingerprint/);
  });

  it("names the folders there are for a wrong directory", async () => {
    const source = made(member("top/web/a", "0"), member("top/b", "0"));
    await refuses(() => rows({ ...source, directory: "wbe" }), /no folder "wbe"/, /near: web/);
  });
});

/** A member whose name has a byte that no UTF-8 text has. */
function badName(): Buffer {
  const bad = member("a", "0");
  bad.writeUInt8(0xff, 0);
  bad.write("        ", 148);
  const sum = bad.reduce((total, byte) => total + byte, 0);
  bad.write(`${sum.toString(8).padStart(6, "0")}\0`, 148);
  return bad;
}

/** A member whose name was changed after its header was summed. */
function changed(): Buffer {
  const bytes = member("a", "0");
  bytes.write("b", 0);
  return bytes;
}
