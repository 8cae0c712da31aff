import type { EC2Client, SecurityGroupRule } from "@aws-sdk/client-ec2";
import { ec2Client } from "../../../drivers/ec2/client";
import { machineTags, orphansAmong } from "../../../drivers/ec2/orphans";
import type { Candidate } from "../../recovery";
import { ec2Connection } from "../awsConfig";
import { inRegion, isNewEnough, stateOf, tagFilters, tagsOf, type Wanted } from "./wanted";

const client = ({ aws, region }: Wanted): Promise<EC2Client> => ec2Client(ec2Connection(aws, region));

/** A call of the AWS CLI that takes something away. */
const removal = (call: string, id: string, { region }: Wanted): string => `aws ec2 ${call} ${id} --region ${region}`;

export async function keyPair(wanted: Wanted): Promise<Candidate[]> {
  const { DescribeKeyPairsCommand } = await import("@aws-sdk/client-ec2");
  const id = wanted.text("keyName");
  const Filters = [{ Name: "key-name", Values: [id] }];
  const { KeyPairs = [] } = await (await client(wanted)).send(new DescribeKeyPairsCommand({ Filters }));
  return KeyPairs.map(() => ({
    id,
    remove: removal("delete-key-pair --key-name", id, wanted),
    // Of the public key AWS keeps no more than its fingerprint, and without it the provider would make the pair anew.
    state: stateOf(wanted, { id }),
  }));
}

export async function securityGroup(wanted: Wanted): Promise<Candidate[]> {
  const { DescribeSecurityGroupsCommand } = await import("@aws-sdk/client-ec2");
  const ec2 = await client(wanted);
  const Filters = [
    { Name: "group-name", Values: [wanted.text("name")] },
    { Name: "vpc-id", Values: [wanted.text("vpcId")] },
  ];
  const { SecurityGroups = [] } = await ec2.send(new DescribeSecurityGroupsCommand({ Filters }));
  return SecurityGroups.map(({ GroupId = "" }) => ({
    id: GroupId,
    ...inRegion(GroupId, wanted),
    remove: removal("delete-security-group --group-id", GroupId, wanted),
    finish: () => closeOutwards(ec2, GroupId),
  }));
}

/**
 * AWS gives each new group a rule that lets everything out, which the provider takes away before anybody learns of the group
 * (EC2 API, CreateSecurityGroup). Left there, it would be in the way of the declared one, which bears tags.
 */
async function closeOutwards(ec2: EC2Client, GroupId: string): Promise<void> {
  const { RevokeSecurityGroupEgressCommand } = await import("@aws-sdk/client-ec2");
  const everything = { inputs: { ipProtocol: "-1", cidrIpv4: "0.0.0.0/0" } };
  const SecurityGroupRuleIds = (await rulesOf(ec2, GroupId))
    .filter((one) => one.IsEgress === true && (one.Tags ?? []).length === 0 && sameRule(everything, one))
    .flatMap(({ SecurityGroupRuleId }) => SecurityGroupRuleId ?? []);
  if (SecurityGroupRuleIds.length === 0) return;
  await ec2.send(new RevokeSecurityGroupEgressCommand({ GroupId, SecurityGroupRuleIds }));
}

async function rulesOf(ec2: EC2Client, group: string): Promise<SecurityGroupRule[]> {
  const { DescribeSecurityGroupRulesCommand } = await import("@aws-sdk/client-ec2");
  const Filters = [{ Name: "group-id", Values: [group] }];
  return (await ec2.send(new DescribeSecurityGroupRulesCommand({ Filters }))).SecurityGroupRules ?? [];
}

export const ingressRule = (wanted: Wanted): Promise<Candidate[]> => rule(wanted, false);
export const egressRule = (wanted: Wanted): Promise<Candidate[]> => rule(wanted, true);

async function rule(wanted: Wanted, isEgress: boolean): Promise<Candidate[]> {
  const group = wanted.text("securityGroupId");
  const rules = await rulesOf(await client(wanted), group);
  const call = `revoke-security-group-${isEgress ? "egress" : "ingress"} --group-id ${group} --security-group-rule-ids`;
  return rules
    .filter((one) => one.IsEgress === isEgress && sameRule(wanted, one))
    .map(({ SecurityGroupRuleId: id = "" }) => ({ id, ...inRegion(id, wanted), remove: removal(call, id, wanted) }));
}

/** Whether it lets through what is wanted: AWS takes no second one of the same. */
export function sameRule(wanted: Pick<Wanted, "inputs">, found: SecurityGroupRule): boolean {
  const { ipProtocol, fromPort, toPort, cidrIpv4, cidrIpv6, referencedSecurityGroupId } = wanted.inputs;
  const port = (value: unknown): unknown => (ipProtocol === "-1" ? -1 : value);
  return (
    found.IpProtocol === ipProtocol &&
    (found.FromPort ?? -1) === port(fromPort) &&
    (found.ToPort ?? -1) === port(toPort) &&
    found.CidrIpv4 === cidrIpv4 &&
    found.CidrIpv6 === cidrIpv6 &&
    found.ReferencedGroupInfo?.GroupId === referencedSecurityGroupId
  );
}

/** One that nothing was ever given to. Of several, which a person can't tell apart either, the driver ends the others. */
export async function instance(wanted: Wanted): Promise<Candidate[]> {
  const { DescribeAddressesCommand, DescribeInstancesCommand } = await import("@aws-sdk/client-ec2");
  const ec2 = await client(wanted);
  const alive = { Name: "instance-state-name", Values: ["pending", "running", "stopping", "stopped"] };
  const [{ Reservations = [] }, { Addresses = [] }] = await Promise.all([
    ec2.send(new DescribeInstancesCommand({ Filters: [...tagFilters(wanted), alive] })),
    ec2.send(new DescribeAddressesCommand({})),
  ]);
  const tags = tagsOf(wanted);
  const orphans = orphansAmong(
    Reservations.flatMap(({ Instances = [] }) => Instances),
    Addresses,
    {
      instanceId: "",
      stack: tags[machineTags.stack] ?? "",
      host: tags[machineTags.host] ?? "",
      generation: Number(tags[machineTags.generation] ?? 1),
    },
  );
  return orphans
    .filter(({ LaunchTime }) => isNewEnough(wanted, LaunchTime))
    .slice(0, 1)
    .map(({ InstanceId: id = "" }) => ({
      id,
      ...inRegion(id, wanted),
      remove: removal("terminate-instances --instance-ids", id, wanted),
    }));
}

/** One that is on no machine. Older ones are what a destroyed stack has kept, with its data. */
export async function volume(wanted: Wanted): Promise<Candidate[]> {
  const { DescribeVolumesCommand } = await import("@aws-sdk/client-ec2");
  const Filters = [
    ...tagFilters(wanted),
    { Name: "status", Values: ["creating", "available"] },
    { Name: "availability-zone", Values: [wanted.text("availabilityZone")] },
  ];
  const { Volumes = [] } = await (await client(wanted)).send(new DescribeVolumesCommand({ Filters }));
  return Volumes.filter(({ CreateTime }) => isNewEnough(wanted, CreateTime)).map(({ VolumeId: id = "" }) => ({
    id,
    ...inRegion(id, wanted),
    remove: removal("delete-volume --volume-id", id, wanted),
  }));
}

/** One that leads to no machine. */
export async function eip(wanted: Wanted): Promise<Candidate[]> {
  const { DescribeAddressesCommand } = await import("@aws-sdk/client-ec2");
  const { Addresses = [] } = await (
    await client(wanted)
  ).send(new DescribeAddressesCommand({ Filters: tagFilters(wanted) }));
  return Addresses.filter(({ AssociationId }) => (AssociationId ?? "") === "").map(({ AllocationId: id = "" }) => ({
    id,
    ...inRegion(id, wanted),
    remove: removal("release-address --allocation-id", id, wanted),
  }));
}
