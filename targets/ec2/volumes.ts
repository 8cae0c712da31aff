import { getEbsVolumes } from "@pulumi/aws/ebs/getEbsVolumes";
import { getVolume } from "@pulumi/aws/ebs/getVolume";
import { Volume } from "@pulumi/aws/ebs/volume";
import { VolumeAttachment } from "@pulumi/aws/ec2/volumeAttachment";
import { all, output, type ComponentResource, type Input, type Output } from "@pulumi/pulumi";
import { Size } from "../../components/values/size";
import { dataMount, type DataDisk } from "../systemd/host";
import { ask } from "./ask";
import { dataSize, tagsOf, type Ec2Host } from "./hosts";
import { snapshotTag } from "./snapshots";

/** A host's disk for data, on its machine. */
export interface AttachedDisk {
  readonly volumeId: Output<string>;
  /** Known once the disk is on the machine. */
  readonly dataDisk: Output<DataDisk>;
  /** Where the host mounts it. */
  readonly mount: string;
}

/** Where a data disk is to be. */
export interface DiskPlace {
  readonly zone: string;
  readonly instanceId: Output<string>;
  /** What `presentSize` tells. */
  readonly present: Size | undefined;
}

/**
 * The size of the disk that the host has by now, if it has one that the stack gives no size: an app that has left still had
 * room made for it, and a disk can't shrink.
 */
export async function presentSize({ name, region, stack, settings }: Ec2Host): Promise<Size | undefined> {
  if (settings.volume !== undefined || settings.dataSize !== undefined) return undefined;
  const look = <T>(answer: Promise<T>): Promise<T> =>
    ask(
      answer,
      `ec2:instances.${name}`,
      `The data disk can't be looked up in ${region}.`,
      "see whether `aws sts get-caller-identity` works here, and that it may describe volumes",
    );
  const attached = [{ name: "attachment.status", values: ["attached"] }];
  const [id] = (await look(getEbsVolumes({ region, filters: attached, tags: tagsOf(stack, name, "data") }))).ids;
  if (id === undefined) return undefined;
  const { size } = await look(getVolume({ region, filters: [{ name: "volume-id", values: [id] }] }));
  return Size.gib(size);
}

/**
 * The disk that a host's data lies on. It is a resource of its own, so that it outlives the machine. It grows in place;
 * AWS refuses to shrink it (EC2 API, ModifyVolume).
 */
export function dataVolume(
  parent: ComponentResource,
  host: Ec2Host,
  { zone, instanceId, present }: DiskPlace,
): AttachedDisk {
  const { name, region, settings } = host;
  const size = present === undefined ? dataSize(host) : largest(present, dataSize(host));
  const made = settings.volume === undefined ? newVolume(parent, host, zone, size) : undefined;
  const volumeId = made?.id ?? output(settings.volume ?? "");
  const attachment = new VolumeAttachment(
    `${name}-data-attachment`,
    {
      region,
      instanceId,
      volumeId,
      // What Nitro shows as an NVMe disk by its serial; the name is asked for and nothing more (EBS user guide, "Device names").
      deviceName: "/dev/sdf",
      // A disk that is written to must not be taken away: the machine that gives it up is stopped first.
      stopInstanceBeforeDetaching: true,
    },
    // A disk is on one machine at a time.
    { parent, deleteBeforeReplace: true },
  );
  // The size is for the deploys alone: one that has grown makes another plan, and the host grows the file system with it.
  const dataDisk = all([attachment.volumeId, output(made?.size)]).apply(([id, sizeGib]) => ({
    serial: id.replace("-", ""),
    ...(sizeGib === undefined ? {} : { sizeGib }),
  }));
  return { volumeId, dataDisk, mount: dataMount };
}

const largest = (one: Size, other: Size): Size => (one.compare(other) < 0 ? other : one);

function newVolume(parent: ComponentResource, host: Ec2Host, availabilityZone: Input<string>, size: Size): Volume {
  const { name, region, stack, settings, apps, protect } = host;
  // An app whose data a destroy is to keep has it on this disk.
  const keep = apps.some((app) => app.settings.onDelete === "keep data");
  return new Volume(
    `${name}-data`,
    {
      region,
      availabilityZone,
      size: size.toGib(),
      type: settings.volumeType ?? "gp3",
      encrypted: true,
      tags: { ...tagsOf(stack, name, "data"), ...snapshotTag(stack) },
    },
    { parent, protect, retainOnDelete: keep },
  );
}
