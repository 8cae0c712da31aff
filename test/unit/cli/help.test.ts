import assert from "node:assert/strict";
import { helpFor, overview } from "../../../cli/help";
import { parseCall } from "../../../cli/parse";
import { verbs } from "../../../cli/verbs";
import { sameAsGolden } from "./golden";

describe("help", () => {
  it("shows all verbs at once", () => {
    sameAsGolden("help.txt", overview());
  });

  it("shows each verb", () => {
    sameAsGolden("help-verbs.txt", verbs.map(helpFor).join("\n\n----------------\n\n"));
  });

  it("has no example that would be refused", () => {
    const examples = verbs.flatMap((verb) => verb.examples.map((example) => [verb.name, example] as const));
    assert.ok(examples.length >= verbs.length);
    for (const [verb, example] of examples) {
      const [command = ""] = example.split(/ [|>] /);
      const call = parseCall(command.split(" ").slice(1));
      assert.equal(call.kind === "verb" ? call.verb.name : "help", verb, example);
    }
  });

  it("is no wider than a page", () => {
    for (const line of verbs.flatMap((verb) => helpFor(verb).split("\n"))) assert.ok(line.length <= 120, line);
  });
});
