/** The nightly catalogue ingest: the same products and vectors in every run, written as one file. */
import { createHash } from "node:crypto";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { embeddingsFile } from "./chroma.js";
import { fail, log } from "./facts.js";

const PRODUCTS = 200;

function line(n: number): string {
  const title = `Fuel fitting AN-${n}`;
  const embedding = [...createHash("sha256").update(title).digest().subarray(0, 8)].map((byte) => byte / 255);
  return JSON.stringify({ id: `product-${n}`, title, embedding });
}

try {
  mkdirSync(dirname(embeddingsFile), { recursive: true });
  const partial = `${embeddingsFile}.partial`;
  writeFileSync(partial, Array.from({ length: PRODUCTS }, (_, n) => line(n) + "\n").join(""));
  // A rename, so that readers see the old file or the new one, never half of one.
  renameSync(partial, embeddingsFile);
  log("ingest completed", { products: PRODUCTS, file: embeddingsFile });
} catch (error) {
  fail(`Ingest failed: ${error.message}`, 1);
}
