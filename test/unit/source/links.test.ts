import assert from "node:assert/strict";
import { mkdirSync, realpathSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, it } from "mocha";
import { errorCode } from "../../../drivers/source/error";
import { leadsOut } from "../../../drivers/source/links";
import { sandbox } from "./support";

describe("links that lead out of a release", () => {
  const box = sandbox();

  const cases: [string, Record<string, string>, boolean][] = [
    ["within", { "a/l": "../b/c" }, false],
    ["to the root itself", { "a/l": ".." }, false],
    ["above the root", { "a/l": "../.." }, true],
    ["out and in again", { l: "../root/x" }, true],
    ["absolute", { l: "/etc/passwd" }, true],
    ["by way of another link", { "d/f": "..", l: "d/f/../x" }, true],
    ["as text only", { "d/f": "../e/g/h", l: "d/f/../../x" }, false],
    ["to an absolute one", { a: "/", l: "a/x" }, true],
    ["to itself", { l: "l" }, false],
    ["in a circle", { a: "l", l: "a/.." }, false],
  ];
  for (const [name, links, out] of cases) {
    it(name, () => {
      assert.equal(leadsOut(new Map(Object.entries(links)), "a/l" in links ? "a/l" : "l"), out);
    });
  }

  it("agrees with the kernel on random trees", () => {
    const name = fc.constantFrom("k", "l", "m");
    const folders = ["", "a/", "b/", "a/a/", "a/b/", "b/a/"];
    const part = fc.oneof(
      { weight: 2, arbitrary: fc.constantFrom("..", "..", "a", "b") },
      { weight: 1, arbitrary: name },
    );
    const target = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
    const path = fc.tuple(fc.constantFrom(...folders), name).map((parts) => parts.join(""));
    const tree = fc.uniqueArray(fc.tuple(path, target), { selector: ([each]) => each, minLength: 9, maxLength: 15 });
    const compared = { in: 0, out: 0 };
    fc.assert(
      fc.property(tree, (all) => {
        // The folders above hold the same names, so that a way out leads somewhere; none of them is called root.
        const above = box.fresh();
        const root = join(above, "q/q/root");
        for (const place of ["", "q", "q/q", "q/q/root"]) {
          for (const folder of folders) mkdirSync(join(above, place, folder), { recursive: true });
        }
        for (const [each, to] of all) symlinkSync(to, join(root, each));
        for (const [each] of all) {
          let real: string;
          try {
            real = realpathSync.native(join(root, each));
          } catch (error) {
            // What leads to nothing shows nothing of the host.
            assert.match(String(errorCode(error)), /ENOENT|ELOOP/);
            continue;
          }
          const out = !`${real}/`.startsWith(`${root}/`);
          compared[out ? "out" : "in"] += 1;
          assert.equal(leadsOut(new Map(all), each), out, each);
        }
      }),
      { numRuns: 40 },
    );
    assert(compared.in > 40 && compared.out > 10, JSON.stringify(compared));
  });
});
