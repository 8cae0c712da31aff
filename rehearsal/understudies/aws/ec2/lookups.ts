import type { Filter } from "@aws-sdk/client-ec2";
import { lookup } from "../resource";
import { type ValuesOf, block, flag, map, set, text } from "../schema";
import { observedTags } from "../tags";
import { ebsBlockDevicesOf, observeInstance } from "./observe";

const filters = set(block({ name: text({ required: true }), values: set(text(), { required: true }) }));
const one = { filters, tags: map() };

function filtersOf(wanted: ValuesOf<typeof one>, extra: Record<string, string | undefined> = {}): Filter[] {
  return [
    ...(wanted.filters ?? []).map(({ name, values }) => ({ Name: name, Values: values })),
    ...Object.entries(wanted.tags ?? {}).map(([name, value]) => ({ Name: `tag:${name}`, Values: [value] })),
    ...Object.entries(extra).flatMap(([Name, value]) => (value === undefined ? [] : [{ Name, Values: [value] }])),
  ];
}

/** The only one, worded as the official provider does otherwise. */
function theOnly<T>(found: readonly T[] | undefined, kind: string): T {
  if (found === undefined || found[0] === undefined) throw new Error(`no matching EC2 ${kind} found`);
  if (found.length > 1) throw new Error(`multiple EC2 ${kind}s matched; use additional constraints to reduce matches`);
  return found[0];
}

const given = <T>(items: T[]): T[] | undefined => (items.length === 0 ? undefined : items);

/** aws.ec2.getVpc */
export const getVpc = lookup({
  token: "aws:ec2/getVpc:getVpc",
  inputs: { ...one, id: text(), default: flag(), cidrBlock: text(), state: text() },
  async run(api, wanted) {
    const ec2 = await api.client("ec2");
    const isDefault = wanted.default === undefined ? undefined : String(wanted.default);
    const Filters = given(filtersOf(wanted, { "is-default": isDefault, cidr: wanted.cidrBlock, state: wanted.state }));
    const { Vpcs } = await ec2.describeVpcs({ VpcIds: wanted.id === undefined ? undefined : [wanted.id], Filters });
    const vpc = theOnly(Vpcs, "VPC");
    return {
      id: vpc.VpcId,
      arn: `arn:${api.partition}:ec2:${api.region}:${vpc.OwnerId ?? (await api.account())}:vpc/${vpc.VpcId ?? ""}`,
      cidrBlock: vpc.CidrBlock,
      default: vpc.IsDefault ?? false,
      dhcpOptionsId: vpc.DhcpOptionsId,
      instanceTenancy: vpc.InstanceTenancy,
      ownerId: vpc.OwnerId,
      state: vpc.State,
      tags: observedTags(vpc.Tags).tags,
    };
  },
});

/** aws.ec2.getSubnets */
export const getSubnets = lookup({
  token: "aws:ec2/getSubnets:getSubnets",
  inputs: one,
  async run(api, wanted) {
    const ec2 = await api.client("ec2");
    const { Subnets } = await ec2.describeSubnets({ Filters: given(filtersOf(wanted)) });
    return {
      id: api.region,
      ids: (Subnets ?? []).map(({ SubnetId }) => SubnetId),
      filters: wanted.filters,
      tags: wanted.tags ?? {},
    };
  },
});

/** aws.ec2.getSubnet */
export const getSubnet = lookup({
  token: "aws:ec2/getSubnet:getSubnet",
  inputs: {
    ...one,
    id: text(),
    vpcId: text(),
    availabilityZone: text(),
    cidrBlock: text(),
    defaultForAz: flag(),
    state: text(),
  },
  async run(api, wanted) {
    const ec2 = await api.client("ec2");
    const Filters = given(
      filtersOf(wanted, {
        "vpc-id": wanted.vpcId,
        "availability-zone": wanted.availabilityZone,
        "cidr-block": wanted.cidrBlock,
        "default-for-az": wanted.defaultForAz === undefined ? undefined : String(wanted.defaultForAz),
        state: wanted.state,
      }),
    );
    const SubnetIds = wanted.id === undefined ? undefined : [wanted.id];
    const subnet = theOnly((await ec2.describeSubnets({ SubnetIds, Filters })).Subnets, "Subnet");
    return {
      id: subnet.SubnetId,
      arn: subnet.SubnetArn,
      availabilityZone: subnet.AvailabilityZone,
      availabilityZoneId: subnet.AvailabilityZoneId,
      availableIpAddressCount: subnet.AvailableIpAddressCount,
      cidrBlock: subnet.CidrBlock,
      defaultForAz: subnet.DefaultForAz ?? false,
      mapPublicIpOnLaunch: subnet.MapPublicIpOnLaunch ?? false,
      ownerId: subnet.OwnerId,
      state: subnet.State,
      tags: observedTags(subnet.Tags).tags,
      vpcId: subnet.VpcId,
    };
  },
});

/** aws.ebs.getEbsVolumes */
export const getEbsVolumes = lookup({
  token: "aws:ebs/getEbsVolumes:getEbsVolumes",
  inputs: one,
  async run(api, wanted) {
    const ec2 = await api.client("ec2");
    const { Volumes } = await ec2.describeVolumes({ Filters: given(filtersOf(wanted)) });
    return {
      id: api.region,
      ids: (Volumes ?? []).map(({ VolumeId }) => VolumeId),
      filters: wanted.filters,
      tags: wanted.tags ?? {},
    };
  },
});

/** aws.ebs.getVolume */
export const getVolume = lookup({
  token: "aws:ebs/getVolume:getVolume",
  inputs: { filters, mostRecent: flag() },
  async run(api, wanted) {
    const ec2 = await api.client("ec2");
    const { Volumes } = await ec2.describeVolumes({
      Filters: given(filtersOf({ filters: wanted.filters, tags: undefined })),
    });
    const volume = theOnly(Volumes, "EBS Volume");
    return {
      id: volume.VolumeId,
      volumeId: volume.VolumeId,
      availabilityZone: volume.AvailabilityZone,
      encrypted: volume.Encrypted ?? false,
      size: volume.Size,
      volumeType: volume.VolumeType,
      filters: wanted.filters,
      tags: observedTags(volume.Tags).tags,
    };
  },
});

/** aws.ec2.getInstance */
export const getInstance = lookup({
  token: "aws:ec2/getInstance:getInstance",
  inputs: { filters, instanceId: text(), instanceTags: map(), getUserData: flag(), getPasswordData: flag() },
  async run(api, wanted) {
    const ec2 = await api.client("ec2");
    const Filters = given(filtersOf({ filters: wanted.filters, tags: wanted.instanceTags }));
    const InstanceIds = wanted.instanceId === undefined ? undefined : [wanted.instanceId];
    const { Reservations } = await ec2.describeInstances({ InstanceIds, Filters });
    const found = (Reservations ?? []).flatMap(({ Instances }) => Instances ?? []);
    const instance = theOnly(
      found.filter(({ State }) => State?.Name !== "terminated"),
      "Instance",
    );
    const { InstanceId } = instance;
    const { userData, userDataBase64, rootBlockDevice, ...seen } = (await observeInstance(api, InstanceId!, {})) ?? {};
    return {
      ...seen,
      id: InstanceId,
      instanceId: InstanceId,
      rootBlockDevices: rootBlockDevice === undefined ? [] : [rootBlockDevice],
      ebsBlockDevices: await ebsBlockDevicesOf(api, instance),
      ...(wanted.getUserData === true ? { userData, userDataBase64 } : {}),
    };
  },
});
