import { crc32 } from "node:zlib";
import { randomUUID } from "node:crypto";
import type { Volume, VolumeType } from "@aws-sdk/client-ec2";
import type { Api } from "../api";
import { type Failure, resource } from "../resource";
import { type Values, flag, map, number, text } from "../schema";
import { ifThere, removed, retry, waitFor } from "../steps";
import { observedTags } from "../tags";
import { stopped, started } from "./power";
import { changeEc2Tags, tagSpecification } from "./tags";

/** The types of volumes there are (https://docs.aws.amazon.com/ebs/latest/userguide/ebs-volume-types.html). */
export const volumeTypes = ["gp2", "gp3", "io1", "io2", "sc1", "st1", "standard"];

/** Sizes in GiB, operations a second and MiB a second, from the same page. */
const limits: Readonly<
  Record<string, { size: [number, number]; iops?: [number, number]; throughput?: [number, number] }>
> = {
  gp2: { size: [1, 16_384] },
  gp3: { size: [1, 65_536], iops: [3_000, 80_000], throughput: [125, 2_000] },
  io1: { size: [4, 16_384], iops: [100, 64_000] },
  io2: { size: [4, 65_536], iops: [100, 256_000] },
  st1: { size: [125, 16_384] },
  sc1: { size: [125, 16_384] },
  standard: { size: [1, 1_024] },
};

/** What AWS would refuse of a volume. */
export function volumeFailures(
  volume: {
    type?: string | undefined;
    size?: number | undefined;
    iops?: number | undefined;
    throughput?: number | undefined;
  },
  names = { size: "size", iops: "iops", throughput: "throughput" },
): Failure[] {
  const type = volume.type ?? "gp2";
  const limit = limits[type];
  if (limit === undefined) return [];
  return (["size", "iops", "throughput"] as const).flatMap((name) => {
    const [value, range] = [volume[name], limit[name]];
    if (value === undefined) return [];
    if (range === undefined) return [{ property: names[name], reason: `a volume of type ${type} takes no ${name}` }];
    const [least, most] = range;
    if (value >= least && value <= most) return [];
    return [{ property: names[name], reason: `a volume of type ${type} takes ${least} to ${most}, got ${value}` }];
  });
}

/** A volume that is there and not on its way out. */
export async function findVolume(api: Api, id: string): Promise<Volume | undefined> {
  const ec2 = await api.client("ec2");
  const volume = (await ifThere(ec2.describeVolumes({ VolumeIds: [id] })))?.Volumes?.[0];
  return volume?.State === "deleted" || volume?.State === "deleting" ? undefined : volume;
}

/** Changes a volume in place, whether attached or not, and waits until its new size can be used. */
export async function modifyVolume(
  api: Api,
  id: string,
  wanted: {
    size?: number | undefined;
    type?: string | undefined;
    iops?: number | undefined;
    throughput?: number | undefined;
  },
): Promise<void> {
  const ec2 = await api.client("ec2");
  await ec2.modifyVolume({
    VolumeId: id,
    Size: wanted.size,
    VolumeType: wanted.type as VolumeType | undefined,
    Iops: wanted.iops,
    Throughput: wanted.throughput,
  });
  await waitFor(api, `volume ${id} is modified`, async () => {
    const found = await ifThere(ec2.describeVolumesModifications({ VolumeIds: [id] }));
    const state = found?.VolumesModifications?.at(-1)?.ModificationState;
    if (state === "failed") throw new Error(`the modification of volume ${id} failed`);
    return state === undefined || state === "optimizing" || state === "completed" ? true : undefined;
  });
}

/** aws.ebs.Volume. It can't shrink: AWS refuses a smaller size. */
export const volume = resource({
  token: "aws:ebs/volume:Volume",
  inputs: {
    availabilityZone: text({ required: true, replaces: true }),
    encrypted: flag({ replaces: true, computed: true }),
    finalSnapshot: flag({ default: false }),
    iops: number({ computed: true }),
    kmsKeyId: text({ replaces: true, computed: true }),
    multiAttachEnabled: flag({ replaces: true }),
    size: number({ computed: true }),
    snapshotId: text({ replaces: true, computed: true }),
    tags: map(),
    throughput: number({ computed: true }),
    type: text({ computed: true, oneOf: volumeTypes }),
  },
  outputs: ["arn", "createTime", "tagsAll"],
  check: volumeFailures,
  lint: ({ type, kmsKeyId, availabilityZone, size }) => ({
    type: "AWS::EC2::Volume",
    properties: { AvailabilityZone: availabilityZone, VolumeType: type, Size: size, KmsKeyId: kmsKeyId },
    names: { VolumeType: "type" },
  }),
  async create(api, inputs, made) {
    const ec2 = await api.client("ec2");
    const { VolumeId } = await ec2.createVolume({
      AvailabilityZone: inputs.availabilityZone,
      ClientToken: randomUUID(),
      Encrypted: inputs.encrypted,
      Iops: inputs.iops,
      KmsKeyId: inputs.kmsKeyId,
      MultiAttachEnabled: inputs.multiAttachEnabled,
      Size: inputs.size,
      SnapshotId: inputs.snapshotId,
      Throughput: inputs.throughput,
      VolumeType: inputs.type as VolumeType | undefined,
      ...tagSpecification("volume", inputs.tags),
    });
    made(VolumeId!);
    await waitFor(api, `volume ${VolumeId!} is available`, async () =>
      (await findVolume(api, VolumeId!))?.State === "available" ? true : undefined,
    );
    return VolumeId!;
  },
  async read(api, id) {
    const found = await findVolume(api, id);
    if (found === undefined) return undefined;
    return {
      arn: `arn:${api.partition}:ec2:${api.region}:${await api.account()}:volume/${id}`,
      availabilityZone: found.AvailabilityZone,
      createTime: found.CreateTime?.toISOString(),
      encrypted: found.Encrypted,
      iops: found.Iops,
      kmsKeyId: found.KmsKeyId,
      multiAttachEnabled: found.MultiAttachEnabled ?? false,
      size: found.Size,
      snapshotId: found.SnapshotId ?? "",
      throughput: found.Throughput,
      type: found.VolumeType,
      ...observedTags(found.Tags),
    };
  },
  async update(api, id, { olds, news, changed }) {
    if (["size", "type", "iops", "throughput"].some((name) => changed.has(name))) await modifyVolume(api, id, news);
    await changeEc2Tags(api, id, olds, news);
  },
  async remove(api, id, state) {
    const ec2 = await api.client("ec2");
    if ((await findVolume(api, id)) === undefined) return;
    if (state["finalSnapshot"] === true) {
      const { SnapshotId } = await ec2.createSnapshot({
        VolumeId: id,
        ...tagSpecification("snapshot", state["tags"] as never),
      });
      await waitFor(api, `the last snapshot of ${id} is complete`, async () => {
        const { Snapshots } = await ec2.describeSnapshots({ SnapshotIds: [SnapshotId!] });
        return Snapshots?.[0]?.State === "completed" ? true : undefined;
      });
    }
    await removed(retry(api, /VolumeInUse/, () => ec2.deleteVolume({ VolumeId: id })));
    await waitFor(api, `volume ${id} is deleted`, async () =>
      (await findVolume(api, id)) === undefined ? true : undefined,
    );
  },
});

const attachmentId = (state: Values): string =>
  `vai-${crc32(`${String(state["deviceName"])}-${String(state["instanceId"])}-${String(state["volumeId"])}-`)}`;

/** aws.ec2.VolumeAttachment. Its id is the official provider's: AWS gives it none. */
export const volumeAttachment = resource({
  token: "aws:ec2/volumeAttachment:VolumeAttachment",
  inputs: {
    deviceName: text({ required: true, replaces: true }),
    instanceId: text({ required: true, replaces: true }),
    volumeId: text({ required: true, replaces: true }),
    forceDetach: flag(),
    skipDestroy: flag(),
    stopInstanceBeforeDetaching: flag(),
  },
  outputs: [],
  async create(api, inputs) {
    const ec2 = await api.client("ec2");
    const { deviceName: Device, instanceId: InstanceId, volumeId: VolumeId } = inputs;
    const isAttached = async (): Promise<true | undefined> => {
      const attachment = (await findVolume(api, VolumeId))?.Attachments?.find((each) => each.InstanceId === InstanceId);
      return attachment?.State === "attached" ? true : undefined;
    };
    if ((await isAttached()) === undefined) {
      await retry(api, /IncorrectState|IncorrectInstanceState/, () =>
        ec2.attachVolume({ Device, InstanceId, VolumeId }),
      );
    }
    await waitFor(api, `volume ${VolumeId} is attached to ${InstanceId}`, isAttached);
    return attachmentId(inputs);
  },
  async read(api, _, state) {
    const found = await findVolume(api, String(state["volumeId"]));
    const attachment = found?.Attachments?.find((each) => each.InstanceId === state["instanceId"]);
    if (attachment === undefined || attachment.State === "detached") return undefined;
    return { deviceName: attachment.Device, instanceId: attachment.InstanceId, volumeId: attachment.VolumeId };
  },
  update: () => Promise.resolve(),
  async remove(api, _, state) {
    const ec2 = await api.client("ec2");
    const [InstanceId, VolumeId] = [String(state["instanceId"]), String(state["volumeId"])];
    const attached = async (): Promise<boolean> =>
      (await findVolume(api, VolumeId))?.Attachments?.some((each) => each.InstanceId === InstanceId) === true;
    if (state["skipDestroy"] === true || !(await attached())) return;
    const stops = state["stopInstanceBeforeDetaching"] === true;
    if (stops) await stopped(api, InstanceId);
    await removed(
      ec2.detachVolume({
        Device: String(state["deviceName"]),
        InstanceId,
        VolumeId,
        Force: state["forceDetach"] === true,
      }),
    );
    await waitFor(api, `volume ${VolumeId} is detached from ${InstanceId}`, async () =>
      (await attached()) ? undefined : true,
    );
    if (stops) await started(api, InstanceId);
  },
});
