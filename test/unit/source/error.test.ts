import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import { redact, SourceError } from "../../../drivers/source";

describe("redact", () => {
  const cases: [string, string][] = [
    ["https://user:token@host/x", "https://***@host/x"],
    ["https://ghp_abc@github.com/o/r#main", "https://***@github.com/o/r#main"],
    ["fatal: unable to access 'https://u:p@host/x/': 403", "fatal: unable to access 'https://***@host/x/': 403"],
    ["https://u:p@ss@host/x", "https://***@host/x"],
    ["https://u:p/w@host/x", "https://***@host/x"],
    ["https://u:p#w@host/x", "https://***@host/x"],
    ["https://host/x.tgz?X-Amz-Signature=abc#f", "https://host/x.tgz?***#f"],
    ["git+https://u:p@host/x", "git+https://***@host/x"],
    ["ssh://git@host/x and ssh://u:p@host/x", "ssh://git@host/x and ssh://***@host/x"],
    ["git@github.com:o/r.git", "git@github.com:o/r.git"],
    ["see u:p@host:o/r", "see ***@host:o/r"],
    ["https://host/@scope/x", "https://host/@scope/x"],
  ];
  for (const [from, to] of cases) {
    it(from, () => {
      assert.equal(redact(from), to);
    });
  }

  it("leaves no password of any form", () => {
    // A blank or a quote ends a URL in running text; in a URL they must be percent-encoded.
    const secret = fc
      .stringMatching(/^[!#$%&()*+,./:;<=>?@A-Za-z0-9[\]^_`{|}~-]{1,20}$/)
      .map((text) => `S3cr3t${text}S3cr3t`);
    fc.assert(
      fc.property(fc.constantFrom("https", "http", "ssh", "git+ssh"), secret, (scheme, password) => {
        assert.doesNotMatch(redact(`at ${scheme}://user:${password}@host/o/r failed`), /S3cr3t/);
      }),
    );
  });
});

describe("SourceError", () => {
  it("has a line for each part, without secrets and control characters", () => {
    const error = new SourceError({
      what: "It fails",
      where: "git https://u:tok@host/x",
      why: "remote: \u001b[31mline one\nline two https://u:tok@host/x",
      fix: "try https://u:tok@host/x",
    });
    assert.equal(
      error.message,
      "It fails\n  where: git https://***@host/x\n  why: remote:  [31mline one line two https://***@host/x\n  fix: try https://***@host/x",
    );
    assert.doesNotMatch(JSON.stringify(error) + String(error.stack), /tok/);
  });
});
