import assert from "node:assert/strict";
import fc from "fast-check";
import { changedFields } from "../../.github/scripts/fields";
import { namesSecret, visible, withoutCredentials } from "../../.github/scripts/masks";
import { reportOf } from "../../.github/scripts/report";

const urn = (type: string, name: string): string => `urn:pulumi:prod::homeport::${type}::${name}`;
const app = urn("homeport:index:App$command:local:Command", "catscan");
const ended = (digest: unknown, code = 0): { code: number; stdout: string; stderr: string } => ({
  code,
  stdout: JSON.stringify(digest),
  stderr: "",
});
const refusalOf = (stderr: string): string => reportOf("prod", { code: 255, stdout: "", stderr }).refusal ?? "";

describe("the report of a preview", () => {
  it("lists what changes, the most dangerous first, and counts the rest", () => {
    const report = reportOf(
      "prod",
      ended({
        steps: [
          { op: "same", urn: urn("a:b:C", "still") },
          { op: "create", urn: urn("a:b:C", "new"), newState: { inputs: { size: 1 } } },
          { op: "update", urn: app, oldState: { inputs: { a: 1 } }, newState: { inputs: { a: 2 } } },
          { op: "create-replacement", urn: urn("a:b:C", "moved"), replaceReasons: ["zone"] },
          { op: "replace", urn: urn("a:b:C", "moved"), replaceReasons: ["zone"] },
          { op: "delete-replaced", urn: urn("a:b:C", "moved") },
          { op: "delete", urn: urn("a:b:C", "old"), oldState: { inputs: { size: 1 } } },
        ],
        changeSummary: { same: 41, create: 1 },
      }),
    );
    assert.equal(report.refusal, undefined);
    assert.equal(report.unchanged, 41);
    assert.deepEqual(
      report.changes.map(({ kind, urn: name, fields }) => [kind, name.split("::").at(-1), fields]),
      [
        ["delete", "old", []],
        ["replace", "moved", [{ path: "zone" }]],
        ["update", "catscan", [{ path: "a", before: "1", after: "2" }]],
        ["create", "new", []],
      ],
    );
  });

  it("is a refusal where the preview fails, with the whole of what it said", () => {
    const problems =
      "error: Stack prod can't be deployed: 1 problem. Nothing was touched.\n\n1. a:b: no.\n   fix: do it\n";
    const diagnostics = [
      { severity: "info", message: "something else" },
      { severity: "error", message: problems },
    ];
    const { refusal } = reportOf("prod", ended({ steps: [], diagnostics }, 255));
    assert.equal(refusal, problems.replace("error: ", "").trim());
  });

  it("says what mends what the engine says of a repository that isn't set up", () => {
    assert.match(refusalOf("error: no stack named 'prod' found"), /^no stack named.*\n {3}fix: pulumi stack init prod/);
    assert.match(
      refusalOf("error: passphrase must be set with PULUMI_CONFIG_PASSPHRASE"),
      /fix: gh secret set PULUMI_/,
    );
    assert.match(refusalOf("error: the stack is currently locked by 1 lock(s)."), /pulumi cancel --stack prod/);
    assert.match(refusalOf(""), /said nothing/);
  });

  it("is a refusal where the engine's answer can't be read, whatever code it ended with", () => {
    assert.notEqual(reportOf("prod", { code: 0, stdout: "{", stderr: "" }).refusal, undefined);
  });

  it("has the fingerprint of what would be done, not of the order in which it was told", () => {
    const one = { op: "create", urn: app, newState: { inputs: { a: 1 } } };
    const two = { op: "update", urn: urn("a:b:C", "x"), newState: { inputs: { a: 1 } } };
    const of = (...steps: unknown[]): string => reportOf("prod", ended({ steps })).fingerprint;
    assert.equal(of(one, two), of(two, one));
    assert.equal(of(one, { op: "same", urn: urn("a:b:C", "y") }), of(one));
    assert.notEqual(of(one, two), of(one));
    assert.notEqual(of(one), of({ ...one, op: "delete" }));
    assert.notEqual(of(one), of({ ...one, newState: { inputs: { a: 2 } } }));
  });
});

describe("the fields that change", () => {
  const fields = (before: Record<string, unknown>, after: Record<string, unknown>, detailedDiff = {}): unknown =>
    changedFields({ op: "update", urn: app, oldState: { inputs: before }, newState: { inputs: after }, detailedDiff });

  it("are told by their paths, with the values before and after", () => {
    assert.deepEqual(
      fields(
        { tags: { Name: "a", x: "1" }, ports: [1, 2], gone: true },
        { tags: { Name: "b", x: "1" }, ports: [1, 3] },
      ),
      [
        { path: "gone", before: "true" },
        { path: "ports[1]", before: "2", after: "3" },
        { path: "tags.Name", before: '"a"', after: '"b"' },
      ],
    );
  });

  it("have no value where it is secret, and are told all the same where only the provider sees the change", () => {
    const inputs = { stdin: "[secret]", environment: { A: "1" } };
    assert.deepEqual(fields(inputs, { ...inputs, environment: { A: "2" } }, { stdin: {}, environment: {} }), [
      { path: "environment.A", before: '"1"', after: '"2"' },
      { path: "stdin", before: "[secret]", after: "[secret]" },
    ]);
  });

  it("have no value where the name speaks of a secret, though nobody marked it", () => {
    const told = fields({ environment: { API_TOKEN: "marker-1" } }, { environment: { API_TOKEN: "marker-2" } });
    assert.doesNotMatch(JSON.stringify(told), /marker/);
  });

  it("say what is known at the deploy only, and cut what is long", () => {
    const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
    assert.match(JSON.stringify(fields({ a: "1" }, { a: unknown })), /known at the deploy/);
    const [field] = fields({ a: "" }, { a: "x".repeat(10_000) }) as { after: string }[];
    assert.ok((field?.after.length ?? 0) < 200);
  });

  it("are those whose values differ, for any two inputs", () => {
    const inputs = fc.dictionary(fc.stringMatching(/^[b-d]{1,2}$/), fc.oneof(fc.integer(), fc.string()), {
      maxKeys: 4,
    });
    fc.assert(
      fc.property(inputs, inputs, (before, after) => {
        const expected = [...new Set([...Object.keys(before), ...Object.keys(after)])]
          .filter((key) => before[key] !== after[key])
          .sort();
        assert.deepEqual(
          (fields(before, after) as { path: string }[]).map(({ path }) => path),
          expected,
        );
      }),
    );
  });
});

describe("what is published", () => {
  it("has no credential by its form", () => {
    const key = "-----BEGIN OPENSSH PRIVATE KEY-----\nmarker\n-----END OPENSSH PRIVATE KEY-----";
    assert.equal(withoutCredentials(`a ${key} b`), "a [secret] b");
    assert.equal(withoutCredentials("postgres://me:marker@db:5432/x"), "postgres://me:[secret]@db:5432/x");
    for (const token of ["AKIA" + "A".repeat(16), "ghs_" + "a1".repeat(18), "pul-" + "0a".repeat(20)]) {
      assert.equal(withoutCredentials(`it is ${token}.`), "it is [secret].");
    }
    const plain = "see https://example.com:8080/a?b=c@d, AKIA and ghs_short";
    assert.equal(withoutCredentials(plain), plain);
  });

  it("knows the names of secrets", () => {
    for (const name of [
      "env.DB_PASSWORD",
      "s3.accessKeyId",
      "API_KEY",
      "gitHubToken",
      "x.secretAccessKey",
      "passphrase",
    ])
      assert.ok(namesSecret(name), name);
    for (const name of ["environment.HOMEPORT_API_PORT", "tags.Name", "keyName", "pass"])
      assert.ok(!namesSecret(name), name);
  });

  it("shows what can't be seen", () => {
    assert.equal(visible("a\u202eb\u0007c\u200bd\ne"), "a\\u{202e}b\\u{7}c\\u{200b}d\ne");
  });
});
