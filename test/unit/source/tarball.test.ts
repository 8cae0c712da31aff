import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, it } from "mocha";
import { fingerprint, pack, tarball, type TarballSource, type UnpackLimits } from "../../../drivers/source";
import { get } from "../../../drivers/source/http";
import { serve, type Answer } from "./server";
import { bytesOf, listTar, put, refuses, sandbox } from "./support";

const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

/** One tar member, made by hand: what no tar program writes. */
function member(name: string, type: string, options: { body?: string; link?: string; mode?: string } = {}): Buffer {
  const body = Buffer.from(options.body ?? "");
  const head = Buffer.alloc(512);
  head.write(name, 0);
  head.write(options.mode ?? "0000644", 100);
  head.write(body.length.toString(8).padStart(11, "0"), 124);
  head.write("        ", 148);
  head.write(type, 156);
  head.write(options.link ?? "", 157);
  head.write("ustar\u000000", 257);
  const sum = head.reduce((total, byte) => total + byte, 0);
  head.write(`${sum.toString(8).padStart(6, "0")}\0`, 148);
  return Buffer.concat([head, body, Buffer.alloc((512 - (body.length % 512)) % 512)]);
}

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

  describe("at a URL", () => {
    const one = gzipSync(Buffer.concat([member("top/a", "0", { body: "1" }), Buffer.alloc(1024)]));
    const two = gzipSync(Buffer.concat([member("top/a", "0", { body: "22" }), Buffer.alloc(1024)]));
    const requests: string[] = [];
    /** A server for one test, whose answers may change. */
    const withServer = async (
      answer: (path: string, headers: NodeJS.Dict<string | string[]>) => Answer,
      task: (url: (path: string) => string) => Promise<void>,
    ): Promise<void> => {
      requests.length = 0;
      const server = await serve((request) => {
        requests.push(request.url ?? "");
        return answer(request.url ?? "", request.headers);
      });
      try {
        await task(server.url);
      } finally {
        await server.close();
      }
    };

    it("is downloaded once, and asked for only while it is unknown whether it changed", async () => {
      let body = one;
      const answer = (path: string, headers: NodeJS.Dict<string | string[]>): Answer => {
        const etag = `"${sha256(body)}"`;
        if (path.startsWith("/date")) {
          const headersOut = { "last-modified": "Mon, 01 Jan 2024 00:00:00 GMT" };
          return headers["if-modified-since"] === undefined ? { headers: headersOut, body } : { status: 304 };
        }
        return headers["if-none-match"] === etag ? { status: 304 } : { headers: { etag }, body };
      };
      await withServer(answer, async (url) => {
        const source = tarball(url("/x.tgz?token=S3cr3t"));
        const first = await fingerprint(source, { cwd });
        assert.doesNotMatch(first.describe, /S3cr3t/);
        assert.deepEqual(await fingerprint(source, { cwd }), first);
        assert.equal(requests.length, 2);
        body = two;
        // What was previewed is deployed, though the server has something else by now.
        const packed = await pack(source, first, { cwd });
        assert.match(listTar(await bytesOf(packed)).join(), / 1 \S+ \S+ a$/);
        await packed.dispose();
        assert.equal(requests.length, 2);
        assert.notEqual((await fingerprint(source, { cwd })).id, first.id);
        rmSync(box.path("cache", "downloads"), { recursive: true });
        await refuses(() => pack(source, first, { cwd }), /changed since its fingerprint/);
        assert.deepEqual(await rows(tarball(url("/date.tgz"))), ["-rw-r--r-- 2 a"]);
        assert.deepEqual(await rows(tarball(url("/date.tgz"))), ["-rw-r--r-- 2 a"]);
        requests.length = 0;
        assert.deepEqual(await rows(tarball(url("/other.tgz"), { sha256: sha256(two) })), ["-rw-r--r-- 2 a"]);
        assert.deepEqual(requests, []);
        await refuses(() => fingerprint(tarball(url("/x.tgz"), { sha256: sha256(one) }), { cwd }), /expected one/);
      });
    });

    it("is downloaded again when the cache's copy is damaged", async () => {
      await withServer(
        () => ({ body: two }),
        async (url) => {
          const source = tarball(url("/x.tgz"));
          const print = await fingerprint(source, { cwd });
          writeFileSync(box.path("cache", "downloads", sha256(two)), "junk");
          const packed = await pack(source, print, { cwd });
          await packed.dispose();
          assert.deepEqual(readFileSync(box.path("cache", "downloads", sha256(two))), two);
        },
      );
    });

    it("is tried again after passing errors, within limits", async () => {
      const fails: Answer[] = [{ status: 503 }, { status: 429, headers: { "retry-after": "0" } }];
      await withServer(
        () => fails.shift() ?? { body: one },
        async (url) => {
          const response = await get(url("/x"), {}, [1, 1]);
          assert.equal(response.statusCode, 200);
          response.destroy();
          assert.equal(requests.length, 3);
        },
      );
      await withServer(
        () => ({ status: 503, headers: { "retry-after": "3600" } }),
        async (url) => {
          await refuses(() => rows(tarball(url("/x.tgz"))), /status 503/);
          assert.equal(requests.length, 1);
        },
      );
      await refuses(() => get("http://127.0.0.1:1/x.tgz", {}, [1]), /ECONNREFUSED/);
    });

    it("follows redirects, but takes credentials to no other host", async () => {
      const logins: (string | undefined)[] = [];
      const other = await serve((request) => {
        logins.push(request.headers.authorization);
        return { body: one };
      });
      const answer = (path: string, headers: NodeJS.Dict<string | string[]>): Answer => {
        logins.push(String(headers["authorization"]));
        if (path === "/open") return { status: 302, headers: { location: "http://host.invalid/x.tgz" } };
        if (path === "/loop") return { status: 302, headers: { location: "/loop" } };
        if (path === "/x.tgz") return { status: 302, headers: { location: "/y" } };
        return { status: 307, headers: { location: other.url("/z") } };
      };
      try {
        await withServer(answer, async (url) => {
          const at = (path: string): TarballSource => tarball(url(path).replace("//", "//user:S3cr3t%40@"));
          assert.deepEqual(await rows(at("/x.tgz")), ["-rw-r--r-- 1 a"]);
          const login = `Basic ${Buffer.from("user:S3cr3t@").toString("base64")}`;
          assert.deepEqual(logins, [login, login, undefined]);
          const errors = [
            await refuses(() => rows(at("/open")), /redirects to http:\/\/host\.invalid, which isn't https/),
          ];
          errors.push(await refuses(() => rows(at("/loop")), /redirects too often/));
          for (const error of errors) assert.doesNotMatch(error.message, /S3cr3t/);
        });
      } finally {
        await other.close();
      }
    });

    it("says what is wrong when it can't be had, and keeps nothing of it", async () => {
      const before = readdirSync(box.path("cache", "downloads")).length;
      const answers: Record<string, Answer> = {
        "/403": { status: 403 },
        "/404": { status: 404 },
        "/cut": { body: one, cut: true },
      };
      await withServer(
        (path) => answers[path] ?? {},
        async (url) => {
          await refuses(() => rows(tarball(url("/403"))), /status 403/, /credentials/);
          await refuses(() => rows(tarball(url("/404"))), /status 404/);
          await refuses(() => rows(tarball(url("/cut"))), /can't be downloaded/, /aborted/);
        },
      );
      assert.equal(readdirSync(box.path("cache", "downloads")).length, before);
      assert.deepEqual(readdirSync(box.path("cache", "scratch")), []);
    });
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
