import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { readMocha } from "../../support/mochaText";

const mocha = resolve(__dirname, "../../../node_modules/.bin/mocha");

describe("what mocha says of a run", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "homeport-mocha-"));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });
  const outputOf = (text: string): string => {
    const file = join(folder, "one.js");
    writeFileSync(file, text);
    return spawnSync(mocha, ["--no-config", "--reporter", "spec", file], { cwd: folder, encoding: "utf8" }).stdout;
  };

  it("is its counts, and the failures by their full names", () => {
    const output = outputOf(`
      describe("a suite: one", () => {
        describe("inner", () => {
          it("fails", () => { throw new Error("5 passing\\n7 failing: more"); });
          it("passes", () => {});
        });
        it.skip("waits", () => {});
      });
      describe("another", () => {
        before(() => { throw new Error("a hook"); });
        it("isn't run", () => {});
      });`);
    assert.deepEqual(readMocha(output), {
      passed: 1,
      failed: 2,
      skipped: 1,
      failures: [
        { name: "a suite: one › inner › fails", why: ["Error: 5 passing", "7 failing: more"] },
        { name: 'another › "before all" hook for "isn\'t run"', why: ["Error: a hook"] },
      ],
    });
  });

  it("has no failures where all is well, and no counts where it broke off", () => {
    assert.deepEqual(readMocha(outputOf('it("passes", () => {});')), {
      ...{ passed: 1, failed: 0, skipped: 0 },
      failures: [],
    });
    assert.deepEqual(readMocha("Error: Cannot find module"), { passed: 0, failed: 0, skipped: 0, failures: [] });
  });
});
