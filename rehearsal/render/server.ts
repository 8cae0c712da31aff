import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { findOperation, readContract, requestMisfits, type Document } from "../platform/contract";
import type { Answer, Call } from "../platform/http";
import type { Journal } from "../platform/journal";
import { serving } from "../platform/serve";
import { answerControl, type Extras } from "./control";
import { RateLimits } from "./limits";
import { handlerName, handlersFor } from "./operations";
import { newId, refuse, type World } from "./world";

/** Render's API, as far as the rehearsal answers it. */
export const contract = readContract(
  JSON.parse(readFileSync(join(__dirname, "contract", "render.json"), "utf8")) as Document,
);
const handlers = handlersFor(contract);

async function answerApi(world: World, limits: RateLimits, call: Call): Promise<Answer> {
  const key = world.state.apiKeys.find((one) => call.headers.authorization === `Bearer ${one.key}`);
  if (key === undefined) throw refuse(401, "unauthorized");
  const path = call.path.replace(/^\/v1/, "");
  const found = findOperation(contract, call.method, path);
  if (found === "path") throw refuse(404, "not found");
  if (found === "method") throw refuse(405, "method not allowed");
  const { operation, values } = found;
  const left = limits.take(key.key, call.method, path, world.clock.now());
  const headers = world.settings.rateLimits ? left.headers : {};
  if (world.settings.rateLimits && !left.isAllowed) throw refuse(429, "rate limit exceeded", headers);
  const wrong = requestMisfits(contract, operation, call.query, call.body);
  if (wrong.length > 0) throw refuse(400, `invalid request: ${wrong.join("; ")}`, headers);
  const handler = handlers[handlerName(operation.id)];
  if (handler === undefined) throw new Error(`The emulator has nothing for ${operation.id}.`);
  const { query, body } = call;
  const answer = await handler({ world, ownerIds: key.ownerIds, values, query, body });
  return { ...answer, headers: { ...headers, ...answer.headers } };
}

/** The HTTP server of the emulator. It doesn't listen yet. */
export function renderServer(world: World, journal: Journal, extras: Extras): Server {
  const limits = new RateLimits();
  return createServer(
    serving({
      faults: world.faults,
      clock: world.clock,
      journal,
      control: (call) => answerControl(world, journal, extras, call),
      answer: (call) => answerApi(world, limits, call),
      idHeader: "render-request-id",
      newId: () => newId("req"),
      errorBody: (message, id) => ({ id, message }),
      // Render's 429 says the seconds in a header of its own.
      comeAgain: (seconds) => ({ "ratelimit-remaining": "0", "ratelimit-reset": seconds }),
    }),
  );
}
