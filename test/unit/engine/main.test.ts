import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fc from "fast-check";
import type { Engine } from "../../../engine";
import { exportLines, quoted, summary } from "../../../engine/main";

const engine: Engine = {
  pulumi: "/c/pulumi",
  version: "3.220.0",
  origin: "built",
  languageHost: "understudy",
  plugins: [{ name: "random", version: "4.18.4", origin: "understudy" }],
  env: { PULUMI_HOME: "/c/it's home", PATH: "/c:/bin" },
};

describe("The engine's environment for a shell", () => {
  it("is read by a shell as it was written", () => {
    const text = fc.string({ unit: "grapheme", maxLength: 40 }).filter((value) => !value.includes("\0"));
    fc.assert(
      fc.property(text, (value) => {
        assert.equal(execFileSync("/bin/sh", ["-c", `printf %s ${quoted(value)}`], { encoding: "utf8" }), value);
      }),
      { numRuns: 30 },
    );
    assert.deepEqual(exportLines(engine), ["export PULUMI_HOME='/c/it'\\''s home'", "export PATH='/c:/bin'"]);
  });

  it("comes with a summary that tells who made what", () => {
    assert.deepEqual(summary(engine), [
      "pulumi 3.220.0 (built): /c/pulumi",
      "language host nodejs: understudy",
      "plugin random 4.18.4: understudy",
    ]);
  });
});
