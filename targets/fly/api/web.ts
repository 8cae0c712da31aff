import { Client, type World } from "../../../drivers/http";
import { authorization, bareToken, type FlyConnection } from "./connection";
import { explainFly } from "./explain";

/**
 * A client of what flyctl asks of api.fly.io besides GraphQL: REST, below /api/v1, that isn't part of the documented API.
 */
export function webClient(
  connection: FlyConnection,
  secrets: Iterable<string>,
  options: { readonly world?: World; readonly signal?: AbortSignal },
): Client {
  return new Client({
    base: connection.apiUrl,
    headers: { authorization: authorization(connection.token) },
    secrets: [bareToken(connection.token), ...secrets],
    requestIdHeader: "fly-request-id",
    explain: explainFly,
    ...options,
  });
}
