import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { describe, it } from "mocha";
import { fingerprint, pack, tarball, type TarballSource } from "../../../drivers/source";
import { get } from "../../../drivers/source/http";
import { member } from "./member";
import { serve, type Answer } from "./server";
import { bytesOf, listTar, refuses, sandbox } from "./support";

const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

describe("a tarball at a URL", () => {
  const box = sandbox();
  const cwd = "/";
  const rows = async (source: TarballSource): Promise<string[]> => {
    const packed = await pack(source, await fingerprint(source, { cwd }), { cwd });
    const found = listTar(await bytesOf(packed));
    await packed.dispose();
    return found.map((row) => row.replace("0/0 ", "").replace(" 1970-01-01 00:00:00", ""));
  };
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
    let sent = 0;
    const answer = (path: string, headers: NodeJS.Dict<string | string[]>): Answer => {
      const etag = `"${sha256(body)}"`;
      const dated = path.startsWith("/date");
      if (dated ? headers["if-modified-since"] !== undefined : headers["if-none-match"] === etag)
        return { status: 304 };
      sent += 1;
      return { headers: dated ? { "last-modified": "Mon, 01 Jan 2024 00:00:00 GMT" } : { etag }, body };
    };
    await withServer(answer, async (url) => {
      const source = tarball(url("/x.tgz?token=S3cr3t"));
      const first = await fingerprint(source, { cwd });
      assert.doesNotMatch(first.describe, /S3cr3t/);
      assert.deepEqual(await fingerprint(source, { cwd }), first);
      assert.deepEqual([requests.length, sent], [2, 1]);
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
      assert.equal(sent, 4);
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
