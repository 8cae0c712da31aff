import { Volume } from "@pulumi/aws/ebs/volume";
import { VolumeAttachment } from "@pulumi/aws/ec2/volumeAttachment";
import { all, output, type ComponentResource, type Input, type Output } from "@pulumi/pulumi";
import { dataMount, type DataDisk } from "../systemd/host";
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

/**
 * The disk that a host's data lies on. It is a resource of its own, so that it outlives the machine. It grows in place;
 * AWS refuses to shrink it (EC2 API, ModifyVolume).
 */
export function dataVolume(
  parent: ComponentResource,
  host: Ec2Host,
  zone: string,
  instanceId: Output<string>,
): AttachedDisk {
  const { name, region, settings } = host;
  const made = settings.volume === undefined ? newVolume(parent, host, zone) : undefined;
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

function newVolume(parent: ComponentResource, host: Ec2Host, availabilityZone: Input<string>): Volume {
  const { name, region, stack, settings, apps, protect } = host;
  // An app whose data a destroy is to keep has it on this disk.
  const keep = apps.some((app) => app.settings.onDelete === "keep data");
  return new Volume(
    `${name}-data`,
    {
      region,
      availabilityZone,
      size: dataSize(host).toGib(),
      type: settings.volumeType ?? "gp3",
      encrypted: true,
      tags: { ...tagsOf(stack, name, "data"), ...snapshotTag(stack) },
    },
    { parent, protect, retainOnDelete: keep },
  );
}
