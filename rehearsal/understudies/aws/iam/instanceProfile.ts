import { resource } from "../resource";
import { map, text } from "../schema";
import { ifThere, removed, retry } from "../steps";
import { changeTags, observedTags, tagList } from "../tags";

/** aws.iam.InstanceProfile */
export const instanceProfile = resource({
  token: "aws:iam/instanceProfile:InstanceProfile",
  regional: false,
  inputs: {
    name: text({ replaces: true, computed: true }),
    path: text({ replaces: true, default: "/" }),
    role: text(),
    tags: map(),
  },
  outputs: ["arn", "createDate", "uniqueId", "tagsAll"],
  autoname: { property: "name", longest: 128 },
  async create(api, inputs, made) {
    const iam = await api.client("iam");
    const { InstanceProfile } = await iam.createInstanceProfile({
      InstanceProfileName: inputs.name,
      Path: inputs.path,
      Tags: tagList(inputs.tags),
    });
    const name = InstanceProfile!.InstanceProfileName!;
    made(name);
    if (inputs.role !== undefined) {
      const RoleName = inputs.role;
      await retry(api, /InvalidParameterValue.*Invalid IAM Instance Profile|NoSuchEntity/, () =>
        iam.addRoleToInstanceProfile({ InstanceProfileName: name, RoleName }),
      );
    }
    return name;
  },
  async read(api, id) {
    const iam = await api.client("iam");
    const found = (await ifThere(iam.getInstanceProfile({ InstanceProfileName: id })))?.InstanceProfile;
    if (found === undefined) return undefined;
    return {
      arn: found.Arn,
      createDate: found.CreateDate?.toISOString(),
      name: found.InstanceProfileName,
      path: found.Path,
      role: found.Roles?.[0]?.RoleName,
      uniqueId: found.InstanceProfileId,
      ...observedTags(found.Tags),
    };
  },
  async update(api, id, { olds, news, changed }) {
    const iam = await api.client("iam");
    const InstanceProfileName = id;
    if (changed.has("role")) {
      const before = olds["role"];
      if (typeof before === "string" && before !== "") {
        await removed(iam.removeRoleFromInstanceProfile({ InstanceProfileName, RoleName: before }));
      }
      if (news.role !== undefined) await iam.addRoleToInstanceProfile({ InstanceProfileName, RoleName: news.role });
    }
    await changeTags(
      olds,
      news,
      (tags) => iam.tagInstanceProfile({ InstanceProfileName, Tags: tagList(tags) }),
      (TagKeys) => iam.untagInstanceProfile({ InstanceProfileName, TagKeys }),
    );
  },
  async remove(api, id) {
    const iam = await api.client("iam");
    const InstanceProfileName = id;
    const found = (await ifThere(iam.getInstanceProfile({ InstanceProfileName })))?.InstanceProfile;
    for (const { RoleName } of found?.Roles ?? []) {
      await removed(iam.removeRoleFromInstanceProfile({ InstanceProfileName, RoleName }));
    }
    await removed(iam.deleteInstanceProfile({ InstanceProfileName }));
  },
});
