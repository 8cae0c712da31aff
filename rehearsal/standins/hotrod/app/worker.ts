/** The queue worker: takes webhook jobs from Redis and stores them in Postgres, each once. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Job, pool, store } from "./db.js";
import { atStart, fail, log } from "./facts.js";
import { driver, redis, TAKEN, WAITING } from "./queue.js";

const stop = new AbortController();
process.on("SIGTERM", () => stop.abort());
process.on("SIGINT", () => stop.abort());

async function work(client: Awaited<ReturnType<typeof redis>>): Promise<void> {
  // One second, so that a stop is noticed; a job under way is finished first.
  const text = await client.blMove(WAITING, TAKEN, "RIGHT", "LEFT", 1);
  if (text === null) return;
  await store(JSON.parse(text) as Job, "worker");
  await client.lRem(TAKEN, 1, text);
}

async function run(): Promise<void> {
  const client = await redis();
  let recovered = false;
  while (!stop.signal.aborted) {
    if (!client.isReady) {
      await sleep(50);
      continue;
    }
    try {
      while (!recovered && (await client.lMove(TAKEN, WAITING, "LEFT", "RIGHT")) !== null);
      recovered = true;
      await work(client);
    } catch (error) {
      log("worker waits", { error: error.message || error.code });
      // What was taken when it failed goes back to the queue.
      recovered = false;
      await sleep(1000, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  }
  client.destroy();
}

await atStart();
if (driver === "bullmq") {
  if (!pool) fail("The worker stores jobs in Postgres, but POSTGRES_URL is not set");
  log("worker ready");
  await run();
} else {
  log("WEBHOOK_QUEUE_DRIVER is memory: the web process works its own jobs, nothing to do here");
  const idle = setInterval(() => undefined, 60_000);
  await new Promise((done) => stop.signal.addEventListener("abort", done));
  clearInterval(idle);
}
await pool?.end();
log("worker stopped");
