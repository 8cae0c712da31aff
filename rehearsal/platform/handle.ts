import type { Fault } from "./faults";
import type { Entry } from "./journal";

/** What every emulated platform can be told and asked by a rehearsal. */
export interface Watched {
  /** Lets the next matching calls go wrong. */
  fault(fault: Fault): Promise<void>;
  clearFaults(): Promise<void>;
  /** The calls after one's number, oldest first. */
  calls(after?: number): Promise<readonly Entry[]>;
}

/** An emulator's own calls, below /rehearsal of its server. */
export interface Handle {
  readonly ask: <T>(method: string, path: string, body?: unknown) => Promise<T>;
  readonly tell: (method: string, path: string, body?: unknown) => Promise<void>;
  readonly watched: Watched;
}

/** @param platform for messages, @param server `http://address:port` */
export function handleOf(platform: string, server: string): Handle {
  const ask = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const answer = await fetch(`${server}/rehearsal/${path}`, {
      method,
      headers: { "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const said: unknown = await answer.json();
    if (!answer.ok) throw new Error(`the emulator of ${platform} refuses ${method} ${path}: ${JSON.stringify(said)}`);
    return said as T;
  };
  const tell = async (method: string, path: string, body?: unknown): Promise<void> => {
    await ask(method, path, body);
  };
  return {
    ask,
    tell,
    watched: {
      fault: (fault) => tell("POST", "faults", fault),
      clearFaults: () => tell("DELETE", "faults"),
      calls: (after = 0) => ask("GET", `calls?after=${after}`),
    },
  };
}
