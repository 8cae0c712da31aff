import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { annotate, given, needed, summarize, withoutCommands } from "../../.github/scripts/runner";
import { summaryLimit } from "../../.github/scripts/text";

/** What is printed while `work` runs. */
async function printed(work: () => unknown): Promise<string> {
  const write = process.stdout.write.bind(process.stdout);
  let text = "";
  process.stdout.write = (chunk: string | Uint8Array): boolean => {
    text += String(chunk);
    return true;
  };
  try {
    await work();
  } finally {
    process.stdout.write = write;
  }
  return text;
}

describe("GitHub's runner, talked to by the workflows", () => {
  it("takes a note whatever is in it as one note", async () => {
    const text = await printed(() => {
      annotate("error", "a,b: 100%", "one\r\n::warning::two 5%");
    });
    assert.equal(text, "::error title=a%2Cb%3A 100%25::one%0D%0A::warning::two 5%25\n");
  });

  it("takes no line of others for a command, and commands again afterwards, also after a failure", async () => {
    const text = await printed(() =>
      withoutCommands(() => {
        process.stdout.write("::error::not ours");
        throw new Error("failed");
      }).catch(() => undefined),
    );
    const [, word = ""] = /^::stop-commands::(\S+)\n/.exec(text) ?? [];
    assert.match(word, /^[\w-]{20,}$/);
    assert.equal(text, `::stop-commands::${word}\n::error::not ours\n::${word}::\n`);
    assert.ok(!(await printed(() => withoutCommands(() => undefined))).includes(word), "nobody can know the word");
  });

  it("says which variable a workflow forgot; an empty one is none", () => {
    process.env["HOMEPORT_TEST_EMPTY"] = " ";
    try {
      assert.equal(given("HOMEPORT_TEST_EMPTY"), undefined);
      assert.throws(() => needed("HOMEPORT_TEST_EMPTY"), /The workflow doesn't set HOMEPORT_TEST_EMPTY/);
    } finally {
      delete process.env["HOMEPORT_TEST_EMPTY"];
    }
  });

  it("shows each part of a summary, and no more than GitHub takes", () => {
    const folder = mkdtempSync(join(tmpdir(), "homeport-summary-"));
    const before = process.env["GITHUB_STEP_SUMMARY"];
    process.env["GITHUB_STEP_SUMMARY"] = join(folder, "summary");
    try {
      summarize("one");
      summarize("€".repeat(2 * summaryLimit));
      const text = readFileSync(join(folder, "summary"), "utf8");
      assert.ok(text.startsWith("one\n€€") && Buffer.byteLength(text) < 2 ** 20);
    } finally {
      if (before === undefined) delete process.env["GITHUB_STEP_SUMMARY"];
      else process.env["GITHUB_STEP_SUMMARY"] = before;
      rmSync(folder, { recursive: true });
    }
  });
});
