import assert from "node:assert/strict";
import { join, relative, resolve, sep } from "node:path";
import fc from "fast-check";
import { daysAsked, daysIn, daysOf, fileNames, overlap, partMark, shownKey, unfitKey } from "../../../cli/archiveNames";
import { UsageError } from "../../../cli/errors";

const put = new Date("2026-01-02T23:30:00Z");

/** Keys as people have them, and such as an attacker would choose. */
const segment = fc.oneof(
  fc.constantFrom(
    "..",
    ".",
    "",
    "a",
    "b",
    "a.gz",
    ".gz",
    "b.csv.gz",
    "2025",
    "06",
    "C:\\x",
    "\0",
    "\n",
    "é",
    `${partMark}1`,
  ),
  fc.string({ unit: "binary", maxLength: 8 }),
  fc.string({ unit: "grapheme", maxLength: 300 }),
);
const key = fc.array(segment, { minLength: 1, maxLength: 5 }).map((parts) => parts.join("/"));

describe("the dates of an archive's keys", () => {
  const cases: readonly (readonly [key: string, first: string, last: string])[] = [
    ["performance/2025/12/19/catscan-performance-2025-12-19.csv.gz", "2025-12-19", "2025-12-19"],
    ["2024/02/29/x", "2024-02-29", "2024-02-29"],
    ["logs/year=2025/month=06/day=15/part-0", "2025-06-15", "2025-06-15"],
    ["exports/2025-06-15T10:00.json", "2025-06-15", "2025-06-15"],
    ["backups/catscan-prod/db/db-20250615T030000Z.db.gz", "2025-06-15", "2025-06-15"],
    ["reports/2025/06/all.csv", "2025-06-01", "2025-06-30"],
    ["reports/2025-02.csv", "2025-02-01", "2025-02-28"],
    // The folder says the day under which it was archived, the name may say another.
    ["in/2025/06/16/report-2025-06-15.csv", "2025-06-16", "2025-06-16"],
    ["2025/13/40/x-2025-06-15", "2025-06-15", "2025-06-15"],
    ["id-123456789", "2026-01-02", "2026-01-02"],
    ["2025/02/30/x", "2025-02-01", "2025-02-28"],
    ["notes.txt", "2026-01-02", "2026-01-02"],
  ];
  for (const [name, first, last] of cases) {
    it(`reads ${name}`, () => {
      assert.deepEqual(daysOf(name, put), { first, last });
    });
  }

  it("finds each day that a key is partitioned by, and asks for days and months with their last day", () => {
    const day = fc.date({ min: new Date("1971-01-01"), max: new Date("2199-12-31"), noInvalidDate: true });
    fc.assert(
      fc.property(day, (date) => {
        const text = date.toISOString().slice(0, 10);
        assert.deepEqual(daysOf(`p/${text.replaceAll("-", "/")}/x.csv.gz`, put), { first: text, last: text });
        const month = daysIn(text.slice(0, 7));
        assert.ok(month !== undefined && overlap(month, { first: text, last: text }));
        assert.equal(new Date(Date.parse(month.last) + 86_400_000).getUTCDate(), 1);
      }),
    );
    const asked = daysAsked(new Map([["from", "2025-06"], ["to", "2025-06"]])); // prettier-ignore
    assert.deepEqual(asked, { first: "2025-06-01", last: "2025-06-30" });
  });

  it("counts days back from today", () => {
    const asked = daysAsked(new Map([["from", "7d"], ["to", "0d"]]), new Date("2025-03-03T00:30:00Z")); // prettier-ignore
    assert.deepEqual(asked, { first: "2025-02-24", last: "2025-03-03" });
  });

  it("refuses what is no date, and a range that ends before it begins", () => {
    for (const [from, to] of [["2025-6-1"], ["yesterday"], ["2025-02-30"], ["2025-06-02", "2025-06-01"]]) {
      const values = new Map(Object.entries({ from: from ?? "", ...(to === undefined ? {} : { to }) }));
      assert.throws(() => daysAsked(values), UsageError, from);
    }
  });
});

describe("the files of an archive's keys", () => {
  it("lie below the folder, each with a name of its own that no other has as a folder", () => {
    fc.assert(
      fc.property(fc.uniqueArray(key, { maxLength: 12 }), fc.boolean(), (keys, packed) => {
        const { files, problems } = fileNames(
          keys.map((one) => ({ key: one })),
          packed,
        );
        const root = resolve("/srv/recovery");
        const paths = files.map(({ path }) => join(root, path));
        for (const path of paths) {
          const below = relative(root, path);
          assert.ok(below !== "" && !below.startsWith("..") && below.split(sep).every((name) => name !== ".."), path);
          assert.ok(!path.includes("\0") && path.split(sep).every((name) => Buffer.byteLength(name) <= 255), path);
        }
        assert.equal(new Set(paths).size, paths.length);
        for (const path of paths) assert.ok(!paths.some((other) => other.startsWith(`${path}${sep}`)), path);
        // Nothing is lost without a word.
        assert.equal(files.length + problems.length, keys.filter((one) => !one.endsWith("/")).length);
        for (const { object, path, unpack } of files) assert.equal(unpack ? `${path}.gz` : path, object.key);
        for (const problem of problems) assert.doesNotMatch(problem, /[\u0000-\u001f]/); // eslint-disable-line no-control-regex
      }),
      { numRuns: 2_000 },
    );
  });

  it("refuses keys that lead elsewhere, with the reason", () => {
    const refused = ["../x", "a/../../etc/passwd", "/etc/passwd", "a//b", "./a", "a\\..\\b", "a\nb", `a/${partMark}1`];
    for (const one of [...refused, "é".repeat(200), "\ud800"]) assert.ok(unfitKey(one) !== undefined, one);
    for (const one of ["a/b.csv", "..a/b..", "-rf", "$(x)", "it's", "a b", "%2e%2e/x", "...", "~/x"])
      assert.equal(unfitKey(one), undefined, one);
  });

  it("tells of two that would become one file", () => {
    const { files, problems } = fileNames([{ key: "a.csv" }, { key: "a.csv.gz" }, { key: "b" }, { key: "b/c" }], false);
    assert.deepEqual(
      files.map(({ path }) => path),
      ["a.csv", "b/c"],
    );
    assert.match(
      problems.join("\n"),
      /^a\.csv\.gz has no place: a\.csv becomes the same file\nb has no place: .*folder/,
    );
    assert.equal(fileNames([{ key: "a.csv" }, { key: "a.csv.gz" }], true).files.length, 2);
  });

  it("shows no key that steers a terminal", () => {
    assert.equal(shownKey("a\u001b[2Jb\u009b"), "a\\x1b[2Jb\\x9b");
  });
});
