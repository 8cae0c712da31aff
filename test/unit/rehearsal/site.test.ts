import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cacheFolder, withLock } from "../../../rehearsal/host/cache";
import { leashed, poll, run, sleep } from "../../../rehearsal/host/run";
import { present } from "../../../rehearsal/host/tools";
import { lives, readState, siteIds, startOf, tagOf, thisProcess, writeState } from "../../../rehearsal/site-state";
import type { SiteState } from "../../../rehearsal/site-state";
import { sweep } from "../../../rehearsal/site-sweep";

describe("a rehearsal's site", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "homeport-site-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const state = (): SiteState => ({
    version: 1,
    id: "a",
    tag: tagOf(folder, "a"),
    owner: thisProcess(),
    keep: false,
    machines: [],
  });

  it("knows its owner from a later process of the same number, and from one before a restart", () => {
    const own = thisProcess();
    assert.ok(lives(own));
    assert.ok(!lives({ ...own, started: String(Number(own.started) + 1) }));
    assert.ok(!lives({ ...own, boot: "another" }));
    assert.ok(!lives({ ...own, pid: 2 ** 22 }));
  });

  it("finds a process's start whatever its name is", async () => {
    const name = join(folder, "a) b (c");
    symlinkSync("/bin/sleep", name);
    const child = spawn(name, ["60"], { stdio: "ignore" });
    const started = startOf(child.pid!);
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
    assert.ok(Number(started) >= Number(thisProcess().started), started);
    assert.equal(startOf(child.pid!), undefined);
  });

  it("has a name of its own in every checkout", () => {
    const elsewhere = join(folder, "elsewhere");
    mkdirSync(elsewhere);
    assert.match(tagOf(folder, "a"), /^[0-9a-f]{6}$/);
    assert.notEqual(tagOf(folder, "a"), tagOf(folder, "b"));
    assert.notEqual(tagOf(folder, "a"), tagOf(elsewhere, "a"));
    symlinkSync(folder, join(elsewhere, "link"));
    assert.equal(tagOf(join(elsewhere, "link"), "a"), tagOf(folder, "a"));
  });

  it("keeps its state in a file that others can't read", async () => {
    writeState(folder, state());
    assert.deepEqual(readState(folder, "a"), state());
    assert.equal(
      (await run(["stat", "-c", "%a", join(folder, "a"), join(folder, "a/state.json")])).stdout,
      "700\n600\n",
    );
    assert.deepEqual(siteIds(folder), ["a"]);
    assert.equal(readState(folder, "b"), undefined);
  });

  it("is left alone while its owner runs, and kept if it was to be kept", async () => {
    writeState(folder, state());
    const ended = { ...thisProcess(), started: "0" };
    writeState(folder, { ...state(), id: "kept", keep: true, owner: ended });
    assert.deepEqual(await sweep({ folder }), { removed: [], busy: [{ id: "a", pid: process.pid }] });
    assert.deepEqual([...siteIds(folder)].sort(), ["a", "kept"]);
  });

  it("that was never finished, or whose owner has ended, is removed", async () => {
    mkdirSync(join(folder, "unfinished"));
    writeFileSync(join(folder, "unfinished", "state.json.part"), "{");
    writeState(folder, { ...state(), owner: { ...thisProcess(), started: "0" } });
    writeState(folder, { ...state(), id: "kept", keep: true, owner: { ...thisProcess(), started: "0" } });
    assert.deepEqual([...(await sweep({ folder, all: true })).removed].sort(), ["a", "kept", "unfinished"]);
    assert.deepEqual(siteIds(folder), []);
    assert.deepEqual(await sweep({ folder: join(folder, "none") }), { removed: [], busy: [] });
  });
});

describe("a lock", () => {
  it("is held by one at a time, and freed by a failure", async () => {
    const folder = mkdtempSync(join(tmpdir(), "homeport-lock-"));
    const file = join(folder, "below", "lock");
    let inside = 0;
    let waits = 0;
    const enter = async (): Promise<void> => {
      assert.equal(++inside, 1);
      await sleep(30);
      inside--;
      throw new Error("failed");
    };
    const all = await Promise.allSettled([1, 2, 3].map(() => withLock(file, enter, () => waits++)));
    assert.deepEqual(
      all.map((one) => (one.status === "rejected" ? String(one.reason) : "")),
      Array(3).fill("Error: failed"),
    );
    assert.equal(waits, 0);
    rmSync(folder, { recursive: true });
  });
});

describe("a rehearsal's commands", () => {
  it("take input, give output and end in time", async () => {
    const lines: string[] = [];
    const result = await run(["sh", "-c", "cat; echo b; printf c >&2; exit 3"], {
      input: "a\n",
      onLine: (line) => lines.push(line),
    });
    assert.deepEqual(result, { code: 3, stdout: "a\nb\n", stderr: "c" });
    assert.deepEqual(lines.slice(0, 2), ["a", "b"]);
    assert.equal((await run(["sleep", "9"], { timeoutMs: 50 })).code, 137);
    assert.equal((await run(["true"], { input: Buffer.alloc(1 << 20) })).code, 0);
    await assert.rejects(run(["/no/such/program"]), /ENOENT/);
  });

  it("are asked again until they answer, and no longer than that", async () => {
    let asked = 0;
    const third = (): number | undefined => (++asked < 3 ? undefined : asked);
    assert.equal(await poll(third, { timeoutMs: 1_000, everyMs: 1, failure: () => "" }), 3);
    await assert.rejects(
      poll(() => undefined, { timeoutMs: 5, everyMs: 1, failure: () => "why" }),
      /^RehearsalError: why$/,
    );
  });

  it("on a leash keep their arguments", () => {
    assert.deepEqual(leashed(["a", "b c"]).slice(-2), ["a", "b c"]);
  });

  it("are found on PATH or by their full path", () => {
    assert.ok(present("sh"));
    assert.ok(present("/bin/sh"));
    assert.ok(!present("sh", "/nowhere"));
    assert.ok(!present("/bin/no-such-program"));
  });

  it("keep what they make in the cache that the user names", () => {
    assert.equal(cacheFolder({ HOMEPORT_CACHE: "/a", XDG_CACHE_HOME: "/b" }), "/a");
    assert.equal(cacheFolder({ XDG_CACHE_HOME: "/b" }), "/b/homeport");
    assert.match(cacheFolder({}), /\/\.cache\/homeport$/);
  });
});
