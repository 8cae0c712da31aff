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
