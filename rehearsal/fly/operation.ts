import type { Answer } from "../platform/http";
import type { Token } from "./state";
import { requireOrg } from "./tokens";
import type { World } from "./world";

/** A call that the contract allows. */
export interface Request {
  readonly world: World;
  readonly token: Token;
  /** The values of the path's names. */
  readonly values: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** As the contract has it; handlers give it its type. */
  readonly body: unknown;
  /** The lease that the caller says it holds. */
  readonly nonce: string | undefined;
}

/** Answers one operation of the contract. Refusals are thrown. */
export type Handler = (request: Request) => Answer | Promise<Answer>;

/** The organization that a list is asked for, if the token may list it. Default: the token's own. */
export function authenticateOrg(world: World, token: Token, slug = token.org): string {
  requireOrg(world, token, slug);
  return slug;
}
