import type { Api } from "../api";
import type { Values } from "../schema";
import { type Tags, changeTags, observedTags, tagList } from "../tags";

/** The tags of anything in ElastiCache. */
export async function cacheTags(api: Api, ResourceName: string | undefined): Promise<ReturnType<typeof observedTags>> {
  const elasticache = await api.client("elasticache");
  return observedTags((await elasticache.listTagsForResource({ ResourceName })).TagList);
}

/** Brings the tags of anything in ElastiCache about. */
export async function changeCacheTags(
  api: Api,
  olds: Values,
  news: { readonly tags?: Tags | undefined },
): Promise<void> {
  const elasticache = await api.client("elasticache");
  const ResourceName = String(olds["arn"]);
  await changeTags(
    olds,
    news,
    (tags) => elasticache.addTagsToResource({ ResourceName, Tags: tagList(tags) }),
    (TagKeys) => elasticache.removeTagsFromResource({ ResourceName, TagKeys }),
  );
}
