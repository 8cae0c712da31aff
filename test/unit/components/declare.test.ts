import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { RunError } from "@pulumi/pulumi";
import { brokenFile } from "../../../components/declare";
import { unforeseen } from "../../../components/report";
import { providers } from "../../../components/settings";

describe("an error of an app's file", () => {
  it("is told at its line where the frames have it", () => {
    const error = new TypeError("a.jbo is not a function");
    error.stack =
      "TypeError: a.jbo is not a function\n    at /x/homeport/apps/catscan.ts:43:5\n    at declare (/x/y.ts:1:1)";
    const { where, what, fix } = brokenFile(error, "apps/catscan.ts");
    assert.equal(`${where}: ${what}`, "apps/catscan.ts:43: TypeError: a.jbo is not a function");
    assert.match(fix, /apps\/catscan\.ts/);
  });
});

describe("an error that nobody foresaw", () => {
  it("is given to the engine without frames, which its handler would take a minute for", () => {
    const told = unforeseen(new TypeError("x is undefined"));
    assert.ok(RunError.isInstance(told));
    assert.match(told.message, /please report it\.\nTypeError: x is undefined\n {4}at /);
    assert.equal(told.stack, told.message);
  });

  it("stays what it is where Pulumi words it", () => {
    const worded = new RunError("no");
    assert.equal(unforeseen(worded), worded);
  });
});

it("The providers whose keys aren't ours are those that the program uses", () => {
  const { dependencies } = JSON.parse(readFileSync(join(__dirname, "../../../package.json"), "utf8")) as {
    dependencies: Record<string, string>;
  };
  const used = Object.keys(dependencies).flatMap((name) => /^@pulumi\/(.*)$/.exec(name)?.[1] ?? []);
  assert.deepEqual([...providers].sort(), used.sort());
});
