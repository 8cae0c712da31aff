import { createServer, type Server } from "node:http";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { findOperation, readContract, requestMisfits, type Document } from "../platform/contract";
import type { Answer, Call } from "../platform/http";
import { sendAnswer } from "../platform/http";
import type { Journal } from "../platform/journal";
import type { Registry } from "../platform/registry";
import { Limits, type Rate } from "../platform/limits";
import { serving } from "../platform/serve";
import { answerControl } from "./control";
import { answerGraphql } from "./graphql";
import { handlers } from "./operations";
import { registryRefusal } from "./registry";
import { answerUiex } from "./uiex";
import { authenticate } from "./tokens";
import { refuse, ulid } from "./world";
import type { World } from "./world";

/** The Machines API, as far as the rehearsal answers it. */
export const contract = readContract(
  JSON.parse(readFileSync(join(__dirname, "contract", "machines.json"), "utf8")) as Document,
);

/** https://fly.io/docs/machines/api/working-with-machines-api/#rate-limits: by action and machine, or app. */
const standardRate: Rate = { perSecond: 1, burst: 3 };
const rates: Readonly<Record<string, Rate>> = {
  getMachine: { perSecond: 5, burst: 10 },
  deleteApp: { perSecond: 100 / 60, burst: 100 },
};

async function answerMachines(world: World, limits: Limits, call: Call): Promise<Answer> {
  const token = authenticate(world, call.headers.authorization);
  const path = call.path.replace(/^\/v1/, "");
  const found = findOperation(contract, call.method, path);
  if (found === "path") throw refuse(404, `no such path: ${call.path}`);
  if (found === "method") throw refuse(405, `method not allowed: ${call.method} ${call.path}`);
  const { operation, values } = found;
  const wrong = requestMisfits(contract, operation, call.query, call.body);
  if (wrong.length > 0) throw refuse(400, `invalid_argument: ${wrong.join("; ")}`);
  const subject = values["machine_id"] ?? values["app_name"] ?? values["cluster_id"] ?? token.token;
  if (world.settings.rateLimits) {
    const wait = limits.take(`${operation.id} ${subject}`, rates[operation.id] ?? standardRate, world.clock.now());
    const seconds = String(Math.ceil(wait / 1000));
    if (wait > 0)
      throw refuse(429, "rate limit exceeded", "unknown", world.settings.retryAfter ? { "retry-after": seconds } : {});
  }
  const handler = handlers[operation.id];
  if (handler === undefined) throw new Error(`The emulator has nothing for ${operation.id}.`);
  const nonce = call.headers["fly-machine-lease-nonce"];
  return handler({
    world,
    token,
    values,
    query: call.query,
    body: call.body,
    nonce: typeof nonce === "string" ? nonce : undefined,
  });
}

function route(world: World, limits: Limits, call: Call): Promise<Answer> | Answer {
  if (call.path.startsWith("/v1/")) return answerMachines(world, limits, call);
  if (call.path === "/graphql") return answerGraphql(world, call);
  if (call.path.startsWith("/api/v1/")) return answerUiex(world, call);
  throw refuse(404, `no such path: ${call.path}`);
}

/** The HTTP server of the emulator. It doesn't listen yet. */
export function flyServer(world: World, journal: Journal, registry: Registry | undefined): Server {
  const limits = new Limits();
  const answer = serving({
    faults: world.faults,
    clock: world.clock,
    journal,
    control: (call) => answerControl(world, journal, call),
    answer: (call) => route(world, limits, call),
    idHeader: "fly-request-id",
    newId: () => `${ulid(world.clock.now())}-rehearsal`,
    errorBody: (error) => ({ error, status: "unknown" }),
  });
  return createServer((incoming, response) => {
    if (registry === undefined || incoming.url?.startsWith("/v2/") !== true) {
      answer(incoming, response);
      return;
    }
    const refusal = registryRefusal(world, incoming.url, incoming.headers.authorization);
    if (refusal === undefined) registry.pass(incoming, response);
    else sendAnswer(response, refusal, {});
  });
}
