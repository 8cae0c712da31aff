import type { Tag as Ec2Tag, TagSpecification } from "@aws-sdk/client-ec2";
import type { Api } from "../api";
import type { Values } from "../schema";
import { type Tags, changeTags, tagList } from "../tags";

/** Tags in a call that makes something of a kind; a call without tags has none. */
export const tagSpecification = (
  kind: NonNullable<TagSpecification["ResourceType"]>,
  tags: Tags | undefined,
): { TagSpecifications?: TagSpecification[] } =>
  Object.keys(tags ?? {}).length === 0
    ? {}
    : { TagSpecifications: [{ ResourceType: kind, Tags: tagList(tags) satisfies Ec2Tag[] }] };

/** Brings the tags of anything in EC2 about. */
export async function changeEc2Tags(
  api: Api,
  id: string,
  olds: Values,
  news: { readonly tags?: Tags | undefined },
): Promise<void> {
  const ec2 = await api.client("ec2");
  await changeTags(
    olds,
    news,
    (tags) => ec2.createTags({ Resources: [id], Tags: tagList(tags) }),
    (names) => ec2.deleteTags({ Resources: [id], Tags: names.map((Key) => ({ Key })) }),
  );
}
