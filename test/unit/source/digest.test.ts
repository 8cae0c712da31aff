import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, it } from "mocha";
import { contentId, treeDigest, type Leaf } from "../../../drivers/source/digest";

// Few and hostile characters, so that two trees often differ by where a name ends only.
const name = fc.string({
  unit: fc.constantFrom("a", "b", "f", "x", "l", "\n", "\u0001", "é"),
  minLength: 1,
  maxLength: 4,
});
const leaf = fc.record({ path: name, type: fc.constantFrom("file", "exec", "link"), content: name });
const tree = fc.uniqueArray(leaf, { selector: (each) => each.path, maxLength: 4 });
type Plain = { path: string; type: string; content: string };

function leaves(plain: readonly Plain[]): Leaf[] {
  return plain.map(({ path, type, content }) => ({
    path,
    type: type as Leaf["type"],
    sha256: createHash("sha256").update(content).digest(),
  }));
}

function canonical(plain: readonly Plain[]): string {
  const rows = plain.map(({ path, type, content }) => JSON.stringify([path, type, content]));
  return rows.sort().join();
}

describe("the identity of a tree", () => {
  it("differs for different trees and agrees for equal ones", () => {
    fc.assert(
      fc.property(tree, tree, (a, b) => {
        assert.equal(treeDigest(leaves(a)) === treeDigest(leaves(b)), canonical(a) === canonical(b));
      }),
      { numRuns: 2000 },
    );
  });

  it("sees each change of one member", () => {
    const other = { file: "exec", exec: "link", link: "file" } as const;
    fc.assert(
      fc.property(fc.tuple(tree, leaf), ([rest, one]) => {
        const others = rest.filter((each) => each.path !== one.path);
        const id = (each: Plain): string => treeDigest(leaves([...others, each]));
        const all = [one, { ...one, type: other[one.type] }, { ...one, content: `${one.content}!` }];
        all.push({ ...one, path: `${one.path}!` });
        assert.equal(new Set([treeDigest(leaves(others)), ...all.map(id)]).size, 5);
      }),
    );
  });

  it("isn't taken in by a name that spells out a hash and the next member", () => {
    // A hash of ASCII letters stands for one that was searched for until it was text.
    const sha256 = Buffer.alloc(32, "h");
    const two = treeDigest([
      { path: "a", type: "file", sha256 },
      { path: "b", type: "file", sha256 },
    ]);
    for (const glue of ["", "f", "f\0", "f\0\0\0\0", "f\u0001", "f\0\0\0\u0001"]) {
      const one = treeDigest([{ path: `a${sha256.toString()}${glue}b`, type: "file", sha256 }]);
      assert.notEqual(one, two);
    }
  });

  it("doesn't depend on the order", () => {
    fc.assert(
      fc.property(tree, (a) => {
        assert.equal(treeDigest(leaves(a)), treeDigest(leaves(a.toReversed())));
      }),
    );
  });

  it("doesn't let content and directory run together", () => {
    assert.notEqual(contentId("git", "ab", "c"), contentId("git", "a", "bc"));
    assert.notEqual(contentId("git", "a1:b", ""), contentId("git", "a", "b"));
    assert.notEqual(contentId("git", "a", ""), contentId("tarball", "a", ""));
    assert.match(contentId("git", "a", ""), /^[0-9a-f]{16}$/);
  });
});
