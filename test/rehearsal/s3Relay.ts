import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, request } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";

/** What becomes of one request: passed on, refused as S3 does when it is busy, or passed on with its answer lost. */
export type Fate = "pass" | "slow down" | "lose answer" | "not implemented";

/** A request as the relay saw it: `PUT /bucket?versioning`. */
export interface Seen {
  readonly line: string;
  readonly changes: boolean;
}

/** A loopback HTTP server between the driver and an S3 store, that can go wrong. */
export interface Relay {
  readonly url: string;
  seen: Seen[];
  /** Decides by the request's number, from 0, and its line. */
  fate: (index: number, line: string) => Fate;
  /** Called when a request has been passed on and before its answer is given back. */
  passed: (index: number) => void;
  close(): Promise<void>;
}

const busy = `<?xml version="1.0"?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>`;
const unknown = `<?xml version="1.0"?><Error><Code>NotImplemented</Code><Message>Not implemented.</Message></Error>`;

/** Starts a relay to a store; with a certificate it speaks TLS on its own side. */
export async function startRelay(
  target: string,
  tls?: { readonly key: string; readonly cert: string },
): Promise<Relay> {
  const relay: Relay = {
    url: "",
    seen: [],
    fate: () => "pass",
    passed: () => undefined,
    close: () => Promise.resolve(),
  };

  const pass = (incoming: IncomingMessage, response: ServerResponse, body: Buffer, index: number, fate: Fate): void => {
    const { hostname, port } = new URL(target);
    const { method, url, headers } = incoming;
    const outgoing = request({ hostname, port, method, path: url, headers }, (answer) => {
      const parts: Buffer[] = [];
      answer.on("data", (part: Buffer) => parts.push(part));
      answer.on("end", () => {
        relay.passed(index);
        if (fate === "lose answer") incoming.socket.destroy();
        else response.writeHead(answer.statusCode ?? 500, answer.headers).end(Buffer.concat(parts));
      });
    });
    outgoing.on("error", () => incoming.socket.destroy());
    outgoing.end(body);
  };

  const answer = (incoming: IncomingMessage, response: ServerResponse): void => {
    const parts: Buffer[] = [];
    incoming.on("data", (part: Buffer) => parts.push(part));
    incoming.on("end", () => {
      const line = `${incoming.method ?? ""} ${incoming.url ?? ""}`;
      const index = relay.seen.length;
      relay.seen.push({ line, changes: /^(PUT|POST|DELETE) /.test(line) });
      const fate = relay.fate(index, line);
      if (fate === "slow down") response.writeHead(503, { "content-type": "application/xml" }).end(busy);
      else if (fate === "not implemented") response.writeHead(501, { "content-type": "application/xml" }).end(unknown);
      else pass(incoming, response, Buffer.concat(parts), index, fate);
    });
  };
  const server = tls === undefined ? createServer(answer) : createTlsServer(tls, answer);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return Object.assign(relay, {
    url: `${tls === undefined ? "http" : "https"}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise<void>((done) => {
        server.close(() => {
          done();
        });
        server.closeAllConnections();
      }),
  });
}
