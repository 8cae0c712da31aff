import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type Answer, type Call, readCall, Refusal, sendAnswer } from "../platform/http";
import type { Journal } from "../platform/journal";
import { authenticate } from "./access";
import { answerControl } from "./control";
import { answerGraphql, fieldsOf } from "./graphql";
import { Rates } from "./rates";
import { newId, type World } from "./world";

const path = "/graphql/v2";

async function answerCall(world: World, rates: Rates, call: Call): Promise<Answer> {
  if (call.path !== path) throw new Refusal({ status: 404, body: "Not Found" });
  const token = authenticate(world, call.headers);
  const headers = rates.take(token);
  return { ...(await answerGraphql(world, token, call)), headers };
}

/** Answers one request: faults first, then the platform itself. */
async function serve(
  world: World,
  rates: Rates,
  journal: Journal,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const headers = { "x-railway-request-id": newId() };
  let answer: Answer;
  let noted: Call | undefined;
  let isLost = false;
  try {
    const call = await readCall(incoming);
    if (call.path.startsWith("/rehearsal/")) {
      sendAnswer(response, await answerControl(world, journal, call), headers);
      return;
    }
    // All calls have one path: what tells them apart is the fields that they ask for.
    noted = { ...call, path: `${call.path}/${fieldsOf(call.body)}` };
    const fault = world.faults.strike(noted.method, noted.path);
    if (fault?.kind === "refused") {
      journal.note(noted, 0);
      incoming.socket.destroy();
      return;
    }
    if (fault?.ms !== undefined) await world.clock.sleep(fault.ms);
    if (fault?.kind === "status")
      throw new Refusal({
        status: fault.status ?? 500,
        body: fault.body ?? { errors: [{ message: "a fault that the rehearsal was told to have" }] },
        headers: fault.retryAfter === undefined ? {} : { "retry-after": fault.retryAfter },
      });
    isLost = fault?.kind === "lost";
    answer = await answerCall(world, rates, call);
  } catch (error) {
    if (error instanceof Refusal) answer = error.answer;
    else {
      process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
      answer = { status: 500, body: { errors: [{ message: `the emulator failed: ${String(error)}` }] } };
    }
  }
  if (noted !== undefined) journal.note(noted, isLost ? 0 : answer.status);
  if (isLost) incoming.socket.destroy();
  else sendAnswer(response, answer, headers);
}

/** The HTTP server of the emulator. It doesn't listen yet. */
export function railwayServer(world: World, journal: Journal): Server {
  const rates = new Rates(world);
  return createServer((incoming, response) => {
    serve(world, rates, journal, incoming, response).catch(() => {
      incoming.socket.destroy(); // The caller went away.
    });
  });
}
