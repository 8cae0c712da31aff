import assert from "node:assert/strict";
import fc from "fast-check";
import type { Change, Kind, Report } from "../../.github/scripts/report";
import { countsOf, previewsText, quotedText, shares } from "../../.github/scripts/text";

const change = (kind: Kind, name: string, fields: Change["fields"] = []): Change => ({
  kind,
  urn: `urn:pulumi:prod::homeport::homeport:index:App$command:local:Command::${name}`,
  fields,
});
const report = (stack: string, changes: readonly Change[], refusal?: string): Report => ({
  ...{ stack, changes, unchanged: 30, fingerprint: "" },
  ...(refusal === undefined ? {} : { refusal }),
});
const frame = { heading: "<!-- mark -->\n## Previews", run: "https://github.test/run/1", footer: "The end." };
const textOf = (reports: readonly Report[], limit = 65_536): string => previewsText(reports, frame, limit);
const refusal =
  "Stack prod can't be deployed: 2 problems. Nothing was touched.\n\n1. a:b: no\n   fix: pulumi config set a:b 1";

describe("the text of previews", () => {
  it("has the counts of all stacks, then each one's changes by field", () => {
    const field = { path: "environment.HOMEPORT_API_PORT", before: '"8000"', after: '"8001"' };
    const dev = report("dev", [
      change("update", "catscan", [field, { path: "stdin", before: "[secret]", after: "[secret]" }]),
    ]);
    assert.equal(
      textOf([dev, report("prod", [])]),
      `<!-- mark -->
## Previews

| stack | preview |
| --- | --- |
| dev | 1 to update, 30 unchanged |
| prod | no change, 30 unchanged |

### dev: 1 to update, 30 unchanged

\`\`\`diff
! update  catscan (command:local:Command)
            environment.HOMEPORT_API_PORT: "8000" -> "8001"
            stdin: [secret], another one
\`\`\`

The end.`,
    );
  });

  it("has the whole of a refusal: what, where, why and fix", () => {
    const text = textOf([report("prod", [change("create", "x")], refusal)]);
    assert.match(text, /\| prod \| refused, 2 problems \|/);
    assert.ok(text.includes(refusal));
    assert.doesNotMatch(text, /create/);
  });

  it("shows the beginning of a line that alone is longer than a comment", () => {
    const text = textOf([report("prod", [], `begin ${"`".repeat(70_000)}${"x".repeat(70_000)}`)]);
    assert.ok(text.includes("begin `…`xxx") && text.length < 5_000);
  });

  it("quotes text of others so that it stays a quotation", () => {
    assert.equal(quotedText("## Failed", "a ```` b\n<c>"), "## Failed\n\n`````text\na ```` b\n<c>\n`````");
  });

  it("counts in the order of danger", () => {
    const all = [change("delete", "a"), change("create", "b"), change("create", "c"), change("other", "d")];
    assert.equal(countsOf(report("dev", all)), "1 to delete, 2 to create, 1 otherwise touched, 30 unchanged");
    assert.equal(countsOf(report("dev", [], "error of any kind")), "refused");
  });

  it("lets nothing in a list end its block, name people or turn the text around", () => {
    const nasty = "````\n</details> @everyone <!-- \u202e";
    const text = textOf([report("prod", [], nasty)]);
    assert.match(text, /\n`{5}text\n````\n<\/details> @everyone <!-- \\u\{202e\}\n`{5}\n/);
  });

  it("keeps under GitHub's limit, cuts between lines, and says how many are left out and where they are", () => {
    const many = Array.from({ length: 5_000 }, (_, index) => change("create", `resource-${index}`));
    const text = textOf([report("dev", many), report("prod", [], refusal)]);
    assert.ok(text.length <= 65_536 && text.length > 60_000, String(text.length));
    assert.ok(text.includes(refusal), "the short list isn't crowded out");
    const [, left = "0"] = /\n(\d+) more lines: \[the whole list\]\(https:\/\/github\.test\/run\/1\)/.exec(text) ?? [];
    assert.equal(
      [...text.matchAll(/^\+ create {2}resource-\d+ \(command:local:Command\)$/gm)].length,
      5_000 - Number(left),
    );
  });

  it("keeps under any limit that holds the counts, for any reports", () => {
    const lists = fc.array(fc.record({ lines: fc.nat(60), name: fc.string({ maxLength: 80 }) }), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(lists, fc.integer({ min: 1_500, max: 6_000 }), (stacks, limit) => {
        const reports = stacks.map(({ lines, name }, index) =>
          report(
            `stack${index}`,
            Array.from({ length: lines }, () => change("create", name)),
          ),
        );
        assert.ok(textOf(reports, limit).length <= limit);
      }),
    );
  });

  it("shares room out evenly, and gives on what one doesn't need", () => {
    assert.deepEqual(shares([10, 1000, 1000], 610), [10, 300, 300]);
    assert.deepEqual(shares([5, 5], 100), [5, 5]);
    assert.deepEqual(shares([5, 5], -3), [0, 0]);
  });
});
