import type { Api } from "../api";
import { withPolicy } from "../lint";
import { resource } from "../resource";
import { flag, json, map, number, text } from "../schema";
import { ifThere, removed, retry } from "../steps";
import { changeTags, observedTags, tagList } from "../tags";

/** IAM gives policies back as they would stand in a URL (https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html). */
export const readable = (policy: string | undefined): string | undefined =>
  policy?.startsWith("%7B") === true ? decodeURIComponent(policy) : policy;

/** What else a role has is taken away with it only where the program says so. */
async function detachAll(api: Api, RoleName: string): Promise<void> {
  const iam = await api.client("iam");
  const { AttachedPolicies } = await iam.listAttachedRolePolicies({ RoleName });
  for (const { PolicyArn } of AttachedPolicies ?? []) await removed(iam.detachRolePolicy({ RoleName, PolicyArn }));
  const { PolicyNames } = await iam.listRolePolicies({ RoleName });
  for (const PolicyName of PolicyNames ?? []) await removed(iam.deleteRolePolicy({ RoleName, PolicyName }));
}

/** aws.iam.Role. Its policies are resources of their own, so `inlinePolicies` and `managedPolicyArns` aren't known. */
export const role = resource({
  token: "aws:iam/role:Role",
  regional: false,
  inputs: {
    assumeRolePolicy: json({ required: true }),
    description: text(),
    forceDetachPolicies: flag({ default: false }),
    maxSessionDuration: number({ default: 3600 }),
    name: text({ replaces: true, computed: true }),
    path: text({ replaces: true, default: "/" }),
    permissionsBoundary: text(),
    tags: map(),
  },
  outputs: ["arn", "createDate", "uniqueId", "tagsAll", "managedPolicyArns", "inlinePolicies"],
  autoname: { property: "name", longest: 64 },
  lint: ({ assumeRolePolicy, name, description, maxSessionDuration, permissionsBoundary }) =>
    withPolicy(
      "AWS::IAM::Role",
      "AssumeRolePolicyDocument",
      "assumeRolePolicy",
      assumeRolePolicy,
      {
        RoleName: name,
        Description: description,
        MaxSessionDuration: maxSessionDuration,
        PermissionsBoundary: permissionsBoundary,
      },
      { RoleName: "name" },
    ),
  async create(api, inputs) {
    const iam = await api.client("iam");
    // A principal that was made just before isn't known everywhere at once.
    const { Role } = await retry(api, /MalformedPolicyDocument.*Invalid principal|ConcurrentModification/, () =>
      iam.createRole({
        RoleName: inputs.name,
        AssumeRolePolicyDocument: inputs.assumeRolePolicy,
        Description: inputs.description,
        MaxSessionDuration: inputs.maxSessionDuration,
        Path: inputs.path,
        PermissionsBoundary: inputs.permissionsBoundary,
        Tags: tagList(inputs.tags),
      }),
    );
    return Role?.RoleName ?? "";
  },
  async read(api, id) {
    const iam = await api.client("iam");
    const found = (await ifThere(iam.getRole({ RoleName: id })))?.Role;
    if (found === undefined) return undefined;
    const { AttachedPolicies } = await iam.listAttachedRolePolicies({ RoleName: id });
    return {
      arn: found.Arn,
      assumeRolePolicy: readable(found.AssumeRolePolicyDocument),
      createDate: found.CreateDate?.toISOString(),
      description: found.Description,
      maxSessionDuration: found.MaxSessionDuration,
      name: found.RoleName,
      path: found.Path,
      permissionsBoundary: found.PermissionsBoundary?.PermissionsBoundaryArn,
      managedPolicyArns: (AttachedPolicies ?? []).map(({ PolicyArn }) => PolicyArn),
      uniqueId: found.RoleId,
      ...observedTags(found.Tags),
    };
  },
  async update(api, id, { olds, news, changed }) {
    const iam = await api.client("iam");
    const RoleName = id;
    if (changed.has("assumeRolePolicy")) {
      await retry(api, /MalformedPolicyDocument.*Invalid principal/, () =>
        iam.updateAssumeRolePolicy({ RoleName, PolicyDocument: news.assumeRolePolicy }),
      );
    }
    if (changed.has("description") || changed.has("maxSessionDuration")) {
      const { description, maxSessionDuration: MaxSessionDuration } = news;
      await iam.updateRole({ RoleName, Description: description ?? "", MaxSessionDuration });
    }
    if (changed.has("permissionsBoundary")) {
      await (news.permissionsBoundary === undefined
        ? iam.deleteRolePermissionsBoundary({ RoleName })
        : iam.putRolePermissionsBoundary({ RoleName, PermissionsBoundary: news.permissionsBoundary }));
    }
    await changeTags(
      olds,
      news,
      (tags) => iam.tagRole({ RoleName, Tags: tagList(tags) }),
      (TagKeys) => iam.untagRole({ RoleName, TagKeys }),
    );
  },
  async remove(api, id, state) {
    const iam = await api.client("iam");
    if (state["forceDetachPolicies"] === true && (await ifThere(iam.getRole({ RoleName: id }))) !== undefined) {
      await detachAll(api, id);
    }
    await removed(retry(api, /ConcurrentModification/, () => iam.deleteRole({ RoleName: id })));
  },
});
