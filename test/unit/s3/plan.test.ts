import assert from "node:assert/strict";
import * as fc from "fast-check";
import type { Change } from "../../../drivers/s3/plan";
import { mergePolicy, planBucket, tlsOnly } from "../../../drivers/s3/plan";
import type { BucketSpec, BucketWish, S3Connection } from "../../../drivers/s3/spec";
import { parseSpec } from "../../../drivers/s3/spec";
import type { BucketState, Rule, Statement } from "../../../drivers/s3/state";
import { unsupported } from "../../../drivers/s3/state";

const bare: BucketState = {
  tags: undefined,
  publicAccess: undefined,
  ownership: undefined,
  encryption: undefined,
  versioning: undefined,
  policy: undefined,
  lifecycle: undefined,
};
const spec = (bucket: Partial<BucketWish> = {}, connection: Partial<S3Connection> = {}): BucketSpec => ({
  connection: { region: "eu-central-1", ...connection },
  bucket: {
    name: "shop-prod-archive-1a2b",
    adopt: false,
    tags: { "homeport:app": "shop" },
    onDelete: "keep",
    ...bucket,
  },
});

/** The state after a change, as a store that keeps what it is told. */
function after(state: BucketState, change: Change): BucketState {
  switch (change.feature) {
    case "tags":
      return { ...state, tags: change.tags };
    case "public access block": {
      const all = {
        BlockPublicAcls: true,
        IgnorePublicAcls: true,
        BlockPublicPolicy: true,
        RestrictPublicBuckets: true,
      };
      return { ...state, publicAccess: all };
    }
    case "ownership":
      return { ...state, ownership: "BucketOwnerEnforced" };
    case "encryption":
      return { ...state, encryption: "AES256" };
    case "versioning":
      return { ...state, versioning: "Enabled" };
    case "policy":
      return { ...state, policy: change.policy };
    case "lifecycle":
      return { ...state, lifecycle: change.rules };
  }
}
const reach = (wish: BucketSpec, state: BucketState): BucketState =>
  planBucket(wish, state).changes.reduce(after, state);
const lines = (wish: BucketSpec, state: BucketState): string[] =>
  planBucket(wish, state).changes.map((one) => one.line);

describe("a bucket's plan", () => {
  it("closes a bare bucket before anything else is done to it, and marks it first", () => {
    assert.deepEqual(lines(spec({ coldAfterDays: 30 }), bare), [
      "tagged as this app's",
      "public access blocked",
      "access lists turned off",
      "encryption turned on",
      "versioning turned on",
      "TLS asked for by policy",
      "objects cold after 30 days, never expiring",
    ]);
  });

  it("asks for nothing once it is reached, from wherever it began, and keeps what is foreign", () => {
    const bool = fc.option(fc.boolean(), { nil: undefined });
    const foreignRule: fc.Arbitrary<Rule> = fc.record(
      {
        ID: fc.constantFrom("logs", "homeport-cold", "homeport-expire"),
        Status: fc.constantFrom("Enabled" as const, "Disabled" as const),
        Prefix: fc.constantFrom("", "logs/"),
        Expiration: fc.record({ Days: fc.integer({ min: 1, max: 900 }) }),
      },
      { requiredKeys: ["Status"] },
    );
    const statement: fc.Arbitrary<Statement> = fc.record({
      Sid: fc.constantFrom("Foreign", tlsOnly),
      Effect: fc.constantFrom("Allow", "Deny"),
      Action: fc.constantFrom<unknown>("s3:GetObject", ["s3:GetObject"]),
    });
    const states: fc.Arbitrary<BucketState> = fc.record({
      tags: fc.option(fc.dictionary(fc.constantFrom("team", "homeport:app"), fc.string()), { nil: undefined }),
      publicAccess: fc.record({
        BlockPublicAcls: bool,
        IgnorePublicAcls: bool,
        BlockPublicPolicy: bool,
        RestrictPublicBuckets: bool,
      }),
      ownership: fc.constantFrom(undefined, "ObjectWriter", "BucketOwnerEnforced"),
      encryption: fc.constantFrom(undefined, "AES256", "aws:kms"),
      versioning: fc.constantFrom(undefined, "Suspended", "Enabled"),
      policy: fc.option(fc.record({ Statement: fc.array(statement, { maxLength: 3 }) }), { nil: undefined }),
      lifecycle: fc.option(fc.array(foreignRule, { maxLength: 3 }), { nil: undefined }),
    });
    const wishes = fc.record(
      { coldAfterDays: fc.integer({ min: 30, max: 90 }), expireAfterDays: fc.integer({ min: 91, max: 999 }) },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(states, wishes, (state, wish) => {
        const wanted = spec(wish);
        const reached = reach(wanted, state);
        assert.deepEqual(lines(wanted, reached), []);
        const sids = (one: BucketState): unknown[] =>
          one.policy === unsupported
            ? []
            : (one.policy?.Statement ?? []).map(({ Sid }) => Sid).filter((sid) => sid !== tlsOnly);
        assert.deepEqual(sids(reached), sids(state));
        const foreign = (one: BucketState): unknown[] =>
          (one.lifecycle === unsupported ? [] : (one.lifecycle ?? []))
            .filter(({ ID }) => !ID?.startsWith("homeport"))
            .map(({ ID, Status, Prefix, Filter, Expiration }) => [
              ID,
              Status,
              Filter?.Prefix ?? Prefix ?? "",
              Expiration?.Days,
            ]);
        assert.deepEqual(foreign(reached), foreign(state));
        const team = (one: BucketState): unknown => (one.tags === unsupported ? undefined : one.tags?.["team"]);
        assert.equal(team(reached), team(state));
        if (state.encryption === "aws:kms") assert.equal(reached.encryption, "aws:kms");
      }),
    );
  });

  it("takes what a store writes otherwise for the same", () => {
    const wanted = spec({ coldAfterDays: 30 });
    const reached = reach(wanted, bare);
    assert.ok(typeof reached.policy === "object" && typeof reached.lifecycle === "object");
    const rewritten: BucketState = {
      ...reached,
      policy: {
        Version: "2012-10-17",
        Statement: reached.policy.Statement.map((statement) => ({
          ...Object.fromEntries(Object.entries(statement).reverse()),
          Principal: { AWS: ["*"] },
          Action: ["s3:*"],
          Condition: { Bool: { "aws:SecureTransport": ["false"] } },
        })),
      },
      lifecycle: reached.lifecycle.map(({ Filter, ...rule }) => ({ ...rule, Prefix: Filter?.Prefix })).reverse(),
    };
    assert.deepEqual(lines(wanted, rewritten), []);
  });

  it("takes back a promise that is no longer made, and no foreign one", () => {
    const archive: Rule = { ID: "logs", Status: "Enabled", Filter: { Prefix: "logs/" }, Expiration: { Days: 7 } };
    const cold = { ...reach(spec({ coldAfterDays: 30, expireAfterDays: 90 }), bare) };
    assert.ok(typeof cold.lifecycle === "object");
    const reached = reach(spec(), { ...cold, lifecycle: [archive, ...cold.lifecycle] });
    assert.ok(typeof reached.lifecycle === "object");
    assert.deepEqual(
      reached.lifecycle.map((rule) => rule.ID),
      ["logs", "homeport-incomplete-uploads"],
    );
  });

  it("asks for TLS only where there is TLS, since a store that heeds it would be shut for good", () => {
    const plain = spec({}, { endpoint: "http://10.0.0.1:9000" });
    const { changes, warnings } = planBucket(plain, bare);
    assert.ok(!changes.some((change) => change.feature === "policy"));
    assert.match(warnings.join(), /plain http/);
    assert.equal(reach(plain, reach(spec(), bare)).policy, undefined);
    assert.ok(lines(spec({}, { endpoint: "https://s3.example.com" }), bare).includes("TLS asked for by policy"));
  });

  it("names the partition's own ARN", () => {
    const { changes } = planBucket(spec({}, { region: "cn-north-1" }), bare);
    assert.match(JSON.stringify(changes), /arn:aws-cn:s3:::shop-prod-archive-1a2b\/\*/);
  });

  it("does without what only saves money, and not without what keeps data safe unless told to", () => {
    const poor: BucketState = { ...bare, publicAccess: unsupported, encryption: unsupported, lifecycle: unsupported };
    const plan = planBucket(spec(), poor);
    assert.deepEqual(plan.missing, ["public access block", "encryption"]);
    assert.deepEqual(plan.warnings, ["This store has no lifecycle: done without."]);
    const excused = planBucket(spec({}, { lacks: ["public access block", "encryption", "lifecycle"] }), poor);
    assert.deepEqual([excused.missing, excused.warnings], [[], []]);
  });

  it("replaces an older form of its statement", () => {
    const wanted: Statement = { Sid: tlsOnly, Effect: "Deny" };
    assert.deepEqual(
      mergePolicy({ Version: "2012-10-17", Statement: [{ Sid: tlsOnly, Effect: "Allow" }, { Sid: "x" }] }, wanted),
      {
        Version: "2012-10-17",
        Statement: [{ Sid: "x" }, wanted],
      },
    );
    assert.equal(mergePolicy({ Statement: [{ Sid: tlsOnly }] }, undefined), undefined);
  });
});

describe("a bucket's spec", () => {
  const wrong: readonly (readonly [string, unknown, RegExp])[] = [
    ["is no object", [], /no object/],
    ["has a name that S3 refuses", spec({ name: "Shop_Archive" }), /bucket "Shop_Archive".*\n.*3 to 63 characters/],
    ["has an address for a name", spec({ name: "10.0.0.1" }), /3 to 63/],
    ["has no tag", spec({ tags: {} }), /At least one tag/],
    [
      "is cold before S3 allows it",
      spec({ coldAfterDays: 29 }),
      /coldAfterDays.*\n.*29; S3 takes whole days from 30 up/,
    ],
    ["expires before it is cold", spec({ coldAfterDays: 30, expireAfterDays: 30 }), /expire after 30 days, before/],
    ["has half a key", spec({}, { accessKeyId: "AKIA" }), /go together/],
    ["has a token without a key", spec({}, { sessionToken: "t" }), /belongs to an access key/],
    ["has an endpoint with a path", spec({}, { endpoint: "https://x/y" }), /isn't `https:\/\/host`/],
    ["lacks what isn't known", spec({}, { lacks: ["acl" as "tags"] }), /"acl" is none of: tags, public access block/],
    ["has no region", { ...spec(), connection: {} }, /There is no region/],
  ];
  for (const [what, value, why] of wrong) {
    it(`is refused where it ${what}`, () => {
      assert.throws(
        () => parseSpec(value),
        (error: Error) => {
          assert.equal(error.name, "BucketError");
          assert.match(error.message, why);
          assert.match(error.message, /fix: .*pulumi up/);
          return true;
        },
      );
    });
  }

  it("is taken where it is right", () => {
    const whole = spec(
      { coldAfterDays: 30, expireAfterDays: 31 },
      { accessKeyId: "a", secretAccessKey: "b", sessionToken: "c", lacks: ["tags"] },
    );
    assert.deepEqual(parseSpec(JSON.parse(JSON.stringify(whole))), whole);
  });
});
