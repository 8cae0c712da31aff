import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, it } from "mocha";
import { listFolder } from "../../../drivers/source/listing";
import { filesBelow, git, put, sandbox } from "./support";

describe("the files of a folder", () => {
  const box = sandbox();

  it("are those that git check-ignore lets through, also outside of a repository", async () => {
    const word = fc.constantFrom("a", "b", "ab", "build", "A");
    const path = fc.array(word, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
    const pattern = fc
      .tuple(
        fc.constantFrom("", "", "!", "/", "!/", "\\!"),
        fc.array(fc.oneof(word, fc.constantFrom("*", "**", "?", "[ab]", "*b", "[!a]")), { minLength: 1, maxLength: 3 }),
        fc.constantFrom("", "", "/", "/**", " ", "\\ "),
      )
      .map(([start, parts, end]) => start + parts.join("/") + end);
    const rules = fc.array(pattern, { minLength: 1, maxLength: 4 }).map((lines) => `# rules\n${lines.join("\n")}\n`);
    const ignores = fc.array(fc.tuple(fc.constantFrom("", "a/", "b/", "a/b/", "build/"), rules), {
      minLength: 1,
      maxLength: 3,
    });
    const tree = fc.tuple(fc.uniqueArray(path, { minLength: 3, maxLength: 8 }), ignores);
    let left = 0;
    await fc.assert(
      // Many trees beside each other, as two processes are started for each folder.
      fc.asyncProperty(fc.array(tree, { minLength: 50, maxLength: 50, size: "max" }), async (trees) => {
        const root = box.fresh();
        trees.forEach(([paths, files], index) => {
          const real = paths.filter((each) => !paths.some((other) => other.startsWith(`${each}/`)));
          for (const each of real) put(root, { [`${index}/${each}`]: "x" });
          for (const [at, text] of files) {
            if (real.some((each) => at.startsWith(`${each}/`))) continue;
            put(root, { [`${index}/${at}.gitignore`]: text });
          }
        });
        const listed = (await listFolder(root)).sort();
        const all = filesBelow(root);
        git(root, "init", "-q");
        const asked = { cwd: root, input: all.join("\0"), encoding: "utf8" as const };
        const ignored = new Set(execFileSync("git", ["check-ignore", "-z", "--stdin"], asked).split("\0"));
        left += ignored.size - 1;
        const want = all.filter((each) => !ignored.has(each));
        assert.deepEqual(listed, want);
      }),
      { numRuns: 4, endOnFailure: true },
    );
    assert(left > 30, `only ${left} files were ignored`);
  });
});
