/** Postgres: POSTGRES_URL, or the DATABASE_URL that platforms inject. */
import pg from "pg";
import { log } from "./facts.js";

export interface Job {
  /** The sender's delivery id: a job delivered twice is stored once. */
  id: string;
  topic: string;
  payload: unknown;
}

const url = process.env.POSTGRES_URL || process.env.DATABASE_URL;

/** Undefined where no database is configured. */
export const pool = url
  ? new pg.Pool({ connectionString: url, connectionTimeoutMillis: 3000, query_timeout: 10_000, max: 10 })
  : undefined;
// Without a listener, a connection lost while idle would end the process.
pool?.on("error", (error) => log("postgres connection lost", { error: error.message }));

export async function store(job: Job, by: string): Promise<void> {
  if (!pool) return log("no database: job dropped after processing", { id: job.id });
  await pool.query(
    "INSERT INTO webhook_jobs (id, topic, payload, processed_by) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING",
    [job.id, job.topic, JSON.stringify(job.payload), by],
  );
  log("job processed", { id: job.id, topic: job.topic });
}

export async function countJobs(): Promise<number> {
  const { rows } = await pool!.query("SELECT count(*)::int AS n FROM webhook_jobs");
  return rows[0].n;
}
