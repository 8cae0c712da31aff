import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "./clock";
import type { Faults } from "./faults";
import { type Answer, type Call, Refusal, readCall, sendAnswer } from "./http";
import type { Journal } from "./journal";

/** What tells one platform's server from another's. */
export interface Dialect {
  readonly faults: Faults;
  readonly clock: Clock;
  readonly journal: Journal;
  /** Answers the rehearsal's own calls, below /rehearsal. */
  readonly control: (call: Call) => Answer | Promise<Answer>;
  /** Answers all others. */
  readonly answer: (call: Call) => Answer | Promise<Answer>;
  /** A call as faults and the journal know it. Default: as it is. */
  readonly known?: (call: Call) => Call;
  /** Every answer tells its request's id in this header. */
  readonly idHeader: string;
  readonly newId: () => string;
  /** The body of an error that has no other. @param id the request's */
  readonly errorBody: (message: string, id: string) => unknown;
  /** By which headers a limit says when to come again. Default: Retry-After. */
  readonly comeAgain?: (seconds: string) => Readonly<Record<string, string>>;
}

/** Answers requests to an emulator, as node:http's servers hand them over. */
export function serving(dialect: Dialect): (incoming: IncomingMessage, response: ServerResponse) => void {
  return (incoming, response) => {
    serve(dialect, incoming, response).catch(() => {
      incoming.socket.destroy(); // The caller went away.
    });
  };
}

const retryAfter = (seconds: string): Readonly<Record<string, string>> => ({ "retry-after": seconds });

/** Answers one request: faults first, then the platform itself. */
async function serve(dialect: Dialect, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const id = dialect.newId();
  const headers = { [dialect.idHeader]: id };
  const { faults, clock, journal, errorBody, comeAgain = retryAfter } = dialect;
  let answer: Answer;
  let noted: Call | undefined;
  let isLost = false;
  try {
    const call = await readCall(incoming);
    if (call.path.startsWith("/rehearsal/")) {
      sendAnswer(response, await dialect.control(call), headers);
      return;
    }
    noted = dialect.known?.(call) ?? call;
    const fault = faults.strike(noted.method, noted.path);
    if (fault?.kind === "refused") {
      journal.note(noted, 0);
      incoming.socket.destroy();
      return;
    }
    if (fault?.ms !== undefined) await clock.sleep(fault.ms);
    if (fault?.kind === "status")
      throw new Refusal({
        status: fault.status ?? 500,
        body: fault.body ?? errorBody("a fault that the rehearsal was told to have", id),
        headers: fault.retryAfter === undefined ? {} : comeAgain(fault.retryAfter),
      });
    isLost = fault?.kind === "lost";
    answer = await dialect.answer(call);
  } catch (error) {
    if (error instanceof Refusal) answer = error.answer;
    else {
      process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
      answer = { status: 500, body: errorBody(`the emulator failed: ${String(error)}`, id) };
    }
  }
  if (noted !== undefined) journal.note(noted, isLost ? 0 : answer.status);
  if (isLost) incoming.socket.destroy();
  else sendAnswer(response, answer, headers);
}
