import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";

/** A request to an emulator, read whole. */
export interface Call {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Parsed JSON; undefined without a body; the bytes where it isn't JSON. */
  readonly body: unknown;
}

/** An emulator's answer. */
export interface Answer {
  readonly status: number;
  /** Sent as JSON; text as it is. Default: no body. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer that ends a call early, thrown from wherever the reason is found. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  constructor(readonly answer: Answer) {
    super(JSON.stringify(answer.body));
  }
}

const largestBody = 16 * 2 ** 20;

/** Reads a request. Throws a Refusal with 400 for a body that says it is JSON and isn't. */
export async function readCall(request: IncomingMessage): Promise<Call> {
  const url = new URL(request.url ?? "/", "http://emulator");
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > largestBody) throw new Refusal({ status: 413, body: { error: "request body too large" } });
  }
  const call = {
    method: request.method ?? "GET",
    path: url.pathname,
    query: url.searchParams,
    headers: request.headers,
  };
  const bytes = Buffer.concat(chunks);
  if (bytes.length === 0) return { ...call, body: undefined };
  try {
    return { ...call, body: JSON.parse(bytes.toString()) as unknown };
  } catch {
    if (request.headers["content-type"]?.includes("json") === false) return { ...call, body: bytes };
    throw new Refusal({ status: 400, body: { error: "invalid JSON in the request body" } });
  }
}

/** Sends an answer. */
export function sendAnswer(response: ServerResponse, answer: Answer, headers: Readonly<Record<string, string>>): void {
  const isText = typeof answer.body === "string";
  const body = answer.body === undefined ? "" : isText ? answer.body : JSON.stringify(answer.body);
  response.writeHead(answer.status, {
    ...(answer.body === undefined ? {} : { "content-type": isText ? "text/plain" : "application/json" }),
    "content-length": Buffer.byteLength(body),
    ...headers,
    ...answer.headers,
  });
  response.end(body);
}
