import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const folder = join(__dirname, "../../golden/cli");

/** Holds a text against test/golden/cli/<name>; UPDATE_GOLDEN=1 rewrites that. */
export function sameAsGolden(name: string, text: string): void {
  const path = join(folder, name);
  if (process.env["UPDATE_GOLDEN"] === "1") {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path, `${text}\n`);
  }
  assert.equal(`${text}\n`, existsSync(path) ? readFileSync(path, "utf8") : "", `see test/golden/cli/${name}`);
}

/** No colours. */
export const plain = (text: string): string => text;
