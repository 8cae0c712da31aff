import { SecurityGroup } from "@pulumi/aws/ec2/securityGroup";
import { getSubnet } from "@pulumi/aws/ec2/getSubnet";
import { getSubnets } from "@pulumi/aws/ec2/getSubnets";
import { getVpc } from "@pulumi/aws/ec2/getVpc";
import { SecurityGroupEgressRule } from "@pulumi/aws/vpc/securityGroupEgressRule";
import { SecurityGroupIngressRule } from "@pulumi/aws/vpc/securityGroupIngressRule";
import type { ComponentResource, Input, Output } from "@pulumi/pulumi";
import { ask, refusal } from "./ask";
import { openPorts, tagsOf, zoneOf, type Ec2Host } from "./hosts";
import { awsName } from "./names";
import { setPath } from "./setPath";
import type { Ec2Settings } from "./settings";

/** Where in a region's network a host is. */
export interface Network {
  readonly vpcId: string;
  readonly subnetId: string;
  readonly zone: string;
}

const noCredentials = "see whether `aws sts get-caller-identity` works here, and that it may describe networks";

/** The subnet that a new host is put into: the configured one, or the default one of its zone. */
export async function findNetwork(host: Ec2Host): Promise<Network> {
  const { name, region, settings } = host;
  if (settings.subnet !== undefined) {
    const found = await ask(
      getSubnet({ id: settings.subnet, region }),
      `ec2:instances.${name}.subnet`,
      `The subnet ${settings.subnet} can't be looked up in ${region}.`,
      noCredentials,
    );
    if (settings.zone !== undefined && settings.zone !== found.availabilityZone) {
      throw refusal({
        where: `ec2:instances.${name}.zone`,
        what: `The subnet ${settings.subnet} is in ${found.availabilityZone}, not in ${settings.zone}.`,
        why: "an instance is in the zone of its subnet",
        fix: setPath(name, "zone", found.availabilityZone),
      });
    }
    return { vpcId: found.vpcId, subnetId: found.id, zone: found.availabilityZone };
  }
  const vpc = await defaultVpc(host);
  const zone = zoneOf(host);
  const [subnetId] = (await defaultSubnets(host, vpc, [{ name: "availability-zone", values: [zone] }])).sort();
  if (subnetId !== undefined) return { vpcId: vpc, subnetId, zone };
  throw refusal({
    where: `ec2:instances.${name}.zone`,
    what: `The default network of ${region} has no subnet in the zone ${zone}.`,
    why: "the zone isn't there for this account, or its default subnet was deleted",
    fix: `${setPath(name, "zone", `${region}b`)}, or name a subnet: ${setPath(name, "subnet", "subnet-0123456789abcdef0")}`,
  });
}

/** The region's default network. */
export async function defaultVpc({ name, region }: Ec2Host): Promise<string> {
  const { id } = await ask(
    getVpc({ default: true, region }),
    `ec2:instances.${name}`,
    `The default network of ${region} can't be looked up.`,
    `${noCredentials}; where the account has none: aws ec2 create-default-vpc --region ${region}, ` +
      `or ${setPath(name, "subnet", "subnet-0123456789abcdef0")}`,
  );
  return id;
}

/** The default subnets of a network, all of them but for what filters leave out. */
export async function defaultSubnets(host: Ec2Host, vpcId: string, filters: readonly Filter[] = []): Promise<string[]> {
  const own = [{ name: "default-for-az", values: ["true"] }, ...filters];
  return subnetsOf(host, vpcId, own, `ec2:instances.${host.name}`);
}

interface Filter {
  readonly name: string;
  readonly values: string[];
}

async function subnetsOf(
  { region }: Ec2Host,
  vpcId: string,
  filters: readonly Filter[],
  where: string,
): Promise<string[]> {
  const { ids } = await ask(
    getSubnets({ region, filters: [{ name: "vpc-id", values: [vpcId] }, ...filters] }),
    where,
    `The subnets of ${vpcId} can't be looked up.`,
    noCredentials,
  );
  return [...ids];
}

/**
 * The subnets that a host's databases on RDS and ElastiCache may be in: the configured ones of its network, or the default ones.
 * RDS asks for two zones, also where a server lives in one (RDS user guide, "Working with a DB subnet group").
 */
export async function databaseSubnets(
  host: Ec2Host,
  vpcId: string,
  { databaseSubnets: configured, postgres }: Ec2Settings,
): Promise<string[]> {
  const { region } = host;
  const where = "ec2:databaseSubnets";
  const found =
    configured.length === 0
      ? await defaultSubnets(host, vpcId)
      : await subnetsOf(host, vpcId, [{ name: "subnet-id", values: [...configured] }], where);
  const zones = await Promise.all(
    found.map((id) => ask(getSubnet({ id, region }), where, `The subnet ${id} can't be looked up.`, noCredentials)),
  );
  const known = [...new Set(zones.map(({ availabilityZone }) => availabilityZone))].sort();
  const needed = postgres === "rds" ? 2 : 1;
  if (known.length >= needed) return found;
  const kind = configured.length === 0 ? "default subnets" : "configured subnets";
  throw refusal({
    where,
    what:
      `The network ${vpcId} of host "${host.name}" has ${kind} in ${known.length === 0 ? "no zone" : known.join()}; ` +
      `its databases need ${needed === 1 ? "one" : "two zones"}.`,
    why: "RDS and ElastiCache put a server into a group of subnets, and RDS asks for two zones in it",
    fix:
      `pulumi config set --path '${where}[0]' SUBNET && pulumi config set --path '${where}[1]' SUBNET; which there are, by zone: ` +
      `aws ec2 describe-subnets --region ${region} --filters Name=vpc-id,Values=${vpcId} ` +
      "--query 'Subnets[].[AvailabilityZone,SubnetId]' --output text",
  });
}

/** A security group of a new host's own: the declared ports from the configured addresses, and every way out. */
export function securityGroup(parent: ComponentResource, host: Ec2Host, vpcId: string): Output<string> {
  const { name, region, stack } = host;
  const tags = tagsOf(stack, name);
  const group = new SecurityGroup(
    `${name}-group`,
    {
      region,
      vpcId,
      name: awsName(stack, [name], 255),
      description: "Declared ports of the apps on a host of Homeport",
      tags,
    },
    { parent },
  );
  // Packages, registries, AWS's own services and whatever the apps call.
  for (const cidr of [{ cidrIpv4: "0.0.0.0/0" }, { cidrIpv6: "::/0" }]) {
    new SecurityGroupEgressRule(
      `${name}-out-${"cidrIpv4" in cidr ? "ipv4" : "ipv6"}`,
      { region, securityGroupId: group.id, ipProtocol: "-1", ...cidr, description: "All that the apps call", tags },
      { parent },
    );
  }
  openIn(parent, host, group.id);
  return group.id;
}

/** Rules for a host's declared ports in a security group. Each is a resource of its own: others' rules are left alone. */
export function openIn(parent: ComponentResource, host: Ec2Host, securityGroupId: Input<string>): void {
  const { name, region, stack } = host;
  for (const { port, from } of openPorts(host)) {
    for (const cidr of from) {
      new SecurityGroupIngressRule(
        `${name}-${port}-from-${sourceName(cidr)}`,
        {
          region,
          securityGroupId,
          ipProtocol: "tcp",
          fromPort: port,
          toPort: port,
          ...(cidr.includes(":") ? { cidrIpv6: cidr } : { cidrIpv4: cidr }),
          description: port === 22 ? "SSH of those who deploy" : `Port ${port} of the apps`,
          tags: tagsOf(stack, name),
        },
        { parent },
      );
    }
  }
}

/** Part of a resource's name, whose URN is parted by colons. */
function sourceName(cidr: string): string {
  if (cidr === "0.0.0.0/0") return "everyone";
  return cidr === "::/0" ? "everyone-ipv6" : cidr.replaceAll(":", ".");
}
