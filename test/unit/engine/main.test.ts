import assert from "node:assert/strict";
import type { Engine } from "../../../engine";
import { exportLines, summary } from "../../../engine/main";

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
