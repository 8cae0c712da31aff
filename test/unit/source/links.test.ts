import assert from "node:assert/strict";
import { mkdirSync, realpathSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
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
    const part = fc.constantFrom("a", "b", "c", "d", "..", ".");
    const target = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join("/"));
    const place = fc
      .array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 3 })
      .map((parts) => parts.join("/"));
    let compared = 0;
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(place, target), {
          selector: ([path]) => path,
          minLength: 4,
          maxLength: 9,
          size: "max",
        }),
        (wanted) => {
          // The folders above the root are so deep that no path can leave them, and have no member of the root's names.
          const root = join(box.fresh(), "q/q/q/q/q/q/q/root");
          mkdirSync(root, { recursive: true });
          for (const folder of ["a/a", "a/b", "b/c"]) mkdirSync(join(root, folder), { recursive: true });
          const links = new Map<string, string>();
          for (const [path, to] of wanted) {
            try {
              // A link in the way would put this one elsewhere.
              if (realpathSync(dirname(join(root, path))) !== dirname(join(root, path))) continue;
              symlinkSync(to, join(root, path));
              links.set(path, to);
            } catch (error) {
              assert.match(String(errorCode(error)), /EEXIST|ENOENT|ENOTDIR|ELOOP/);
            }
          }
          for (const path of links.keys()) {
            try {
              const real = realpathSync.native(join(root, path));
              compared += 1;
              assert.equal(
                leadsOut(links, path),
                !`${real}/`.startsWith(`${root}/`),
                `${path} of ${JSON.stringify([...links])}`,
              );
            } catch (error) {
              if (errorCode(error) === "ERR_ASSERTION") throw error;
            }
          }
        },
      ),
      { numRuns: 100 },
    );
    assert(compared > 60, `only ${compared} links could be followed`);
  });
});
