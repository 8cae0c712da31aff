import assert from "node:assert/strict";
import type { ExportedResource, ExportedStack } from "../../../cli/recoverState";
import { markForRepair, repairMark } from "../../../cli/repairState";

const now = new Date("2026-08-01T12:00:00Z");
const command = "command:local:Command";
const resource = (name: string, environment: unknown, more: Partial<ExportedResource> = {}): ExportedResource => {
  const values = { create: "node driver fly app apply", stdin: "(secret)", environment };
  return {
    urn: `urn:pulumi:prod::homeport::${command}::${name}`,
    type: command,
    inputs: values,
    outputs: values,
    ...more,
  };
};
const marked = (name: string, ...resources: ExportedResource[]): Record<string, unknown> | undefined => {
  const stack = markForRepair({ version: 3, deployment: { resources } } as ExportedStack, name, now);
  if (stack === undefined) return undefined;
  assert.deepEqual({ ...stack, deployment: {} }, { version: 3, deployment: {} });
  return Object.fromEntries<unknown>(
    (stack.deployment?.resources ?? []).map(({ urn, inputs, outputs }) => {
      assert.deepEqual(inputs, outputs);
      assert.equal(inputs?.["stdin"], "(secret)");
      return [urn.split("::")[3] ?? "", inputs["environment"]];
    }),
  );
};

describe("a stack's state whose next `up` repairs an app", () => {
  const mark = { [repairMark]: "asked for at 2026-08-01T12:00:00.000Z" };

  it("has one more variable in the app's command, and is otherwise as it was", () => {
    assert.deepEqual(marked("hotrod-fly", resource("hotrod-fly", { A: "1" }), resource("hotrod-2-fly", { A: "1" })), {
      "hotrod-fly": { A: "1", ...mark },
      "hotrod-2-fly": { A: "1" },
    });
  });

  it("has it in the command of each of a target's hosts", () => {
    assert.deepEqual(marked("shopifly-vps", resource("shopifly-vps-main", {}), resource("shopifly-ec2-main", {})), {
      "shopifly-vps-main": mark,
      "shopifly-ec2-main": {},
    });
  });

  it("keeps nothing of variables that are secret as a whole, which the program gives again", () => {
    const secret = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", ciphertext: "x" };
    assert.deepEqual(marked("hotrod-fly", resource("hotrod-fly", secret)), { "hotrod-fly": mark });
  });

  it("isn't made where the app was never deployed there", () => {
    assert.equal(marked("hotrod-fly", resource("hotrod-render", {})), undefined);
    assert.equal(marked("hotrod-fly", resource("hotrod-fly", {}, { delete: true })), undefined);
    assert.equal(marked("hotrod-fly"), undefined);
  });
});
