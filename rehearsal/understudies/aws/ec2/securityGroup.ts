import type { Api } from "../api";
import { resource } from "../resource";
import { flag, map, text } from "../schema";
import { ifThere, removed, retry } from "../steps";
import { observedTags } from "../tags";
import { changeEc2Tags, tagSpecification } from "./tags";

/** The default VPC of the region. */
async function defaultVpc(api: Api): Promise<string | undefined> {
  const ec2 = await api.client("ec2");
  const { Vpcs } = await ec2.describeVpcs({ Filters: [{ Name: "is-default", Values: ["true"] }] });
  return Vpcs?.[0]?.VpcId;
}

/** aws.ec2.SecurityGroup. Its rules are resources of their own, so `ingress` and `egress` aren't known. */
export const securityGroup = resource({
  token: "aws:ec2/securityGroup:SecurityGroup",
  inputs: {
    name: text({ replaces: true, computed: true }),
    description: text({ replaces: true, default: "Managed by Pulumi" }),
    vpcId: text({ replaces: true, computed: true }),
    revokeRulesOnDelete: flag({ default: false }),
    tags: map(),
  },
  outputs: ["arn", "ownerId", "tagsAll"],
  autoname: { property: "name", longest: 255 },
  minutes: 10,
  check: ({ name }) =>
    name?.startsWith("sg-") === true
      ? [{ property: "name", reason: `the name of a security group can't begin with "sg-", got ${name}` }]
      : [],
  async create(api, inputs, made) {
    const ec2 = await api.client("ec2");
    const { GroupId } = await ec2.createSecurityGroup({
      GroupName: inputs.name,
      Description: inputs.description,
      VpcId: inputs.vpcId ?? (await defaultVpc(api)),
      ...tagSpecification("security-group", inputs.tags),
    });
    made(GroupId!);
    // AWS gives a new group a rule that lets everything out; the official provider takes it away.
    const found = await ec2.describeSecurityGroups({ GroupIds: [GroupId!] });
    const egress = found.SecurityGroups?.[0]?.IpPermissionsEgress ?? [];
    if (egress.length > 0) await ec2.revokeSecurityGroupEgress({ GroupId, IpPermissions: egress });
    return GroupId!;
  },
  async read(api, id) {
    const ec2 = await api.client("ec2");
    const group = (await ifThere(ec2.describeSecurityGroups({ GroupIds: [id] })))?.SecurityGroups?.[0];
    if (group === undefined) return undefined;
    return {
      arn: `arn:${api.partition}:ec2:${api.region}:${group.OwnerId ?? ""}:security-group/${id}`,
      name: group.GroupName,
      description: group.Description,
      vpcId: group.VpcId,
      ownerId: group.OwnerId,
      ...observedTags(group.Tags),
    };
  },
  async update(api, id, { olds, news }) {
    await changeEc2Tags(api, id, olds, news);
  },
  async remove(api, id, state) {
    const ec2 = await api.client("ec2");
    if (state["revokeRulesOnDelete"] === true) {
      const group = (await ifThere(ec2.describeSecurityGroups({ GroupIds: [id] })))?.SecurityGroups?.[0];
      const [ingress, egress] = [group?.IpPermissions ?? [], group?.IpPermissionsEgress ?? []];
      if (ingress.length > 0) await ec2.revokeSecurityGroupIngress({ GroupId: id, IpPermissions: ingress });
      if (egress.length > 0) await ec2.revokeSecurityGroupEgress({ GroupId: id, IpPermissions: egress });
    }
    // A network interface that was given up just before still holds it.
    await removed(
      retry(api, /DependencyViolation|InvalidGroup\.InUse/, () => ec2.deleteSecurityGroup({ GroupId: id })),
    );
  },
});
