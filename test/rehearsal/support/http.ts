import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** What `/version` of a stand-in answers. */
export interface Facts {
  readonly version: string;
  readonly pid: number;
  readonly env: string | null;
}

/** The status of one GET, or `none` and why. A connection of its own, so that nothing of an earlier answer is reused. */
export async function statusOf(url: string, timeoutMs = 10_000): Promise<number | string> {
  try {
    const headers = { connection: "close" };
    const answer = await fetch(url, { signal: AbortSignal.timeout(timeoutMs), headers, redirect: "manual" });
    await answer.arrayBuffer();
    return answer.status;
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return `none: ${cause instanceof Error ? cause.message : String(cause)}`;
  }
}

/** The JSON that a GET answers; throws for any status but 2xx. */
export async function jsonOf<T>(url: string): Promise<T> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(10_000), headers: { connection: "close" } });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${url} answers ${answer.status}: ${text}`);
  return JSON.parse(text) as T;
}

/** What a stand-in says of itself. */
export const factsOf = (base: string): Promise<Facts> => jsonOf<Facts>(`${base}/version`);

/** Asks until the answer is true; throws after so many seconds. */
export async function eventually(
  what: string,
  seconds: number,
  ask: () => boolean | Promise<boolean>,
  everyMs = 100,
): Promise<void> {
  const deadline = performance.now() + seconds * 1000;
  while (!(await ask())) {
    if (performance.now() > deadline) throw new Error(`After ${seconds} s it is still not so: ${what}.`);
    await delay(everyMs);
  }
}

/** A request that a sink has taken. */
export interface Taken {
  readonly method: string;
  readonly path: string;
  readonly body: string;
}

/** An HTTP server that answers 200 to everything and remembers it: where alerts and pings go in a rehearsal. */
export class Sink {
  readonly taken: Taken[] = [];
  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async open(address: string): Promise<Sink> {
    const server = createServer();
    await new Promise<void>((done, fail) => {
      server.once("error", fail);
      server.listen(0, address, done);
    });
    const sink = new Sink(server, `http://${address}:${(server.address() as AddressInfo).port}`);
    server.on("request", (request, response) => {
      const parts: Buffer[] = [];
      request.on("data", (part: Buffer) => parts.push(part));
      request.on("end", () => {
        const body = Buffer.concat(parts).toString();
        sink.taken.push({ method: request.method ?? "", path: request.url ?? "", body });
        response.end("ok");
      });
    });
    return sink;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((done) =>
      this.server.close(() => {
        done();
      }),
    );
  }
}
