import assert from "node:assert/strict";
import fc from "fast-check";
import { UsageError } from "../../../cli/errors";
import { parseCall } from "../../../cli/parse";
import { verbs } from "../../../cli/verbs";

interface Read {
  readonly verb: string;
  readonly words?: readonly string[];
  readonly rest?: readonly string[];
  readonly flags?: readonly string[];
  readonly values?: Readonly<Record<string, string>>;
}

const calls: readonly (readonly [line: string, read: Read])[] = [
  ["status", { verb: "status" }],
  ["status catscan --json", { verb: "status", words: ["catscan"], flags: ["json"] }],
  ["--stack prod status", { verb: "status", values: { stack: "prod" } }],
  ["status -s prod -C dir", { verb: "status", values: { stack: "prod", cwd: "dir" } }],
  ["status --stack=org/homeport/prod", { verb: "status", values: { stack: "org/homeport/prod" } }],
  ["logs hotrod worker -f", { verb: "logs", words: ["hotrod", "worker"], flags: ["follow"] }],
  ["logs hotrod -n 5 --since 2h", { verb: "logs", words: ["hotrod"], values: { lines: "5", since: "2h" } }],
  ["logs -fn20 hotrod", { verb: "logs", words: ["hotrod"], flags: ["follow"], values: { lines: "20" } }],
  ["run catscan cleanup", { verb: "run", words: ["catscan", "cleanup"] }],
  [
    "run catscan recover -- a.csv -n 3 --",
    { verb: "run", words: ["catscan", "recover"], rest: ["a.csv", "-n", "3", "--"] },
  ],
  ["run catscan recover --", { verb: "run", words: ["catscan", "recover"] }],
  ["exec hotrod web -- node --help", { verb: "exec", words: ["hotrod", "web"], rest: ["node", "--help"] }],
  ["restore catscan db latest -y", { verb: "restore", words: ["catscan", "db", "latest"], flags: ["yes"] }],
  ["checklist clausea --when before", { verb: "checklist", words: ["clausea"], values: { when: "before" } }],
  [
    "fetch catscan --from 7d --to 2025-06 --into api:/data/recovery --packed",
    {
      verb: "fetch",
      words: ["catscan"],
      flags: ["packed"],
      values: { from: "7d", to: "2025-06", into: "api:/data/recovery" },
    },
  ],
  ["copy shopifly dashboard a.vtt /data", { verb: "copy", words: ["shopifly", "dashboard", "a.vtt", "/data"] }],
  ["restart hotrod", { verb: "restart", words: ["hotrod"] }],
];

const refused: readonly (readonly [line: string, message: RegExp])[] = [
  ["statsu", /^There is no verb "statsu"; did you mean "status"\?$/],
  ["frobnicate", /^There is no verb "frobnicate"\.$/],
  ["help restor", /did you mean "restore"\?/],
  ["status --jsn", /^homeport status has no option --jsn; did you mean "--json"\?$/],
  ["status --follow", /^homeport status has no option --follow\.$/],
  ["run shopifly scrape-now --limit 3", /no option --limit; what is meant for the command goes after --\.$/],
  [
    "run shopifly scrape-now 3",
    /^"3" is one argument too many for homeport run; what is meant for the program goes after --\.$/,
  ],
  ["exec hotrod web node", /one argument too many/],
  ["exec hotrod web", /^homeport exec needs its command after --\.$/],
  ["exec hotrod web --", /needs its command/],
  ["run catscan", /^homeport run needs <job\|command>\.$/],
  ["restore catscan db", /^homeport restore needs <latest\|FILE\|KEY>\.$/],
  ["copy shopifly dashboard a.vtt", /^homeport copy needs <folder>\.$/],
  ["archive catscan archive 2025-06", /^"2025-06" is one argument too many for homeport archive\.$/],
  ["rollback", /^homeport rollback needs <app>\.$/],
  ["doctor now", /^"now" is one argument too many for homeport doctor\.$/],
  ["status -- x", /^homeport status takes nothing after --\.$/],
  ["status --stack", /^--stack needs a value, NAME\.$/],
  ["status --stack=", /^--stack needs a value, NAME\.$/],
  ["status --json=yes", /^--json takes no value\.$/],
];

const split = (line: string): string[] => line.split(" ").filter((word) => word !== "");

describe("the command line", () => {
  for (const [line, { verb, words = [], rest = [], flags = [], values = {} }] of calls) {
    it(`reads \`${line}\``, () => {
      const call = parseCall(split(line));
      assert.equal(call.kind, "verb");
      assert.equal(call.verb.name, verb);
      assert.deepEqual(call.positionals, words);
      assert.deepEqual(call.rest, rest);
      assert.deepEqual([...call.flags], flags);
      assert.deepEqual(Object.fromEntries(call.values), values);
    });
  }

  for (const [line, message] of refused) {
    it(`refuses \`${line}\``, () => {
      assert.throws(
        () => parseCall(split(line)),
        (error) => error instanceof UsageError && message.test(error.message) && error.see.startsWith("homeport "),
      );
    });
  }

  it("helps without a verb, with --help anywhere, and by `help <verb>`", () => {
    const verbOf = (line: string): string | undefined => {
      const call = parseCall(split(line));
      assert.equal(call.kind, "help", line);
      return call.verb?.name;
    };
    assert.equal(verbOf(""), undefined);
    assert.equal(verbOf("-h"), undefined);
    assert.equal(verbOf("help"), undefined);
    assert.equal(verbOf("restore --help"), "restore");
    assert.equal(verbOf("-h run a b"), "run");
    assert.equal(verbOf("help logs"), "logs");
    assert.equal(parseCall(["--version"]).kind, "version");
  });

  it("leaves what follows -- untouched, whatever it is", () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1 }), (rest) => {
        const call = parseCall(["exec", "app", "service", "--", ...rest]);
        assert.equal(call.kind, "verb");
        assert.deepEqual(call.rest, rest);
      }),
    );
  });

  it("ends in a call or a usage error for any words", () => {
    const word = fc.oneof(fc.string(), fc.constantFrom(...verbs.map(({ name }) => name), "--stack", "-f", "--", "-n"));
    fc.assert(
      fc.property(fc.array(word, { maxLength: 6 }), (argv) => {
        try {
          parseCall(argv);
        } catch (error) {
          assert.ok(error instanceof UsageError, String(error));
        }
      }),
      { numRuns: 500 },
    );
  });
});
