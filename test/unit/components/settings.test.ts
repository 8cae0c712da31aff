import assert from "node:assert/strict";
import { boolean, cidr, hostName, list, mapOf, oneOf, port, shape, text, url } from "../../../components/parsers";
import { readSettings, setCommand, setting, unknownKeys, type StackConfig } from "../../../components/settings";

const config = (entries: Record<string, [string, boolean]>): StackConfig => ({
  stack: "dev",
  entries: new Map(Object.entries(entries).map(([key, [value, secret]]) => [key, { value, secret }])),
});

describe("settings", () => {
  const schema = {
    port: setting(port, { about: "A port.", example: "8080" }, 80),
    key: setting(url("https"), { about: "A key.", example: "x", secret: true }),
  };

  it("reads values and falls back", () => {
    const { values, problems } = readSettings("app", schema, config({ "app:port": ["8081", false] }));
    assert.deepEqual([values.port, values.key, problems], [8081, undefined, []]);
    assert.equal(readSettings("app", schema, config({})).values.port, 80);
  });

  it("reports every wrong value at once, with the command that mends it", () => {
    const { problems } = readSettings("app", schema, config({ "app:port": ["0", false], "app:key": ["nope", true] }));
    assert.deepEqual(
      problems.map((p) => [p.where, p.fix]),
      [
        ["app:port", "pulumi config set app:port 8080"],
        ["app:key", "pulumi config set --secret app:key"],
      ],
    );
  });

  it("never quotes a secret's value", () => {
    const { problems } = readSettings("app", schema, config({ "app:key": ["hunter2", true] }));
    assert.equal(problems.length, 1);
    assert.ok(!JSON.stringify(problems).includes("hunter2"));
  });

  it("refuses a secret stored as plain text", () => {
    const { problems } = readSettings("app", schema, config({ "app:key": ["https://a.example", false] }));
    assert.match(problems[0]?.what ?? "", /plain text/);
  });

  it("takes a default that Pulumi.yaml leaves empty for not set", () => {
    assert.deepEqual(readSettings("app", schema, config({ "app:key": ["", false] })).problems, []);
  });

  it("names the nearest key, and leaves the providers' namespaces alone", () => {
    const known = new Map([["app", ["target", "ports"]]]);
    const found = unknownKeys(
      config({
        "app:taget": ["x", false],
        "aws:region": ["x", false],
        "ap:target": ["x", false],
        "app:zzz": ["x", false],
        "gone:KEY": ["x", false],
      }),
      known,
    );
    assert.deepEqual(
      found.map((p) => [p.where, p.what]),
      [
        ["app:taget", 'Nothing reads this key; did you mean "app:target"?'],
        ["ap:target", 'Nothing reads this key; did you mean "app:target"?'],
        ["app:zzz", "Nothing reads this key."],
        ["gone:KEY", "Nothing reads this key."],
      ],
    );
  });

  it("writes commands that a shell reads back as the value", () => {
    assert.equal(setCommand("a:b", false, "it's"), `pulumi config set a:b 'it'\\''s'`);
  });
});

describe("parsers", () => {
  const refuses = (parse: (value: string) => unknown, ...values: string[]) => {
    for (const value of values) assert.throws(() => parse(value), RangeError, value);
  };

  it("take ports, booleans and texts", () => {
    assert.equal(port("65535"), 65535);
    refuses(port, "0", "65536", "1.5", "http", "");
    assert.equal(boolean("false"), false);
    refuses(boolean, "no", "");
    refuses(text, "", "  ");
  });

  it("take addresses with and without prefix, of both families", () => {
    assert.deepEqual(["203.0.113.7", "10.0.0.0/8", "::1", "2001:db8::/48"].map(cidr), [
      "203.0.113.7/32",
      "10.0.0.0/8",
      "::1/128",
      "2001:db8::/48",
    ]);
    refuses(cidr, "203.0.113.7/33", "300.1.1.1", "2001:db8::/129", "example.com", "10.0.0.0/8/8", "10.0.0.0/x");
  });

  it("take host names", () => {
    assert.equal(hostName("Dashboard.Example.com"), "dashboard.example.com");
    refuses(hostName, "localhost", "-a.example.com", "a..b", "a_b.example.com", `${"a".repeat(64)}.com`);
  });

  it("take URLs of the given schemes, and don't quote the others", () => {
    assert.equal(url("https")("https://a.example/x"), "https://a.example/x");
    refuses(url("https"), "http://a.example", "a.example", "https://");
    assert.throws(
      () => url("https")("ftp://user:hunter2@x"),
      (error: Error) => !error.message.includes("hunter2"),
    );
  });

  it("offer the nearest word", () => {
    assert.throws(() => oneOf("dev", "live")("liv"), /did you mean "live"\?/);
  });

  it("read maps and shapes, naming the entry that is wrong", () => {
    assert.deepEqual(mapOf(port)('{"web":8080}'), { web: 8080 });
    assert.throws(() => mapOf(port)('{"web":"x"}'), /^RangeError: web: /);
    assert.throws(() => shape({ address: text })('{"adress":"x"}'), /did you mean "address"/);
    refuses(mapOf(port), "[]", "8080", "not json");
    refuses(list(port), "{}", "8080");
  });
});
