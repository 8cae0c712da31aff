import type { Api } from "../api";
import { isSameJson } from "../diff";
import { withPolicy } from "../lint";
import { resource } from "../resource";
import { json, map, text } from "../schema";
import { ifThere, removed } from "../steps";
import { changeTags, observedTags, tagList } from "../tags";
import { readable } from "./role";

/** A policy has five versions at most, and one that isn't the default makes room. */
async function deleteOthers(api: Api, PolicyArn: string, most: number): Promise<void> {
  const iam = await api.client("iam");
  const versions = (await ifThere(iam.listPolicyVersions({ PolicyArn })))?.Versions ?? [];
  const others = versions.filter(({ IsDefaultVersion }) => IsDefaultVersion !== true);
  const old = others.sort((one, two) => Number(one.CreateDate) - Number(two.CreateDate));
  for (const { VersionId } of old.slice(0, Math.max(0, versions.length - most))) {
    await removed(iam.deletePolicyVersion({ PolicyArn, VersionId }));
  }
}

/** aws.iam.Policy: a policy that roles are given. */
export const managedPolicy = resource({
  token: "aws:iam/policy:Policy",
  regional: false,
  inputs: {
    description: text({ replaces: true }),
    name: text({ replaces: true, computed: true }),
    path: text({ replaces: true, default: "/" }),
    policy: json({ required: true }),
    tags: map(),
  },
  outputs: ["arn", "attachmentCount", "policyId", "tagsAll"],
  autoname: { property: "name", longest: 128 },
  lint: ({ policy, name, path, description }) =>
    withPolicy(
      "AWS::IAM::ManagedPolicy",
      "PolicyDocument",
      "policy",
      policy,
      { ManagedPolicyName: name, Path: path, Description: description },
      { ManagedPolicyName: "name" },
    ),
  async create(api, { name, path, description, policy, tags }) {
    const iam = await api.client("iam");
    const { Policy } = await iam.createPolicy({
      PolicyName: name,
      Path: path,
      Description: description,
      PolicyDocument: policy,
      Tags: tagList(tags),
    });
    return Policy?.Arn ?? "";
  },
  async read(api, id, state) {
    const iam = await api.client("iam");
    const found = (await ifThere(iam.getPolicy({ PolicyArn: id })))?.Policy;
    if (found === undefined) return undefined;
    const version = await iam.getPolicyVersion({ PolicyArn: id, VersionId: found.DefaultVersionId });
    const policy = readable(version.PolicyVersion?.Document);
    return {
      arn: found.Arn,
      attachmentCount: found.AttachmentCount,
      description: found.Description,
      name: found.PolicyName,
      path: found.Path,
      policy: isSameJson(state["policy"], policy) ? state["policy"] : policy,
      policyId: found.PolicyId,
      ...observedTags(found.Tags),
    };
  },
  async update(api, id, { olds, news, changed }) {
    const iam = await api.client("iam");
    if (changed.has("policy")) {
      await deleteOthers(api, id, 4);
      await iam.createPolicyVersion({ PolicyArn: id, PolicyDocument: news.policy, SetAsDefault: true });
    }
    await changeTags(
      olds,
      news,
      (tags) => iam.tagPolicy({ PolicyArn: id, Tags: tagList(tags) }),
      (TagKeys) => iam.untagPolicy({ PolicyArn: id, TagKeys }),
    );
  },
  async remove(api, id) {
    const iam = await api.client("iam");
    await deleteOthers(api, id, 1);
    await removed(iam.deletePolicy({ PolicyArn: id }));
  },
});
