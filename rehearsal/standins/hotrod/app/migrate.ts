/** Applies prisma/migrations/<name>/migration.sql in order, each once, in a transaction of its own. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pool } from "./db.js";
import { fail, fault, log, ROOT } from "./facts.js";

/** Any constant will do: two migrations at once wait for each other. */
const LOCK = 7_282_001;

if (fault() === "release") fail("FAULT release: the migration fails", 1);
if (!pool) fail("POSTGRES_URL is not set; migrations need it");

const folder = join(ROOT, "prisma", "migrations");
const names = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)
  .sort();

try {
  const client = await pool.connect();
  await client.query("SELECT pg_advisory_lock($1)", [LOCK]);
  await client.query(
    "CREATE TABLE IF NOT EXISTS _prisma_migrations (name TEXT PRIMARY KEY, applied_at TIMESTAMPTZ DEFAULT now())",
  );
  const { rows } = await client.query("SELECT name FROM _prisma_migrations");
  const applied = new Set(rows.map((row) => row.name));
  for (const name of names.filter((each) => !applied.has(each))) {
    await client.query("BEGIN");
    await client.query(readFileSync(join(folder, name, "migration.sql"), "utf8"));
    await client.query("INSERT INTO _prisma_migrations (name) VALUES ($1)", [name]);
    await client.query("COMMIT");
    log("migration applied", { name });
  }
  log("migrations up to date", { total: names.length });
  client.release();
  await pool.end();
} catch (error) {
  fail(`Migration failed: ${error.message || error.code}`, 1);
}
