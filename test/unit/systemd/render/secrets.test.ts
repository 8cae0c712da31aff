import assert from "node:assert/strict";
import { renderStage } from "../../../../targets/systemd/render";
import { cloudPlan, mark, richPlan } from "./richPlan";

/** Paths below the stage that hold secrets, and are root's alone on the host. */
const secretPaths = [
  /\/env\/[^/]+\.env$/,
  /\/credentials\/[^/]+\/[^/]+$/,
  /^files\/etc\/homeport\/shop-prod\/(alert|ping|backup\/db|redis-cache\.conf)$/,
  /^rewritten\/web\/GMAIL_TOKEN$/,
  /^secrets\/db\.password$/,
];

for (const [name, plan] of Object.entries({ "a plan": richPlan, "a plan for a machine of a cloud": cloudPlan }))
  describe(`secrets of ${name}`, () => {
    const { files, hashes } = renderStage(plan);
    const manifests = files.filter((file) => file.path.endsWith("MANIFEST")).map((file) => file.content);

    it("are in files made for them, and in no unit, script or configuration", () => {
      const holding = files.filter((file) => file.content.includes(mark)).map((file) => file.path);
      assert.deepEqual(
        holding.filter((path) => !secretPaths.some((pattern) => pattern.test(path))),
        [],
      );
      for (const pattern of secretPaths)
        assert.ok(
          holding.some((path) => pattern.test(path)),
          `none like ${pattern.source}`,
        );
      assert.ok(!JSON.stringify(hashes).includes(mark));
    });

    it("are installed for root alone; a container's in a folder that is", () => {
      for (const { path, content } of files) {
        const [, installed] = /(?:^|\/)files(\/.*)$/.exec(path) ?? [];
        if (installed === undefined || !content.includes(mark)) continue;
        const line = manifests.flatMap((text) => text.split("\n")).find((text) => text.endsWith(` ${installed}`)) ?? "";
        const container = installed.includes("/credentials/browser");
        assert.match(line, container ? /(^| )0444 root root / : /(^| )0600 root root /);
        // The host makes folders below it with mode 0700.
        assert.ok(installed.startsWith("/etc/homeport/shop-prod/"), installed);
      }
    });

    it("are readable for nobody else in the stage", () => {
      assert.deepEqual(
        files.filter((file) => (file.mode & 0o077) !== 0),
        [],
      );
    });
  });
