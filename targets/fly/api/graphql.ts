import { Client, type Deadline, type World } from "../../../drivers/http";
import type { DriverIo } from "../../../drivers/driver";
import { DriverError } from "../../../drivers/error";
import { authorization, bareToken, type FlyConnection } from "./connection";
import { explainFly } from "./explain";

/** An error that GraphQL answers with status 200. */
export interface GraphqlError {
  readonly message: string;
  readonly extensions?: { readonly code?: string };
}

/** What came back: the data as far as there are any, and the errors, which may be none. */
export interface GraphqlAnswer<T> {
  readonly data: T;
  readonly errors: readonly GraphqlError[];
}

/** Fly's GraphQL API, for what its REST API doesn't have. */
export class FlyGraphql {
  readonly client: Client;

  constructor(connection: FlyConnection, io: Pick<DriverIo, "progress" | "signal">, world?: World) {
    this.client = new Client({
      base: connection.apiUrl,
      headers: { authorization: authorization(connection.token) },
      secrets: [bareToken(connection.token)],
      requestIdHeader: "fly-request-id",
      explain: explainFly,
      progress: io.progress,
      signal: io.signal,
      ...(world === undefined ? {} : { world }),
    });
  }

  /**
   * @param idempotent whether asking twice is the same as asking once; false for most mutations
   * @returns the answer's data, or its errors where it has any
   */
  async ask<T>(
    document: string,
    variables: Readonly<Record<string, unknown>>,
    { deadline, idempotent }: { readonly deadline: Deadline; readonly idempotent: boolean },
  ): Promise<GraphqlAnswer<T>> {
    const body = { query: document, variables };
    const answer = (await this.client.request("POST", "/graphql", { body, deadline, idempotent })).body as {
      data?: T | null;
      errors?: readonly GraphqlError[];
    };
    return { data: answer.data ?? ({} as T), errors: answer.errors ?? [] };
  }
}

/** @throws DriverError with GraphQL's words, where it had any */
export function refuseErrors(errors: readonly GraphqlError[], what: string, where: string, fix: string): void {
  if (errors.length === 0) return;
  throw new DriverError({ what, where, why: errors.map(({ message }) => message).join("; "), fix });
}
