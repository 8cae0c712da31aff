import type { Answer } from "../platform/http";
import type { World } from "./world";
import { refuse } from "./world";

/** A call that the contract allows. */
export interface Request {
  readonly world: World;
  /** The workspaces that the key may use. */
  readonly ownerIds: readonly string[];
  /** The values of the path's names. */
  readonly values: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** As the contract has it; handlers give it its type. */
  readonly body: unknown;
}

/** Answers one operation of the contract. Refusals are thrown. */
export type Handler = (request: Request) => Answer | Promise<Answer>;

/** A list's values: written with commas, or the name several times. */
export function listOf(query: URLSearchParams, name: string): readonly string[] | undefined {
  const all = query.getAll(name).flatMap((text) => text.split(","));
  return all.length === 0 ? undefined : all;
}

/** Whether a value is among those that a query asks for, or it doesn't ask. */
export function asked(query: URLSearchParams, name: string, value: string | undefined): boolean {
  const wanted = listOf(query, name);
  return wanted === undefined || (value !== undefined && wanted.includes(value));
}

/**
 * One page of a list: 20 unless it says otherwise, after the cursor that the last page ended with. Each item stands under
 * its kind's name beside its cursor.
 */
export function page(query: URLSearchParams, kind: string, items: readonly { readonly id: string }[]): Answer {
  const limit = Number(query.get("limit") ?? 20);
  const cursor = query.get("cursor");
  const from = cursor === null ? 0 : items.findIndex((item) => cursorOf(item.id) === cursor) + 1;
  const shown = items.slice(from, from + limit);
  return { status: 200, body: shown.map((item) => ({ [kind]: item, cursor: cursorOf(item.id) })) };
}

/** Cursors say nothing to whoever reads them. */
export const cursorOf = (id: string): string => Buffer.from(`cursor ${id}`).toString("base64url");

/** Throws 404 for a workspace that the key doesn't see. */
export function requireOwner({ ownerIds }: Pick<Request, "ownerIds">, ownerId: string): void {
  if (!ownerIds.includes(ownerId)) throw refuse(404, `not found: ${ownerId}`);
}

/** What is there under an id, in a workspace that the key sees; 404 otherwise. */
export function found<Thing extends { readonly ownerId: string }>(
  request: Pick<Request, "ownerIds">,
  things: Readonly<Record<string, Thing>>,
  id: string,
): Thing {
  const thing = Object.hasOwn(things, id) ? things[id] : undefined;
  if (thing === undefined || !request.ownerIds.includes(thing.ownerId)) throw refuse(404, `not found: ${id}`);
  return thing;
}
