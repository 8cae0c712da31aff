import { createServer, type Server } from "node:http";
import { type Answer, type Call, Refusal } from "../platform/http";
import type { Journal } from "../platform/journal";
import { serving } from "../platform/serve";
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

/** The HTTP server of the emulator. It doesn't listen yet. */
export function railwayServer(world: World, journal: Journal): Server {
  const rates = new Rates(world);
  return createServer(
    serving({
      faults: world.faults,
      clock: world.clock,
      journal,
      control: (call) => answerControl(world, journal, call),
      answer: (call) => answerCall(world, rates, call),
      // All calls have one path: what tells them apart is the fields that they ask for.
      known: (call) => ({ ...call, path: `${call.path}/${fieldsOf(call.body)}` }),
      idHeader: "x-railway-request-id",
      newId,
      errorBody: (message) => ({ errors: [{ message }] }),
    }),
  );
}
