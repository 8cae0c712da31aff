import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { functions } from "../../../rehearsal/understudies/aws/functions";
import { resources } from "../../../rehearsal/understudies/aws/resources";
import { shapeOf } from "../../../rehearsal/understudies/aws/resource";

const packageFolder = path.join(__dirname, "../../../node_modules/@pulumi/aws");

/** The properties of an interface in a file of the official package, with whether each is required. */
function interfaceOf(file: string, name: RegExp): Map<string, boolean> {
  const text = readFileSync(path.join(packageFolder, file), "utf8");
  const body = new RegExp(`export interface ${name.source} \\{([^]*?)\\n\\}`).exec(text)?.[1] ?? "";
  return new Map([...body.matchAll(/^ {4}(\w+)(\??):/gm)].map(([, property = "", mark]) => [property, mark === ""]));
}

/** `ec2/instance.d.ts` of `aws:ec2/instance:Instance`. */
function fileOf(token: string): string {
  const [, module = ""] = token.split(":");
  const file = `${module}.d.ts`;
  return existsSync(path.join(packageFolder, file)) ? file : file.replace(/^index\//, "");
}

describe("The understudy of aws, held against the official package,", () => {
  for (const [token, type] of resources) {
    it(`has no property of ${token} that it hasn't, and all that it requires`, () => {
      const official = interfaceOf(fileOf(token), /\w+Args/);
      assert.ok(official.size > 0, token);
      const own = shapeOf(type);
      assert.deepEqual(
        Object.keys(own).filter((name) => !official.has(name)),
        [],
      );
      const required = [...official].filter(([, isRequired]) => isRequired).map(([name]) => name);
      assert.deepEqual(
        required.filter((name) => own[name]?.options.required !== true),
        [],
      );
      const outputs = interfaceOf(fileOf(token), /\w+State/);
      assert.deepEqual(
        type.outputs.filter((name) => !outputs.has(name)),
        [],
      );
    });
  }

  for (const [token, type] of functions) {
    it(`has no argument of ${token} that it hasn't`, () => {
      const official = interfaceOf(fileOf(token), /\w+Args/);
      // A function of no arguments but the region has no interface of them in some releases.
      const own = Object.keys(type.inputs);
      assert.deepEqual(
        own.filter((name) => !official.has(name)),
        [],
      );
    });
  }
});
