/** npm run export-embeddings [-- FILE]: one gzip file, written to FILE, else uploaded to $ARCHIVE_BUCKET. */
import { readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { embeddingsFile } from "./chroma.js";
import { fail, log } from "./facts.js";
import { putObject } from "./s3.js";

const target = process.argv[2];
const bucket = process.env.ARCHIVE_BUCKET;
if (!target && !bucket) fail("Give a file to write to, or set ARCHIVE_BUCKET");

try {
  const body = gzipSync(readFileSync(embeddingsFile));
  const day = new Date().toISOString().slice(0, 10);
  const key = `embeddings/${day.replaceAll("-", "/")}/hotrod-embeddings-${day}.jsonl.gz`;
  if (target) writeFileSync(target, body);
  else await putObject(bucket, key, body);
  log("embeddings exported", { to: target ?? `s3://${bucket}/${key}`, bytes: body.length });
} catch (error) {
  const nothing = error.code === "ENOENT" && error.path === embeddingsFile;
  fail(nothing ? 'Nothing to export: run "npm run ingest" first' : `Export failed: ${error.message}`, 1);
}
