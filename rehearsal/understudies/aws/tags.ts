import type { Values } from "./schema";

/** Tags by name. */
export type Tags = Readonly<Record<string, string>>;

/** As most services have them. */
export interface Tag {
  Key: string;
  Value: string;
}

/** Tags as most services take them. */
export const tagList = (tags: Tags | undefined): Tag[] =>
  Object.entries(tags ?? {}).map(([Key, Value]) => ({ Key, Value }));

/** Tags as the program has them, with their copy `tagsAll`. AWS's own are left out, as in the official provider. */
export function observedTags(given: readonly { Key?: string | undefined; Value?: string | undefined }[] | undefined): {
  tags: Record<string, string>;
  tagsAll: Record<string, string>;
} {
  const own = (given ?? []).filter(({ Key }) => Key !== undefined && !Key.startsWith("aws:"));
  const tags = Object.fromEntries(own.map(({ Key, Value }) => [Key ?? "", Value ?? ""]));
  return { tags, tagsAll: { ...tags } };
}

/** As `observedTags`, for services that have them by name. */
export const observedTagMap = (given: Record<string, string> | undefined): ReturnType<typeof observedTags> =>
  observedTags(Object.entries(given ?? {}).map(([Key, Value]) => ({ Key, Value })));

/** What to set and what to take away so that the tags are those that are wanted. */
export function tagChanges(olds: Values, news: { readonly tags?: Tags | undefined }): { set: Tags; unset: string[] } {
  const before = (olds["tags"] ?? {}) as Tags;
  const after = news.tags ?? {};
  return {
    set: Object.fromEntries(Object.entries(after).filter(([name, value]) => before[name] !== value)),
    unset: Object.keys(before).filter((name) => !(name in after)),
  };
}

/** Brings tags about by a service's two calls, each only where there is something for it to do. */
export async function changeTags(
  olds: Values,
  news: { readonly tags?: Tags | undefined },
  set: (tags: Tags) => Promise<unknown>,
  unset: (names: string[]) => Promise<unknown>,
): Promise<void> {
  const changes = tagChanges(olds, news);
  if (changes.unset.length > 0) await unset(changes.unset);
  if (Object.keys(changes.set).length > 0) await set(changes.set);
}
