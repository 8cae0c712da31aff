import type { CallOptions, Client } from "./client";

export interface GraphQlCall extends Pick<CallOptions, "deadline" | "timeoutMs" | "headers"> {
  /** One operation with a name, which errors tell. */
  readonly document: string;
  readonly variables?: Readonly<Record<string, unknown>>;
  /** Whether doing it twice is the same as doing it once. @default true for queries */
  readonly idempotent?: boolean;
}

interface Answered {
  readonly data?: unknown;
  readonly errors?: readonly { readonly message?: unknown; readonly extensions?: { readonly code?: unknown } }[];
}

/** How often an operation is asked for that the server says it failed at itself. */
const tries = 4;

/**
 * Asks a GraphQL API. Its errors come with status 200 (graphql.org/learn/serving-over-http), and are thrown as a client's
 * other failures are.
 * @throws ApiError; its failure's `path` ends with the operation's name
 */
export async function askGraphQl<T>(client: Client, path: string, call: GraphQlCall): Promise<T> {
  const { document, variables = {}, ...options } = call;
  const [, kind = "query", operationName = ""] = /\b(query|mutation)\s+(\w+)/.exec(document) ?? [];
  const idempotent = call.idempotent ?? kind === "query";
  const body = { operationName, query: document, variables };
  for (let attempt = 1; ; attempt++) {
    const answer = await client.request("POST", path, { ...options, body, idempotent });
    const { data, errors = [] } = (answer.body ?? {}) as Answered;
    if (errors.length === 0 && typeof data === "object" && data !== null) return data as T;
    const isServers =
      errors.length > 0 && errors.every(({ extensions }) => extensions?.code === "INTERNAL_SERVER_ERROR");
    if (isServers && idempotent && attempt < tries && (await client.pause(1000 * 2 ** attempt, options.deadline)))
      continue;
    throw client.refusal({
      kind: isServers && !idempotent ? "unknown" : "refused",
      method: "POST",
      path: `${path} ${operationName}`.trim(),
      status: answer.status,
      message: messageOf(answer.body, errors),
      body: answer.body,
      ...(answer.requestId === undefined ? {} : { requestId: answer.requestId }),
    });
  }
}

function messageOf(body: unknown, errors: NonNullable<Answered["errors"]>): string {
  const said = errors.flatMap(({ message }) => (typeof message === "string" ? [message] : []));
  if (said.length > 0) return [...new Set(said)].join("; ").slice(0, 500);
  return typeof body === "string" ? "it answered with a page instead of data" : "it answered without data";
}
