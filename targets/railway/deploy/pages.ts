import { nodes, type Connection } from "../api/types";

/** What a list is to be asked for besides its entries. */
export const pageInfo = "pageInfo { hasNextPage endCursor }";

/**
 * All entries of a list. A list that were cut short would have things made twice, or deleted that others use.
 * @param next asks for the page after one; most lists have a single page
 */
export async function allOf<T>(
  first: Connection<T> | null | undefined,
  next: (after: string) => Promise<Connection<T> | null | undefined>,
): Promise<T[]> {
  const all = nodes(first);
  for (let page = first; page?.pageInfo?.hasNextPage === true; all.push(...nodes(page))) {
    const after = page.pageInfo.endCursor ?? undefined;
    if (after === undefined) throw new Error("Railway has more pages of a list, and doesn't say where they begin.");
    page = await next(after);
  }
  return all;
}
