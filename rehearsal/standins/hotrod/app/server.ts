/** The web process: pages, /health, /version and the webhook endpoint. */
import { createHmac, randomUUID, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { countJobs, pool } from "./db.js";
import { atStart, facts, fault, log, ROOT } from "./facts.js";
import { openQueue } from "./queue.js";

const BODY_LIMIT = 1_000_000;
const CHECK_MS = 3000;

await atStart();
const page = readFileSync(join(ROOT, "public", "index.html"));
const queue = await openQueue();

let stopping = false;

function send(response: ServerResponse, status: number, body: object): void {
  // A client that keeps its connection would find it closed the next time.
  if (stopping) response.setHeader("connection", "close");
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

const late = async (what: string): Promise<never> => {
  await sleep(CHECK_MS, undefined, { ref: false });
  throw new Error(`${what} didn't answer`);
};

async function health(response: ServerResponse): Promise<void> {
  try {
    if (fault() === "health") throw new Error("FAULT health");
    if (pool) await Promise.race([pool.query("SELECT 1"), late("Postgres")]);
    await Promise.race([queue.check(), late("Redis")]);
    send(response, 200, { status: "ok" });
  } catch (error) {
    send(response, 503, { status: "unhealthy", error: error.message || error.code });
  }
}

async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > BODY_LIMIT) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Shopify signs the raw body: https://shopify.dev/docs/apps/build/webhooks/subscribe/https */
function signed(body: Buffer, signature: string): boolean {
  const secret = process.env.SHOPIFY_WEBHOOK_SECRET;
  if (!secret) return false;
  const wanted = createHmac("sha256", secret).update(body).digest();
  const given = Buffer.from(signature, "base64");
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

async function webhook(request: IncomingMessage, response: ServerResponse, topic: string): Promise<void> {
  const body = await readBody(request);
  if (!body) return send(response, 413, { error: "too large" });
  if (!signed(body, String(request.headers["x-shopify-hmac-sha256"] ?? "")))
    return send(response, 401, { error: "bad signature" });
  let payload: unknown;
  try {
    payload = JSON.parse(body.toString());
  } catch {
    return send(response, 400, { error: "not JSON" });
  }
  const id = String(request.headers["x-shopify-webhook-id"] ?? randomUUID());
  await queue.add({ id, topic, payload });
  send(response, 202, { id });
}

async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://app");
  if (url.pathname === "/health") return health(response);
  if (url.pathname === "/version") return send(response, 200, facts());
  if (url.pathname === "/slow") {
    // A request in flight, for tests of redeploys.
    await sleep(Math.min(Number(url.searchParams.get("seconds") ?? 1), 60) * 1000);
    return send(response, 200, facts());
  }
  if (url.pathname === "/webhooks/jobs" && request.method === "GET")
    return pool ? send(response, 200, { processed: await countJobs() }) : send(response, 503, { error: "no database" });
  if (url.pathname.startsWith("/webhooks/") && request.method === "POST")
    return webhook(request, response, url.pathname.slice("/webhooks/".length));
  if (url.pathname === "/") {
    response.writeHead(200, { "content-type": "text/html" });
    response.end(page);
    return;
  }
  send(response, 404, { error: "not found" });
}

const server = createServer((request, response) => {
  if (fault() === "hang") return;
  route(request, response).catch((error) => {
    log("request failed", { path: request.url, error: error.message });
    if (!response.headersSent) send(response, 500, { error: "internal error" });
  });
});
const port = Number(process.env.PORT || 8080);
server.listen(port, "0.0.0.0", () => log("listening", { port }));

async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  log("stopping: finishing requests in flight");
  if (fault() === "hang") server.closeAllConnections();
  // Closes idle keep-alive connections too (Node 19 and later).
  await new Promise((done) => server.close(done));
  await queue.close();
  await pool?.end();
  process.exit(0);
}
process.on("SIGTERM", stop);
process.on("SIGINT", stop);
