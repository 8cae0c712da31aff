import * as cloudwatch from "@aws-sdk/client-cloudwatch";
import * as logs from "@aws-sdk/client-cloudwatch-logs";
import * as ec2 from "@aws-sdk/client-ec2";
import * as iam from "@aws-sdk/client-iam";
import type { Ec2World } from "./world";

/** The tag by which everything of the live stack is told. */
const ofTheStack = [{ Name: "tag:homeport:stack", Values: ["prod"] }];

/** What the stack has made in a region and what isn't gone, read back from AWS. */
export interface Inventory {
  readonly instances: readonly ec2.Instance[];
  readonly volumes: readonly ec2.Volume[];
  readonly addresses: readonly ec2.Address[];
  readonly groups: readonly ec2.SecurityGroup[];
  readonly keys: readonly ec2.KeyPairInfo[];
  /** Names of roles and instance profiles. */
  readonly roles: readonly string[];
  readonly profiles: readonly string[];
  readonly logGroups: readonly string[];
  readonly alarms: readonly string[];
}

/** Reads all that bears the stack's tag, or its path or prefix where there are no tags to look by. */
export async function inventory(world: Ec2World, region = "eu-central-1"): Promise<Inventory> {
  const client = world.ec2(region);
  const PathPrefix = "/homeport/prod/";
  const access = new iam.IAMClient(world.client(region));
  const [instances, volumes, addresses, groups, keys, roles, profiles, logGroups, alarms] = await Promise.all([
    client.send(
      new ec2.DescribeInstancesCommand({
        Filters: [
          ...ofTheStack,
          { Name: "instance-state-name", Values: ["pending", "running", "stopping", "stopped"] },
        ],
      }),
    ),
    client.send(new ec2.DescribeVolumesCommand({ Filters: ofTheStack })),
    client.send(new ec2.DescribeAddressesCommand({ Filters: ofTheStack })),
    client.send(new ec2.DescribeSecurityGroupsCommand({ Filters: ofTheStack })),
    client.send(new ec2.DescribeKeyPairsCommand({})),
    access.send(new iam.ListRolesCommand({ PathPrefix })),
    access.send(new iam.ListInstanceProfilesCommand({ PathPrefix })),
    new logs.CloudWatchLogsClient(world.client(region)).send(
      new logs.DescribeLogGroupsCommand({ logGroupNamePrefix: "/homeport/prod/" }),
    ),
    new cloudwatch.CloudWatchClient(world.client(region)).send(
      new cloudwatch.DescribeAlarmsCommand({ AlarmNamePrefix: "homeport-prod-" }),
    ),
  ]);
  return {
    instances: (instances.Reservations ?? []).flatMap(({ Instances = [] }) => Instances),
    // A machine's own disk goes with it.
    volumes: (volumes.Volumes ?? []).filter(
      ({ Tags = [] }) => !Tags.some(({ Key, Value = "" }) => Key === "Name" && Value.endsWith("-root")),
    ),
    addresses: addresses.Addresses ?? [],
    groups: groups.SecurityGroups ?? [],
    keys: (keys.KeyPairs ?? []).filter(({ KeyName = "" }) => KeyName.startsWith("homeport-prod")),
    roles: (roles.Roles ?? []).map(({ RoleName = "" }) => RoleName).sort(),
    profiles: (profiles.InstanceProfiles ?? []).map(({ InstanceProfileName = "" }) => InstanceProfileName).sort(),
    logGroups: (logGroups.logGroups ?? []).map(({ logGroupName = "" }) => logGroupName).sort(),
    alarms: (alarms.MetricAlarms ?? []).map(({ AlarmName = "" }) => AlarmName).sort(),
  };
}

/** How many there are of each, to see that nothing is doubled. */
export function counted(all: Inventory): Record<keyof Inventory, number> {
  return {
    instances: all.instances.length,
    volumes: all.volumes.length,
    addresses: all.addresses.length,
    groups: all.groups.length,
    keys: all.keys.length,
    roles: all.roles.length,
    profiles: all.profiles.length,
    logGroups: all.logGroups.length,
    alarms: all.alarms.length,
  };
}

/** A security group's rules as short lines: `in tcp 22 from 10.0.0.1/32`. */
export async function rulesOf(client: ec2.EC2Client, groupId: string): Promise<string[]> {
  const { SecurityGroupRules = [] } = await client.send(
    new ec2.DescribeSecurityGroupRulesCommand({ Filters: [{ Name: "group-id", Values: [groupId] }] }),
  );
  return SecurityGroupRules.map(
    ({ IsEgress, IpProtocol, FromPort, ToPort, CidrIpv4, CidrIpv6, ReferencedGroupInfo }) => {
      const ports = IpProtocol === "-1" ? "all" : `${IpProtocol} ${FromPort}${ToPort === FromPort ? "" : `-${ToPort}`}`;
      const other = CidrIpv4 ?? CidrIpv6 ?? ReferencedGroupInfo?.GroupId;
      return `${IsEgress === true ? "out" : "in"} ${ports} ${IsEgress === true ? "to" : "from"} ${other}`;
    },
  ).sort();
}

interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: unknown;
}

/** One of each: what the stack's EC2 app has on AWS, however often its deploy was cut off. */
export const oneOfEach = {
  instances: 1,
  volumes: 1,
  addresses: 1,
  groups: 1,
  keys: 1,
  roles: 2,
  profiles: 1,
  logGroups: 1,
  alarms: 7,
};

/** The statements of all policies within a role, and the names of those attached to it. */
export async function rightsOf(
  world: Ec2World,
  RoleName: string,
): Promise<{ readonly statements: readonly Statement[]; readonly attached: readonly string[] }> {
  const client = new iam.IAMClient(world.client());
  const { PolicyNames = [] } = await client.send(new iam.ListRolePoliciesCommand({ RoleName }));
  const documents = await Promise.all(
    PolicyNames.map(async (PolicyName) => {
      const said = await client.send(new iam.GetRolePolicyCommand({ RoleName, PolicyName }));
      return JSON.parse(decodeURIComponent(said.PolicyDocument ?? "{}")) as { Statement: Statement[] };
    }),
  );
  const { AttachedPolicies = [] } = await client.send(new iam.ListAttachedRolePoliciesCommand({ RoleName }));
  return {
    statements: documents.flatMap(({ Statement }) => Statement),
    attached: AttachedPolicies.map(({ PolicyArn = "" }) => PolicyArn),
  };
}

export const listed = (one: string | readonly string[]): readonly string[] => (typeof one === "string" ? [one] : one);
