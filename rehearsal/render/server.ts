import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { join } from "node:path";
import { findOperation, readContract, requestMisfits, type Document } from "../platform/contract";
import { Refusal, readCall, sendAnswer, type Answer, type Call } from "../platform/http";
import type { Journal } from "../platform/journal";
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

/** Answers one request: faults first, then the platform itself. */
async function serve(
  world: World,
  limits: RateLimits,
  journal: Journal,
  extras: Extras,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const headers = { "render-request-id": newId("req") };
  let answer: Answer;
  let call: Call | undefined;
  let isLost = false;
  try {
    call = await readCall(incoming);
    if (call.path.startsWith("/rehearsal/")) {
      sendAnswer(response, await answerControl(world, journal, extras, call), headers);
      return;
    }
    const fault = world.faults.strike(call.method, call.path);
    if (fault?.kind === "refused") {
      journal.note(call, 0);
      incoming.socket.destroy();
      return;
    }
    if (fault?.ms !== undefined) await world.clock.sleep(fault.ms);
    if (fault?.kind === "status")
      throw new Refusal({
        status: fault.status ?? 500,
        body: fault.body ?? {
          id: headers["render-request-id"],
          message: "a fault that the rehearsal was told to have",
        },
        // Render's 429 says the seconds in a header of its own.
        headers:
          fault.retryAfter === undefined ? {} : { "ratelimit-remaining": "0", "ratelimit-reset": fault.retryAfter },
      });
    isLost = fault?.kind === "lost";
    answer = await answerApi(world, limits, call);
  } catch (error) {
    if (error instanceof Refusal) answer = error.answer;
    else {
      process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
      answer = { status: 500, body: { message: `the emulator failed: ${String(error)}` } };
    }
  }
  if (call !== undefined) journal.note(call, isLost ? 0 : answer.status);
  if (isLost) incoming.socket.destroy();
  else sendAnswer(response, answer, headers);
}

/** The HTTP server of the emulator. It doesn't listen yet. */
export function renderServer(world: World, journal: Journal, extras: Extras): Server {
  const limits = new RateLimits();
  return createServer((incoming, response) => {
    serve(world, limits, journal, extras, incoming, response).catch(() => {
      incoming.socket.destroy(); // The caller went away.
    });
  });
}
