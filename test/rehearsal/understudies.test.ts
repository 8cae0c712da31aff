import assert from "node:assert/strict";
import { run } from "../../engine/process";
import { understudiesFolder } from "../../engine/understudies";

/** The flags of the build of the understudies, so that what it compiled is used again. */
const flags = ["-mod=readonly", "-trimpath", "-buildvcs=false"];
const env = { ...process.env, GOWORK: "off", CGO_ENABLED: "0" };

describe("The understudies", function () {
  this.timeout(600_000);

  it("pass their own tests: SSH against a server on loopback, random texts, packages", async () => {
    const { code, stdout, stderr } = await run("go", ["test", ...flags, "./..."], { cwd: understudiesFolder, env });
    assert.equal(code, 0, stdout + stderr);
    for (const tested of ["command/remote", "language", "random"])
      assert.match(stdout, new RegExp(`ok\\s+.*/${tested}\\s`));
  });

  it("are formatted as gofmt would", async () => {
    const { code, stdout, stderr } = await run("gofmt", ["-l", "."], { cwd: understudiesFolder });
    assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: "", stderr: "" });
  });
});
