import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { cacheRoot, fingerprint, makeOnce } from "../../../engine/cache";

const quiet = (): void => undefined;

describe("The cache's place", () => {
  it("is the one asked for, else in the user's cache folder", () => {
    assert.equal(cacheRoot({ HOMEPORT_CACHE: "/a/b", XDG_CACHE_HOME: "/x" }), "/a/b");
    assert.equal(cacheRoot({ HOMEPORT_CACHE: "", XDG_CACHE_HOME: "/x" }), "/x/homeport");
    assert.match(cacheRoot({}), /\/\.cache\/homeport$/);
  });
});

describe("A thing made once", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "homeport-cache-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it("is made by one of many who want it, and none sees it half made", async () => {
    const target = path.join(folder, "thing");
    let makers = 0;
    const want = async (): Promise<string> => {
      await makeOnce(target, "thing", quiet, async (into) => {
        makers += 1;
        writeFileSync(path.join(into, "first"), "1");
        assert.equal(existsSync(target), false);
        await sleep(50);
        writeFileSync(path.join(into, "second"), "2");
      });
      return readFileSync(path.join(target, "second"), "utf8");
    };
    assert.deepEqual(await Promise.all([want(), want(), want()]), ["2", "2", "2"]);
    assert.equal(makers, 1);
    assert.deepEqual(readdirSync(folder), ["thing"]);
  });

  it("leaves nothing behind where making it fails, and can be tried again", async () => {
    const target = path.join(folder, "thing");
    const failing = makeOnce(target, "thing", quiet, () => Promise.reject(new Error("no Go")));
    await assert.rejects(failing, /no Go/);
    assert.deepEqual(readdirSync(folder), []);
    await makeOnce(target, "thing", quiet, () => Promise.resolve());
    assert.deepEqual(readdirSync(folder), ["thing"]);
  });

  it("is made anew after a maker that was killed, whose remains go", async () => {
    const target = path.join(folder, "thing");
    const ended = spawn(process.execPath, ["-e", ""]);
    await once(ended, "exit");
    writeFileSync(`${target}.lock`, String(ended.pid));
    mkdirSync(`${target}.tmp-${String(ended.pid)}-0123`);
    await makeOnce(target, "thing", quiet, () => Promise.resolve());
    assert.deepEqual(readdirSync(folder), ["thing"]);
  });

  it("is waited for while its maker lives, which is said", async () => {
    const target = path.join(folder, "thing");
    writeFileSync(`${target}.lock`, String(process.pid));
    const lines: string[] = [];
    const waiting = makeOnce(
      target,
      "the thing",
      (line) => lines.push(line),
      () => Promise.reject(new Error("made twice")),
    );
    await sleep(20);
    mkdirSync(target);
    await waiting;
    assert.deepEqual(lines, [`the thing: process ${String(process.pid)} is making it, waiting (0 s)`]);
  });
});

describe("A fingerprint", () => {
  it("changes with a file's content, its name, and each text", () => {
    const folder = mkdtempSync(path.join(tmpdir(), "homeport-fingerprint-"));
    try {
      const file = (name: string, content: string): string => {
        writeFileSync(path.join(folder, name), content);
        return path.join(folder, name);
      };
      const prints = [
        fingerprint([file("a", "1")], "x"),
        fingerprint([file("a", "2")], "x"),
        fingerprint([file("b", "1")], "x"),
        fingerprint([file("a", "1")], "y"),
        fingerprint([file("a", "1")], "x", ""),
        fingerprint([], "xy"),
        fingerprint([], "x", "y"),
      ];
      assert.equal(new Set(prints).size, prints.length);
      assert.equal(fingerprint([file("a", "1")], "x"), prints[0]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
