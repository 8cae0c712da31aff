import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { findExecutable, findInstalled, foreignPath, isAtLeast } from "../../../engine/find";
import { ensureEngine } from "../../../engine";

describe("Versions", () => {
  it("compare by their numbers, not as text", () => {
    const triple = fc.tuple(fc.nat(400), fc.nat(400), fc.nat(400));
    fc.assert(
      fc.property(triple, triple, (a, b) => {
        const first = a.findIndex((number, at) => number !== b[at]);
        const expected = first === -1 || a[first]! > b[first]!;
        assert.equal(isAtLeast(`v${a.join(".")}-alpha.1+x`, b.join(".")), expected);
      }),
    );
    assert.equal(isAtLeast("1.24", "1.24.7"), false);
    assert.equal(isAtLeast("1.26", "1.24.7"), true);
    assert.equal(isAtLeast("not a version", "0.0.0"), false);
  });
});

describe("An installed engine", () => {
  let folder: string;
  const before = { ...process.env };
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "homeport-find-"));
    process.env["HOMEPORT_CACHE"] = path.join(folder, "cache");
  });
  afterEach(() => {
    process.env = { ...before };
    rmSync(folder, { recursive: true, force: true });
  });
  const program = (bin: string, name: string, prints: string, mode = 0o755): string => {
    const file = path.join(folder, bin, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, `#!/bin/sh\necho "${prints}"\necho asked >> ${folder}/asked\n`, { mode });
    return file;
  };

  it("is the first executable on PATH, asked for its version only once", async () => {
    program("first", "pulumi", "v3.300.0", 0o644);
    const pulumi = program("second", "pulumi", "v3.230.1");
    program("second", "pulumi-language-nodejs", "");
    const searchPath = [path.join(folder, "first"), path.join(folder, "second")].join(path.delimiter);
    const found = { pulumi, version: "3.230.1", hasLanguageHost: true };
    assert.deepEqual(await findInstalled(searchPath), found);
    assert.deepEqual(await findInstalled(searchPath), found);
    assert.equal(readFileSync(path.join(folder, "asked"), "utf8"), "asked\n");
  });

  it("is used as it is, with nothing of ours in between", async () => {
    const pulumi = program("bin", "pulumi", "v3.220.0");
    program("bin", "pulumi-language-nodejs", "");
    process.env["PATH"] = path.dirname(pulumi);
    const engine = await ensureEngine({ log: () => assert.fail("nothing is to be made") });
    assert.deepEqual(engine, {
      pulumi,
      version: "3.220.0",
      origin: "path",
      languageHost: "official",
      plugins: [],
      env: {},
    });
  });

  it("is passed over where it is too old, or is one that we made", async () => {
    program("old", "pulumi", "v3.149.9");
    assert.equal(await findInstalled(path.join(folder, "old")), undefined);
    program("cache/engine/cli-1", "pulumi", "v3.220.0");
    assert.equal(await findInstalled(path.join(folder, "cache", "engine", "cli-1")), undefined);
    program("cache/engineering", "pulumi", "v3.220.0");
    assert.notEqual(await findInstalled(path.join(folder, "cache", "engineering")), undefined);
  });

  it("may lack the language host", async () => {
    program("bin", "pulumi", "v3.220.0");
    assert.equal((await findInstalled(path.join(folder, "bin")))?.hasLanguageHost, false);
  });

  it("is no folder", () => {
    mkdirSync(path.join(folder, "bin", "pulumi"), { recursive: true });
    assert.equal(findExecutable("pulumi", [path.join(folder, "bin")]), undefined);
  });
});

describe("The PATH without our cache", () => {
  it("keeps the others in their order", () => {
    assert.deepEqual(foreignPath("/c/engine/cli-1:/usr/bin:/c/engine:/c/engine2::/bin", "/c/engine"), [
      "/usr/bin",
      "/c/engine2",
      "/bin",
    ]);
  });
});
