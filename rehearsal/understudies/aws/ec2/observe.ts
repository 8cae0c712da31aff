import type { Instance, InstanceBlockDeviceMapping } from "@aws-sdk/client-ec2";
import type { Api } from "../api";
import type { Values } from "../schema";
import { ifThere } from "../steps";
import { observedTags } from "../tags";
import { findInstance } from "./power";

/** The volumes of an instance besides its root, as the program names their properties. */
export async function ebsBlockDevicesOf(api: Api, instance: Instance): Promise<Values[]> {
  const others = (instance.BlockDeviceMappings ?? []).filter(
    ({ DeviceName }) => DeviceName !== instance.RootDeviceName,
  );
  return (await Promise.all(others.map((mapping) => volumeOf(api, mapping)))).filter((found) => found !== undefined);
}

async function rootOf(api: Api, instance: Instance): Promise<Values | undefined> {
  const mapping = instance.BlockDeviceMappings?.find(({ DeviceName }) => DeviceName === instance.RootDeviceName);
  return mapping === undefined ? undefined : volumeOf(api, mapping);
}

async function volumeOf(api: Api, mapping: InstanceBlockDeviceMapping): Promise<Values | undefined> {
  const id = mapping.Ebs?.VolumeId;
  if (id === undefined) return undefined;
  const ec2 = await api.client("ec2");
  const volume = (await ifThere(ec2.describeVolumes({ VolumeIds: [id] })))?.Volumes?.[0];
  if (volume === undefined) return undefined;
  return {
    volumeId: id,
    deviceName: mapping.DeviceName,
    deleteOnTermination: mapping.Ebs?.DeleteOnTermination ?? false,
    encrypted: volume.Encrypted ?? false,
    iops: volume.Iops,
    kmsKeyId: volume.KmsKeyId,
    throughput: volume.Throughput,
    volumeSize: volume.Size,
    volumeType: volume.VolumeType,
    ...observedTags(volume.Tags),
  };
}

/** Of all disks together, where the program has tags for them: those that came later, too (the provider's `readVolumeTags`). */
async function volumeTagsOf(api: Api, instance: Instance, state: Values): Promise<Values> {
  if (state["volumeTags"] === undefined) return {};
  const ids = (instance.BlockDeviceMappings ?? []).flatMap(({ Ebs }) => Ebs?.VolumeId ?? []);
  if (ids.length === 0) return {};
  const ec2 = await api.client("ec2");
  const { Volumes = [] } = await ec2.describeVolumes({ VolumeIds: ids });
  return { volumeTags: Object.assign({}, ...Volumes.map(({ Tags }) => observedTags(Tags)["tags"])) as Values };
}

async function attributesOf(api: Api, id: string): Promise<Values> {
  const ec2 = await api.client("ec2");
  const of = (Attribute: Parameters<typeof ec2.describeInstanceAttribute>[0]["Attribute"]) =>
    ec2.describeInstanceAttribute({ InstanceId: id, Attribute });
  const [termination, stop, shutdown, userData] = await Promise.all([
    of("disableApiTermination"),
    of("disableApiStop"),
    of("instanceInitiatedShutdownBehavior"),
    of("userData"),
  ]);
  return {
    disableApiTermination: termination.DisableApiTermination?.Value,
    disableApiStop: stop.DisableApiStop?.Value,
    instanceInitiatedShutdownBehavior: shutdown.InstanceInitiatedShutdownBehavior?.Value,
    userData: userData.UserData?.Value,
  };
}

/** Only types of the T families have credits (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/burstable-performance-instances.html). */
async function creditsOf(api: Api, instance: Instance): Promise<Values | undefined> {
  if (!/^t\d/.test(instance.InstanceType ?? "")) return undefined;
  const ec2 = await api.client("ec2");
  const found = await ec2.describeInstanceCreditSpecifications({ InstanceIds: [instance.InstanceId!] });
  return { cpuCredits: found.InstanceCreditSpecifications?.[0]?.CpuCredits };
}

/** User data in the property that the program has it in: as a text or as base64. */
function userDataOf(base64: unknown, state: Values): Values {
  if (typeof base64 !== "string" || base64 === "") return { userData: undefined, userDataBase64: undefined };
  if (state["userDataBase64"] !== undefined) return { userDataBase64: base64 };
  return { userData: Buffer.from(base64, "base64").toString() };
}

/** All that AWS tells of an instance. */
export async function observeInstance(api: Api, id: string, state: Values): Promise<Values | undefined> {
  const instance = await findInstance(api, id);
  if (instance === undefined) return undefined;
  const [root, { userData, ...attributes }, credits, volumeTags] = await Promise.all([
    rootOf(api, instance),
    attributesOf(api, id),
    creditsOf(api, instance),
    volumeTagsOf(api, instance, state),
  ]);
  const metadata = instance.MetadataOptions;
  const profile = instance.IamInstanceProfile?.Arn?.split("/").at(-1);
  return {
    ...attributes,
    ...userDataOf(userData, state),
    arn: `arn:${api.partition}:ec2:${api.region}:${await api.account()}:instance/${id}`,
    ami: instance.ImageId,
    associatePublicIpAddress: (instance.PublicIpAddress ?? "") !== "",
    availabilityZone: instance.Placement?.AvailabilityZone,
    creditSpecification: credits,
    ebsOptimized: instance.EbsOptimized ?? false,
    iamInstanceProfile: profile ?? "",
    instanceState: instance.State?.Name,
    instanceType: instance.InstanceType,
    keyName: instance.KeyName ?? "",
    maintenanceOptions: { autoRecovery: instance.MaintenanceOptions?.AutoRecovery ?? "default" },
    metadataOptions: {
      httpEndpoint: metadata?.HttpEndpoint,
      httpProtocolIpv6: metadata?.HttpProtocolIpv6,
      httpPutResponseHopLimit: metadata?.HttpPutResponseHopLimit,
      httpTokens: metadata?.HttpTokens,
      instanceMetadataTags: metadata?.InstanceMetadataTags,
    },
    monitoring: instance.Monitoring?.State === "enabled" || instance.Monitoring?.State === "pending",
    primaryNetworkInterfaceId: instance.NetworkInterfaces?.[0]?.NetworkInterfaceId,
    privateDns: instance.PrivateDnsName,
    privateIp: instance.PrivateIpAddress,
    publicDns: instance.PublicDnsName ?? "",
    publicIp: instance.PublicIpAddress ?? "",
    rootBlockDevice: root,
    sourceDestCheck: instance.SourceDestCheck ?? true,
    subnetId: instance.SubnetId,
    tenancy: instance.Placement?.Tenancy,
    ...volumeTags,
    vpcSecurityGroupIds: (instance.SecurityGroups ?? []).map(({ GroupId }) => GroupId).sort(),
    ...observedTags(instance.Tags),
  };
}
