import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { hostParts, hostScript } from "../../../../targets/systemd/hostScript";
import { projectTexts } from "../../../../drivers/text";

describe("the host's program", () => {
  it("is made of all its parts", () => {
    const files = Object.keys(projectTexts("targets/systemd/host")).filter((name) => name.endsWith(".sh"));
    assert.deepEqual([...hostParts].sort(), files.sort());
  });

  it("is bash", () => {
    const { status, stderr } = spawnSync("bash", ["-n"], { input: hostScript(), encoding: "utf8" });
    assert.equal(status, 0, stderr);
  });

  // Where it isn't installed, the lint of another machine finds what there is.
  if (spawnSync("shellcheck", ["--version"]).status === 0) {
    it("has nothing that shellcheck objects to", function () {
      this.timeout(60_000);
      const { stdout } = spawnSync("shellcheck", ["-s", "bash", "-"], { input: hostScript(), encoding: "utf8" });
      assert.equal(stdout, "");
    });
  }
});
