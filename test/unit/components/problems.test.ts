import assert from "node:assert/strict";
import { apps } from "../../../apps";
import { distinct, type Problem } from "../../../components/problems";
import { resolveStack } from "../../../components/resolveStack";
import { targets } from "../../../targets";
import { workingConfig } from "../../support/config";

const problem = (what: string, more: Partial<Problem> = {}): Problem => ({
  ...{ where: "s3:accessKeyId", what, why: "Archives need one.", fix: "pulumi config set s3:accessKeyId AKIA…" },
  ...more,
});
const whats = (...problems: Problem[]): string[] => distinct(problems).map(({ what }) => what);

describe("problems that several parts share", () => {
  it("are told once, with the names of all of them", () => {
    const of = (app: string) => problem(`It has no value, and ${app}'s archive needs one here.`);
    assert.deepEqual(whats(of("hotrod"), of("catscan"), of("hotrod"), of("tileshop")), [
      "It has no value, and catscan's, hotrod's and tileshop's archive needs one here.",
    ]);
  });

  it("stay apart where they are mended apart, or say different things", () => {
    const [one, two] = [problem("A b c."), problem("A x c.", { fix: "another" })];
    assert.deepEqual(whats(one, two), ["A b c.", "A x c."]);
    assert.deepEqual(whats(one, problem("A x c.", { where: "s3:region" })), ["A b c.", "A x c."]);
    assert.deepEqual(whats(one, problem("A x y."), problem("A b c.")), ["A b c.", "A x y."]);
  });

  it("make a list of a new stack that names each key once", async () => {
    const config = workingConfig({ "s3:accessKeyId": undefined, "s3:secretAccessKey": undefined });
    const { problems } = await resolveStack({ apps, targets, config, cwd: process.cwd() });
    assert.deepEqual(
      problems.map(({ where }) => where),
      ["s3:accessKeyId", "s3:secretAccessKey"],
    );
    assert.match(problems[0]?.what ?? "", /^It has no value, and catscan's, .* and .*'s archive needs one here\.$/);
  });
});
