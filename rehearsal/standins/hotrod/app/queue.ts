/**
 * The webhook queue. WEBHOOK_QUEUE_DRIVER=memory works jobs in the web process; bullmq hands them to the worker through
 * Redis (a stand-in keeps them in a plain list of its own).
 */
import { createClient } from "@redis/client";
import { type Job, store } from "./db.js";
import { fail, log } from "./facts.js";

export const WAITING = "hotrod:webhooks:waiting";
/** Jobs taken but not yet stored; a worker that starts puts them back, so that a crash loses none. */
export const TAKEN = "hotrod:webhooks:taken";

export const driver = process.env.WEBHOOK_QUEUE_DRIVER || "memory";

export async function redis() {
  const url = process.env.UPSTASH_REDIS_URL || process.env.REDIS_URL;
  if (!url) fail("WEBHOOK_QUEUE_DRIVER is bullmq, but neither UPSTASH_REDIS_URL nor REDIS_URL is set");
  const client = createClient({ url, disableOfflineQueue: true });
  client.on("error", (error) => log("redis", { error: error.message || error.code }));
  // Not awaited: the client keeps trying, and health tells meanwhile.
  void client.connect().catch(() => undefined);
  return client;
}

export interface Queue {
  add(job: Job): Promise<void>;
  /** Rejects when jobs can't be queued. */
  check(): Promise<void>;
  /** Resolves when nothing is left to do in this process. */
  close(): Promise<void>;
}

export async function openQueue(): Promise<Queue> {
  if (driver === "memory") return memoryQueue();
  if (driver !== "bullmq") fail(`WEBHOOK_QUEUE_DRIVER is "${driver}"; it must be memory or bullmq`);
  const client = await redis();
  return {
    add: async (job) => void (await client.lPush(WAITING, JSON.stringify(job))),
    check: async () => void (await client.ping()),
    close: async () => client.destroy(),
  };
}

function memoryQueue(): Queue {
  let tail: Promise<void> = Promise.resolve();
  return {
    add: async (job) => {
      tail = tail
        .then(() => store(job, "web"))
        .catch((error) => log("job failed", { id: job.id, error: error.message }));
    },
    check: async () => undefined,
    close: () => tail,
  };
}
