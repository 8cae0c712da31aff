import type { IpPermission, SecurityGroupRule } from "@aws-sdk/client-ec2";
import { isIP } from "node:net";
import type { Api } from "../api";
import { type Failure, type ResourceType, resource } from "../resource";
import { type KnownOf, type ValuesOf, map, number, text } from "../schema";
import { ifThere, removed } from "../steps";
import { observedTags } from "../tags";
import { changeEc2Tags, tagSpecification } from "./tags";

const inputs = {
  securityGroupId: text({ required: true, replaces: true }),
  ipProtocol: text({ required: true }),
  fromPort: number(),
  toPort: number(),
  cidrIpv4: text(),
  cidrIpv6: text(),
  prefixListId: text(),
  referencedSecurityGroupId: text(),
  description: text(),
  tags: map(),
};

type Inputs = ValuesOf<typeof inputs>;

const sources = ["cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId"] as const;

function cidrFailure(cidr: string, family: 4 | 6): string | undefined {
  const [address = "", bits = "", ...rest] = cidr.split("/");
  const isCidr = isIP(address) === family && /^\d+$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128);
  return isCidr && rest.length === 0
    ? undefined
    : `"${cidr}" is no IPv${family} CIDR such as ${family === 4 ? "192.0.2.0/24" : "2001:db8::/32"}`;
}

function check(rule: KnownOf<typeof inputs>): Failure[] {
  const failures: Failure[] = [];
  // A rule whose source isn't known yet has none here: the call tells then.
  const given = sources.filter((name) => rule[name] !== undefined);
  if (given.length > 1) {
    failures.push({ property: given[1]!, reason: `only one of ${sources.join(", ")} can be given` });
  }
  for (const [name, family] of [["cidrIpv4", 4] as const, ["cidrIpv6", 6] as const]) {
    const cidr = rule[name];
    const reason = cidr === undefined ? undefined : cidrFailure(cidr, family);
    if (reason !== undefined) failures.push({ property: name, reason });
  }
  const isAll = rule.ipProtocol === "-1";
  for (const name of ["fromPort", "toPort"] as const) {
    const port = rule[name];
    if (isAll && port !== undefined) failures.push({ property: name, reason: `ipProtocol "-1" has no ports` });
    else if (port !== undefined && (port < -1 || port > 65_535)) {
      failures.push({ property: name, reason: `expected -1 to 65535, got ${port}` });
    }
  }
  return failures;
}

/** The ports and the source of a rule as AWS takes them in a new rule. */
function permission(rule: Inputs): IpPermission {
  const Description = rule.description;
  return {
    IpProtocol: rule.ipProtocol,
    FromPort: rule.fromPort,
    ToPort: rule.toPort,
    ...(rule.cidrIpv4 === undefined ? {} : { IpRanges: [{ CidrIp: rule.cidrIpv4, Description }] }),
    ...(rule.cidrIpv6 === undefined ? {} : { Ipv6Ranges: [{ CidrIpv6: rule.cidrIpv6, Description }] }),
    ...(rule.prefixListId === undefined ? {} : { PrefixListIds: [{ PrefixListId: rule.prefixListId, Description }] }),
    ...(rule.referencedSecurityGroupId === undefined
      ? {}
      : { UserIdGroupPairs: [{ GroupId: rule.referencedSecurityGroupId, Description }] }),
  };
}

async function find(api: Api, id: string): Promise<SecurityGroupRule | undefined> {
  const ec2 = await api.client("ec2");
  const found = await ifThere(ec2.describeSecurityGroupRules({ SecurityGroupRuleIds: [id] }));
  return found?.SecurityGroupRules?.find(({ SecurityGroupRuleId }) => SecurityGroupRuleId === id);
}

/** aws.vpc.SecurityGroupIngressRule and aws.vpc.SecurityGroupEgressRule. */
const ruleType = (direction: "Ingress" | "Egress"): ResourceType =>
  resource({
    token: `aws:vpc/securityGroup${direction}Rule:SecurityGroup${direction}Rule`,
    inputs,
    outputs: ["arn", "securityGroupRuleId", "tagsAll"],
    check,
    async create(api, rule) {
      const ec2 = await api.client("ec2");
      const args = {
        GroupId: rule.securityGroupId,
        IpPermissions: [permission(rule)],
        ...tagSpecification("security-group-rule", rule.tags),
      };
      const { SecurityGroupRules } =
        direction === "Ingress"
          ? await ec2.authorizeSecurityGroupIngress(args)
          : await ec2.authorizeSecurityGroupEgress(args);
      return SecurityGroupRules?.[0]?.SecurityGroupRuleId ?? "";
    },
    async read(api, id) {
      const rule = await find(api, id);
      if (rule === undefined) return undefined;
      const isAll = rule.IpProtocol === "-1";
      const account = rule.GroupOwnerId ?? (await api.account());
      return {
        arn: `arn:${api.partition}:ec2:${api.region}:${account}:security-group-rule/${id}`,
        securityGroupRuleId: id,
        securityGroupId: rule.GroupId,
        ipProtocol: rule.IpProtocol,
        fromPort: isAll ? undefined : rule.FromPort,
        toPort: isAll ? undefined : rule.ToPort,
        cidrIpv4: rule.CidrIpv4,
        cidrIpv6: rule.CidrIpv6,
        prefixListId: rule.PrefixListId,
        referencedSecurityGroupId: rule.ReferencedGroupInfo?.GroupId,
        description: rule.Description === "" ? undefined : rule.Description,
        ...observedTags(rule.Tags),
      };
    },
    async update(api, id, { news, olds, changed }) {
      const ec2 = await api.client("ec2");
      if ([...changed].some((name) => name !== "tags")) {
        await ec2.modifySecurityGroupRules({
          GroupId: news.securityGroupId,
          SecurityGroupRules: [
            {
              SecurityGroupRuleId: id,
              SecurityGroupRule: {
                IpProtocol: news.ipProtocol,
                FromPort: news.fromPort,
                ToPort: news.toPort,
                CidrIpv4: news.cidrIpv4,
                CidrIpv6: news.cidrIpv6,
                PrefixListId: news.prefixListId,
                ReferencedGroupId: news.referencedSecurityGroupId,
                Description: news.description,
              },
            },
          ],
        });
      }
      await changeEc2Tags(api, id, olds, news);
    },
    async remove(api, id, state) {
      const ec2 = await api.client("ec2");
      const args = { GroupId: String(state["securityGroupId"]), SecurityGroupRuleIds: [id] };
      await removed(
        direction === "Ingress" ? ec2.revokeSecurityGroupIngress(args) : ec2.revokeSecurityGroupEgress(args),
      );
    },
  });

export const ingressRule = ruleType("Ingress");
export const egressRule = ruleType("Egress");
