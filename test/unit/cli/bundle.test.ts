import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const project = resolve(__dirname, "../../..");
const launcher = join(project, "bin", "homeport");

describe("bin/homeport", function () {
  this.timeout(30_000);
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "homeport-launcher-"));
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const call = (args: string[], env: NodeJS.ProcessEnv = {}, program = launcher) =>
    spawnSync(program, args, { cwd: folder, encoding: "utf8", env: { ...process.env, NO_COLOR: "1", ...env } });

  it("works from any folder and through a link, without an installation", () => {
    const link = join(folder, "homeport");
    symlinkSync(launcher, link);
    for (const program of [launcher, link]) {
      const { status, stdout } = call(["checklist", "catscan", "--when", "weekly"], {}, program);
      assert.equal(status, 0);
      assert.match(stdout, /^catscan, weekly:\n {2}\[ \] /);
    }
  });

  it("loads neither Pulumi's SDK nor AWS's for what needs no stack", () => {
    const spy = join(folder, "spy.cjs");
    const seen = join(folder, "seen");
    writeFileSync(
      spy,
      `const { appendFileSync } = require("node:fs");
const Module = require("node:module");
const { _load } = Module;
Module._load = function (name, ...rest) {
  appendFileSync(${JSON.stringify(seen)}, name + "\\n");
  return _load.call(this, name, ...rest);
};`,
    );
    assert.equal(call(["checklist", "hotrod"], { NODE_OPTIONS: `--require ${spy}` }).status, 0);
    const loaded = readFileSync(seen, "utf8").split("\n");
    assert.ok(loaded.includes("node:util"), "the spy saw nothing");
    assert.deepEqual(
      loaded.filter((name) => /pulumi|aws-sdk|esbuild|typescript|ts-node/.test(name) && !name.startsWith("/")),
      [],
    );
  });

  it("ends with 2 for a call that can't be understood, and says what is right on stderr", () => {
    const { status, stdout, stderr } = call(["stauts"]);
    assert.deepEqual([status, stdout], [2, ""]);
    assert.equal(stderr, 'There is no verb "stauts"; did you mean "status"?\n  fix: homeport --help\n');
  });

  it("stops quietly when its reader has seen enough", () => {
    const { status, stderr } = spawnSync("bash", ["-c", `set -o pipefail; '${launcher}' --help | head -n 1`], {
      encoding: "utf8",
    });
    assert.deepEqual([status, stderr], [0, ""]);
  });
});
