/** An object as GraphQL shows it: a field that leads on to others is a function, called when it is asked for. */
export type View = Readonly<Record<string, unknown>>;

export const date = (time: number): string => new Date(time).toISOString();
export const dateOrNull = (time: number | undefined): string | null => (time === undefined ? null : date(time));

export interface PageArgs {
  readonly first?: number | null;
  readonly after?: string | null;
  readonly last?: number | null;
  readonly before?: string | null;
}

/** What Railway gives at once at most, unless the emulator is told otherwise. */
const largestPage = 5_000;

/** A list in Relay's form, page by page: https://relay.dev/graphql/connections.htm */
export function page(
  nodes: readonly View[],
  { first, after, last, before }: PageArgs = {},
  most: number = largestPage,
): View {
  const edges = nodes.map((node, index) => ({ cursor: String(index), node }));
  const from = after == null ? 0 : Number(after) + 1;
  const to = before == null ? edges.length : Number(before);
  const wanted = edges.slice(from, to);
  const cut = last == null ? wanted.slice(0, Math.min(first ?? most, most)) : wanted.slice(-last);
  return {
    edges: cut,
    pageInfo: {
      hasNextPage: Number(cut.at(-1)?.cursor ?? to - 1) < to - 1,
      hasPreviousPage: Number(cut[0]?.cursor ?? 0) > from,
      startCursor: cut[0]?.cursor ?? null,
      endCursor: cut.at(-1)?.cursor ?? null,
    },
  };
}

/** A field with a list of objects. */
export const connection =
  <Item>(items: () => readonly Item[], view: (item: Item) => View, most?: number) =>
  (args: PageArgs): View =>
    page(items().map(view), args, most);
