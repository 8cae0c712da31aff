import assert from "node:assert/strict";
import fc from "fast-check";
import { InvalidValue } from "../../../components/values/invalid";
import {
  bucketName,
  databaseName,
  flyAppName,
  hostName,
  isAppName,
  isEnvironmentVariable,
  isStackName,
  nameProblem,
  releaseRoot,
  stateRoot,
  unitName,
  userName,
} from "../../../components/values/names";

type Naming = (app: string, stack: string, part: string) => string;

const ID = "5d41402a";
const OF_PARTS: { naming: Naming; limit: number; form: RegExp }[] = [
  { naming: unitName, limit: 200, form: /^[a-z0-9-]+$/ },
  { naming: databaseName, limit: 63, form: /^[a-z][a-z0-9_]*$/ },
  { naming: flyAppName, limit: 63, form: /^[a-z][a-z0-9-]*[a-z0-9]$/ },
  { naming: (...triple) => bucketName(...triple, ID), limit: 63, form: /^[a-z0-9][a-z0-9-]+[a-z0-9]$/ },
];

/** Names of few different words and dashes, so that pairs are often ambiguous, some of them like a digest. */
const word = fc.constantFrom("a", "b", "cat", "prod", "decade", "facade", "c0ffee", "ab12cd");
const name = fc.oneof(
  { weight: 5, arbitrary: fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join("-")) },
  { weight: 1, arbitrary: fc.stringMatching(/^[a-z][a-z0-9]{20,90}$/) },
);
const triple = fc.tuple(name, name, name);

/** Tuples that have been cut apart at other places, and so read the same when joined by dashes. */
const twins = fc.array(word, { minLength: 4, maxLength: 7 }).chain((words) => {
  const cut = fc
    .uniqueArray(fc.integer({ min: 1, max: words.length - 1 }), { minLength: 2, maxLength: 2 })
    .map((cuts) => cuts.sort((left, right) => left - right))
    .map(([first, second]): [string, string, string] => [
      words.slice(0, first).join("-"),
      words.slice(first, second).join("-"),
      words.slice(second).join("-"),
    ]);
  return fc.tuple(cut, cut);
});

describe("names", () => {
  it("are readable where nothing is in the way", () => {
    assert.equal(hostName("catscan", "prod"), "catscan-prod");
    assert.equal(hostName("cat-scan", "prod"), "cat-scan-prod");
    assert.equal(userName("catscan", "prod"), "catscan-prod");
    assert.equal(releaseRoot("catscan", "prod"), "/opt/catscan-prod");
    assert.equal(stateRoot("catscan", "prod"), "/var/lib/catscan-prod");
    assert.equal(unitName("catscan", "prod", "gmail-import"), "catscan-prod--gmail-import");
    assert.equal(databaseName("cat-scan", "prod", "main"), "cat_scan_prod__main");
    assert.equal(bucketName("catscan", "prod", "archive", ID), `catscan-prod--archive-${ID}`);
    assert.equal(flyAppName("hotrod", "prod", "web"), "hotrod-prod--web");
  });

  it("keep apart what dashes alone would not", () => {
    assert.notEqual(hostName("a-b", "c"), hostName("a", "b-c"));
    assert.match(hostName("a", "b-c"), /^a-b-c-[0-9a-f]{6}$/);
    fc.assert(
      fc.property(twins, ([left, right]) => {
        for (const { naming } of OF_PARTS) {
          assert.equal(naming(...left) === naming(...right), String(left) === String(right));
        }
        assert.equal(
          hostName(left[0], left[1]) === hostName(right[0], right[1]),
          left[0] === right[0] && left[1] === right[1],
        );
      }),
      { numRuns: 1000 },
    );
  });

  it("of different things differ, and of one thing stay", () => {
    fc.assert(
      fc.property(fc.uniqueArray(triple, { selector: String, minLength: 20, maxLength: 60 }), (triples) => {
        for (const { naming } of OF_PARTS) {
          const made = triples.map((each) => naming(...each));
          assert.equal(new Set(made).size, made.length);
          assert.deepEqual(
            triples.map((each) => naming(...each)),
            made,
          );
        }
        const pairs = new Set(triples.map(([app, stack]) => `${app}/${stack}`));
        assert.equal(new Set(triples.map(([app, stack]) => hostName(app, stack))).size, pairs.size);
      }),
      { numRuns: 50 },
    );
  });

  it("can't be had by giving a thing the name that another one got", () => {
    fc.assert(
      fc.property(triple, ([app, stack, part]) => {
        const host = hostName(app, stack);
        const cut = host.lastIndexOf("-");
        const [imitation, rest] = [host.slice(0, cut), host.slice(cut + 1)];
        fc.pre(isAppName(imitation) && !(imitation === app && rest === stack));
        if (isStackName(rest)) assert.notEqual(hostName(imitation, rest), host);
        for (const { naming } of OF_PARTS) {
          const made = naming(app, stack, part);
          if (isStackName(rest)) assert.notEqual(naming(imitation, rest, part), made);
          const end = made.slice(made.indexOf("--") + 2);
          if (end !== part && isAppName(end)) assert.notEqual(naming(app, stack, end), made);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("keep to the limits and the form of what they name", () => {
    fc.assert(
      fc.property(triple, ([app, stack, part]) => {
        for (const { naming, limit, form } of OF_PARTS) {
          const made = naming(app, stack, part);
          assert.ok(made.length <= limit && made.length >= 3, made);
          assert.match(made, form);
        }
        assert.ok(hostName(app, stack).length <= 32);
        assert.match(hostName(app, stack), /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/);
        assert.ok(bucketName(app, stack, part, ID).endsWith(`-${ID}`));
      }),
      { numRuns: 500 },
    );
  });

  it("are cut to a readable beginning", () => {
    const long = "an-app-with-quite-a-long-name-that-goes-on-and-on";
    assert.match(hostName(long, "prod"), /^an-app-with-quite-a-long[a-z-]*-[0-9a-f]{6}$/);
    assert.match(databaseName(long, "prod", "main-store"), /^an_app_with_quite_a_long[a-z_]*_[0-9a-f]{6}$/);
    assert.notEqual(hostName(long, "prod"), hostName(`${long}-on`, "prod"));
    assert.equal(hostName("a".repeat(27), "prod"), `${"a".repeat(27)}-prod`, "32 characters still fit");
  });

  it("that a platform keeps to itself are refused", () => {
    assert.throws(() => bucketName("sthree", "prod", "data", ID), /start with sthree- to itself/);
    assert.throws(() => bucketName("amzn", "s3-demo", "data", ID), /start with amzn-s3-demo- to itself/);
    for (const discriminator of ["", "s3", "an", "s3alias", "has-dash", "UPPER", "a".repeat(21)]) {
      assert.throws(
        () => bucketName("catscan", "prod", "x", discriminator),
        /can't end a bucket's name/,
        discriminator,
      );
    }
    assert.throws(() => databaseName("pg", "prod", "main"), /start with pg_ to itself/);
  });

  it("are made of names alone", () => {
    for (const right of ["a", "catscan", "cat-scan", "a1", "a-1"]) {
      assert.ok(isAppName(right) && isStackName(right), right);
    }
    for (const wrong of ["", "-a", "a-", "a--b", "1a", "A", "a_b", "a.b", "a b", "ä", "a\n", "../etc"]) {
      assert.ok(!isAppName(wrong) && !isStackName(wrong), wrong);
      assert.throws(() => hostName(wrong, "prod"), /can't name the app: a name is made of/, wrong);
      assert.throws(() => hostName("catscan", wrong), /can't name the stack/, wrong);
      for (const { naming } of OF_PARTS) assert.throws(() => naming("catscan", "prod", wrong), InvalidValue, wrong);
    }
  });

  it("that are wrong come with the nearest right one", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const suggestion = /as in "(.*)"$/.exec(nameProblem(text) ?? "")?.[1];
        assert.ok(suggestion === undefined || isAppName(suggestion), suggestion);
      }),
    );
    assert.match(nameProblem("My_App ") ?? "", /as in "my-app"$/);
    assert.match(nameProblem("a--b") ?? "", /as in "a-b"$/);
  });

  it("of variables are POSIX's", () => {
    for (const right of ["A", "_A", "A_1", "node_env"]) assert.ok(isEnvironmentVariable(right), right);
    for (const wrong of ["", "1A", "A-B", "A B", "A=B", "A\n", "Ä"]) assert.ok(!isEnvironmentVariable(wrong), wrong);
  });
});
