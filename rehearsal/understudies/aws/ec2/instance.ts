import { randomUUID } from "node:crypto";
import type { RunInstancesCommandInput, VolumeType, _InstanceType } from "@aws-sdk/client-ec2";
import { resource } from "../resource";
import type { Api } from "../api";
import { type Values, type ValuesOf, block, flag, map, number, set, text } from "../schema";
import { retry, waitFor } from "../steps";
import { observeInstance } from "./observe";
import { findInstance, running, started, stopped } from "./power";
import { changeEc2Tags, tagSpecification } from "./tags";
import { modifyVolume, volumeFailures, volumeTypes } from "./volume";

const inputs = {
  ami: text({ replaces: true, computed: true }),
  associatePublicIpAddress: flag({ replaces: true, computed: true }),
  availabilityZone: text({ replaces: true, computed: true }),
  creditSpecification: block({ cpuCredits: text({ oneOf: ["standard", "unlimited"] }) }, { computed: true }),
  disableApiStop: flag({ computed: true }),
  disableApiTermination: flag({ computed: true }),
  ebsOptimized: flag({ computed: true }),
  forceDestroy: flag({ default: false }),
  hibernation: flag({ replaces: true }),
  iamInstanceProfile: text({ computed: true }),
  instanceInitiatedShutdownBehavior: text({ computed: true, oneOf: ["stop", "terminate"] }),
  instanceType: text({ computed: true }),
  keyName: text({ replaces: true, computed: true }),
  maintenanceOptions: block(
    { autoRecovery: text({ computed: true, oneOf: ["default", "disabled"] }) },
    { computed: true },
  ),
  metadataOptions: block(
    {
      httpEndpoint: text({ computed: true, oneOf: ["enabled", "disabled"] }),
      httpProtocolIpv6: text({ computed: true, oneOf: ["enabled", "disabled"] }),
      httpPutResponseHopLimit: number({ computed: true }),
      httpTokens: text({ computed: true, oneOf: ["optional", "required"] }),
      instanceMetadataTags: text({ computed: true, oneOf: ["enabled", "disabled"] }),
    },
    { computed: true },
  ),
  monitoring: flag({ computed: true }),
  privateIp: text({ replaces: true, computed: true }),
  rootBlockDevice: block(
    {
      deleteOnTermination: flag({ default: true }),
      encrypted: flag({ replaces: true, computed: true }),
      iops: number({ computed: true }),
      kmsKeyId: text({ replaces: true, computed: true }),
      tags: map({ computed: true }),
      throughput: number({ computed: true }),
      volumeSize: number({ computed: true }),
      volumeType: text({ computed: true, oneOf: volumeTypes }),
    },
    { computed: true },
  ),
  sourceDestCheck: flag({ default: true }),
  subnetId: text({ replaces: true, computed: true }),
  tags: map(),
  tenancy: text({ replaces: true, computed: true, oneOf: ["default", "dedicated", "host"] }),
  userData: text({ computed: true }),
  userDataBase64: text({ computed: true }),
  userDataReplaceOnChange: flag({ default: false }),
  volumeTags: map(),
  vpcSecurityGroupIds: set(text(), { computed: true }),
};

type Inputs = ValuesOf<typeof inputs>;

/** What user data is sent as. */
const encoded = ({ userData, userDataBase64 }: Inputs): string | undefined =>
  userDataBase64 ?? (userData === undefined ? undefined : Buffer.from(userData).toString("base64"));

const metadataOf = (options: NonNullable<Inputs["metadataOptions"]>): RunInstancesCommandInput["MetadataOptions"] => ({
  HttpEndpoint: (options.httpEndpoint ?? "enabled") as "enabled",
  HttpProtocolIpv6: options.httpProtocolIpv6 as "enabled" | undefined,
  HttpPutResponseHopLimit: options.httpPutResponseHopLimit,
  HttpTokens: options.httpTokens as "required" | undefined,
  InstanceMetadataTags: options.instanceMetadataTags as "enabled" | undefined,
});

/** The root volume as the image names it, with what the program wants of it. */
async function rootOf(api: Api, wanted: Inputs): Promise<Pick<RunInstancesCommandInput, "BlockDeviceMappings">> {
  const root = wanted.rootBlockDevice;
  if (root === undefined) return {};
  const ec2 = await api.client("ec2");
  const { Images } = await ec2.describeImages({ ImageIds: [wanted.ami!] });
  const DeviceName = Images?.[0]?.RootDeviceName ?? "/dev/sda1";
  return {
    BlockDeviceMappings: [
      {
        DeviceName,
        Ebs: {
          DeleteOnTermination: root.deleteOnTermination,
          Encrypted: root.encrypted,
          Iops: root.iops,
          KmsKeyId: root.kmsKeyId,
          Throughput: root.throughput,
          VolumeSize: root.volumeSize,
          VolumeType: root.volumeType as VolumeType | undefined,
        },
      },
    ],
  };
}

function runArguments(wanted: Inputs): RunInstancesCommandInput {
  const { instanceType, creditSpecification, maintenanceOptions, metadataOptions, associatePublicIpAddress } = wanted;
  const groups = wanted.vpcSecurityGroupIds;
  // A public address can be asked for only of a network interface, which then takes the subnet and the groups.
  const network =
    associatePublicIpAddress === undefined
      ? { SubnetId: wanted.subnetId, PrivateIpAddress: wanted.privateIp, SecurityGroupIds: groups }
      : {
          NetworkInterfaces: [
            {
              DeviceIndex: 0,
              AssociatePublicIpAddress: associatePublicIpAddress,
              SubnetId: wanted.subnetId,
              PrivateIpAddress: wanted.privateIp,
              Groups: groups,
            },
          ],
        };
  const tags = [
    ...(tagSpecification("instance", wanted.tags).TagSpecifications ?? []),
    ...(tagSpecification("volume", { ...wanted.volumeTags, ...wanted.rootBlockDevice?.tags }).TagSpecifications ?? []),
  ];
  return {
    MinCount: 1,
    MaxCount: 1,
    ClientToken: randomUUID(),
    ImageId: wanted.ami,
    InstanceType: instanceType as _InstanceType | undefined,
    KeyName: wanted.keyName,
    ...network,
    ...(wanted.availabilityZone === undefined && wanted.tenancy === undefined
      ? {}
      : { Placement: { AvailabilityZone: wanted.availabilityZone, Tenancy: wanted.tenancy as "default" | undefined } }),
    ...(wanted.iamInstanceProfile === undefined ? {} : { IamInstanceProfile: { Name: wanted.iamInstanceProfile } }),
    DisableApiStop: wanted.disableApiStop,
    DisableApiTermination: wanted.disableApiTermination,
    EbsOptimized: wanted.ebsOptimized,
    InstanceInitiatedShutdownBehavior: wanted.instanceInitiatedShutdownBehavior as "stop" | undefined,
    ...(wanted.hibernation === undefined ? {} : { HibernationOptions: { Configured: wanted.hibernation } }),
    ...(wanted.monitoring === undefined ? {} : { Monitoring: { Enabled: wanted.monitoring } }),
    ...(creditSpecification?.cpuCredits === undefined
      ? {}
      : { CreditSpecification: { CpuCredits: creditSpecification.cpuCredits } }),
    ...(maintenanceOptions?.autoRecovery === undefined
      ? {}
      : { MaintenanceOptions: { AutoRecovery: maintenanceOptions.autoRecovery as "default" } }),
    ...(metadataOptions === undefined ? {} : { MetadataOptions: metadataOf(metadataOptions)! }),
    UserData: encoded(wanted),
    ...(tags.length === 0 ? {} : { TagSpecifications: tags }),
  };
}

/** What can be changed only of an instance that is stopped. */
const cold = ["instanceType", "ebsOptimized", "userData", "userDataBase64"] as const;

async function changeCold(api: Api, id: string, wanted: Inputs, changed: ReadonlySet<string>): Promise<void> {
  if (!cold.some((name) => changed.has(name))) return;
  const ec2 = await api.client("ec2");
  await stopped(api, id);
  const set = (attribute: object): Promise<unknown> => ec2.modifyInstanceAttribute({ InstanceId: id, ...attribute });
  if (changed.has("instanceType")) await set({ InstanceType: { Value: wanted.instanceType } });
  if (changed.has("ebsOptimized")) await set({ EbsOptimized: { Value: wanted.ebsOptimized } });
  if (changed.has("userData") || changed.has("userDataBase64")) {
    await set({ UserData: { Value: Buffer.from(encoded(wanted) ?? "", "base64") } });
  }
  await started(api, id);
}

async function changeWarm(api: Api, id: string, wanted: Inputs, changed: ReadonlySet<string>): Promise<void> {
  const ec2 = await api.client("ec2");
  const set = (attribute: object): Promise<unknown> => ec2.modifyInstanceAttribute({ InstanceId: id, ...attribute });
  if (changed.has("vpcSecurityGroupIds")) await set({ Groups: wanted.vpcSecurityGroupIds });
  if (changed.has("sourceDestCheck")) await set({ SourceDestCheck: { Value: wanted.sourceDestCheck } });
  if (changed.has("disableApiTermination"))
    await set({ DisableApiTermination: { Value: wanted.disableApiTermination } });
  if (changed.has("disableApiStop")) await set({ DisableApiStop: { Value: wanted.disableApiStop } });
  if (changed.has("instanceInitiatedShutdownBehavior")) {
    await set({ InstanceInitiatedShutdownBehavior: { Value: wanted.instanceInitiatedShutdownBehavior } });
  }
  if (changed.has("monitoring")) {
    await (wanted.monitoring === true
      ? ec2.monitorInstances({ InstanceIds: [id] })
      : ec2.unmonitorInstances({ InstanceIds: [id] }));
  }
  if (changed.has("metadataOptions") && wanted.metadataOptions !== undefined) {
    await ec2.modifyInstanceMetadataOptions({ InstanceId: id, ...metadataOf(wanted.metadataOptions) });
  }
  if (changed.has("maintenanceOptions")) {
    const AutoRecovery = wanted.maintenanceOptions?.autoRecovery as "default" | undefined;
    await ec2.modifyInstanceMaintenanceOptions({ InstanceId: id, AutoRecovery });
  }
  if (changed.has("creditSpecification")) {
    const CpuCredits = wanted.creditSpecification?.cpuCredits;
    await ec2.modifyInstanceCreditSpecification({ InstanceCreditSpecifications: [{ InstanceId: id, CpuCredits }] });
  }
  if (changed.has("iamInstanceProfile")) await changeProfile(api, id, wanted.iamInstanceProfile);
}

async function changeProfile(api: Api, id: string, profile: string | undefined): Promise<void> {
  const ec2 = await api.client("ec2");
  const filter = { Filters: [{ Name: "instance-id", Values: [id] }] };
  const { IamInstanceProfileAssociations } = await ec2.describeIamInstanceProfileAssociations(filter);
  const AssociationId = IamInstanceProfileAssociations?.[0]?.AssociationId;
  const IamInstanceProfile = { Name: profile };
  await retry(api, /Invalid IAM Instance Profile|InvalidParameterValue/, async () => {
    if (profile === undefined) await ec2.disassociateIamInstanceProfile({ AssociationId });
    else if (AssociationId === undefined) await ec2.associateIamInstanceProfile({ InstanceId: id, IamInstanceProfile });
    else await ec2.replaceIamInstanceProfileAssociation({ AssociationId, IamInstanceProfile });
  });
}

async function changeRoot(api: Api, olds: Values, wanted: Inputs): Promise<void> {
  const before = (olds["rootBlockDevice"] ?? {}) as { volumeId?: string } & NonNullable<Inputs["rootBlockDevice"]>;
  const after = wanted.rootBlockDevice;
  if (after === undefined || before.volumeId === undefined) return;
  const differs = (["volumeSize", "volumeType", "iops", "throughput"] as const).some(
    (name) => after[name] !== undefined && after[name] !== before[name],
  );
  if (differs) {
    const { volumeSize: size, volumeType: type, iops, throughput } = after;
    await modifyVolume(api, before.volumeId, { size, type, iops, throughput });
  }
  if (after.tags !== undefined) await changeEc2Tags(api, before.volumeId, { tags: before.tags ?? {} }, after);
}

/** Tags that the program has for the disks go to all that are at the machine, as the provider has it. */
async function changeVolumeTags(api: Api, id: string, olds: Values, { volumeTags }: Inputs): Promise<void> {
  const disks = (await findInstance(api, id))?.BlockDeviceMappings ?? [];
  for (const VolumeId of disks.flatMap(({ Ebs }) => Ebs?.VolumeId ?? [])) {
    await changeEc2Tags(api, VolumeId, { tags: olds["volumeTags"] ?? {} }, { tags: volumeTags });
  }
}

/** aws.ec2.Instance. */
export const instance = resource({
  token: "aws:ec2/instance:Instance",
  inputs,
  outputs: ["arn", "instanceState", "primaryNetworkInterfaceId", "privateDns", "publicDns", "publicIp", "tagsAll"],
  minutes: 20,
  check(wanted) {
    const { volumeType: type, volumeSize: size, iops, throughput } = wanted.rootBlockDevice ?? {};
    const names = {
      size: "rootBlockDevice.volumeSize",
      iops: "rootBlockDevice.iops",
      throughput: "rootBlockDevice.throughput",
    };
    return volumeFailures({ type: type ?? "gp2", size, iops, throughput }, names);
  },
  lint: ({ instanceType, ami }) => ({
    type: "AWS::EC2::Instance",
    properties: { InstanceType: instanceType, ImageId: ami },
    names: { ImageId: "ami" },
  }),
  replaces: (name, _, news) =>
    (name === "userData" || name === "userDataBase64") && news["userDataReplaceOnChange"] === true,
  async create(api, wanted, made) {
    const ec2 = await api.client("ec2");
    const root = await rootOf(api, wanted);
    const args = { ...runArguments(wanted), ...root };
    // A profile or a role that was made just before isn't known to EC2 at once.
    const { Instances } = await retry(
      api,
      /Invalid IAM Instance Profile|instance profile.*(no|not).*(role|exist)/i,
      () => ec2.runInstances(args),
    );
    const id = Instances?.[0]?.InstanceId ?? "";
    made(id);
    await running(api, id);
    if (!wanted.sourceDestCheck) {
      await ec2.modifyInstanceAttribute({ InstanceId: id, SourceDestCheck: { Value: false } });
    }
    return id;
  },
  read: (api, id, state) => observeInstance(api, id, state),
  async update(api, id, { news, olds, changed }) {
    await changeWarm(api, id, news, changed);
    if (changed.has("rootBlockDevice")) await changeRoot(api, olds, news);
    await changeCold(api, id, news, changed);
    if (changed.has("volumeTags")) await changeVolumeTags(api, id, olds, news);
    await changeEc2Tags(api, id, olds, news);
  },
  async remove(api, id, state) {
    const ec2 = await api.client("ec2");
    if ((await findInstance(api, id)) === undefined) return;
    if (state["forceDestroy"] === true) {
      await ec2.modifyInstanceAttribute({ InstanceId: id, DisableApiTermination: { Value: false } });
    }
    await ec2.terminateInstances({ InstanceIds: [id] });
    await waitFor(api, `instance ${id} is terminated`, async () =>
      (await findInstance(api, id)) === undefined ? true : undefined,
    );
  },
});
