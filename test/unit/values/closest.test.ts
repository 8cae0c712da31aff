import assert from "node:assert/strict";
import fc from "fast-check";
import { closest, distance } from "../../../components/values/closest";

const words = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 8 });

describe("closest", () => {
  it("finds what a misspelt name meant", () => {
    const targets = ["ec2", "vps", "fly", "railway", "render"];
    const meant: [string, string | undefined][] = [
      ["fyl", "fly"],
      ["flyy", "fly"],
      ["Render", "render"],
      ["rednder", "render"],
      ["railwya", "railway"],
      ["ralwey", "railway"],
      ["heroku", undefined],
      ["", undefined],
      ["aws", undefined],
    ];
    for (const [name, target] of meant) assert.equal(closest(name, targets), target, name);
    assert.equal(closest("fly", []), undefined);
    assert.equal(closest("db", ["cache", "dbs"]), "dbs", "short names may have a slip too");
  });

  it("prefers the nearer, then the earlier", () => {
    assert.equal(closest("DATABASE_UR", ["DATABASE_USER", "DATABASE_URL"]), "DATABASE_URL");
    assert.equal(closest("cat", ["bat", "hat"]), "bat");
  });

  it("suggests a name that is one slip away, wherever the slip is", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{4,12}$/), fc.nat(), (name, seed) => {
        const position = seed % (name.length - 1);
        const left = name.slice(0, position);
        const right = name.slice(position);
        const swapped = `${left}${right[1]!}${right[0]!}${right.slice(2)}`;
        for (const slip of [left + right.slice(1), `${left}#${right}`, `${left}#${right.slice(1)}`, swapped]) {
          assert.equal(closest(slip, ["something-else-altogether", name]), name, slip);
        }
      }),
    );
  });

  it("measures with the distance of a metric's first three laws", () => {
    fc.assert(
      fc.property(words, words, (left, right) => {
        assert.equal(distance(left, right), distance(right, left));
        assert.equal(distance(left, right) === 0, left === right);
        assert.ok(distance(left, right) >= Math.abs(left.length - right.length));
        assert.ok(distance(left, right) <= Math.max(left.length, right.length));
      }),
    );
    assert.equal(distance("ab", "ba"), 1);
    assert.equal(distance("kitten", "sitting"), 3);
  });
});
