import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { quote, shellQuote } from "../../../components/values/shell";

describe("a word of a shell", () => {
  for (const [name, write] of Object.entries({ quote, shellQuote })) {
    it(`is read as it was written by ${name}`, () => {
      const text = fc.string({ unit: "grapheme", maxLength: 40 }).filter((value) => !value.includes("\0"));
      const words = ["", "it's", "-n", "~", "a b", "$HOME", ...fc.sample(text, 200)];
      const read = execFileSync("/bin/sh", ["-c", `printf '%s\\0' ${words.map(write).join(" ")}`], {
        encoding: "utf8",
      });
      assert.deepEqual(read.split("\0").slice(0, -1), words);
    });
  }

  it("is bare for people where it can be", () => {
    assert.deepEqual(["app-1.2:x/y=z@w", "a b", ""].map(shellQuote), ["app-1.2:x/y=z@w", "'a b'", "''"]);
  });
});
