import type { Emulator } from "./emulator";
import { EmulatorError } from "./emulator";

/** A port that an instance's security group lets in. */
export interface OpenPort {
  readonly port: number;
  /** IPv4 CIDRs. */
  readonly from: readonly string[];
}

/** An instance that is there before the program, such as one that is to be adopted. */
export interface ExistingInstance {
  readonly id: string;
  readonly name: string;
  /** Default: us-east-1. */
  readonly region?: string;
  /** Default: the region's `a`. */
  readonly zone?: string;
  /** Default: t3.micro. */
  readonly type?: string;
  /** Default: the instance's name. */
  readonly keyName?: string;
  /** The id of its security group. Default: one that AWS chooses. */
  readonly securityGroup?: string;
  /** What its security group lets in. Default: SSH and nothing else from everywhere in the site. */
  readonly open?: readonly OpenPort[];
  /** The public parameter of its image. Default: Amazon Linux 2023. */
  readonly imageParameter?: string;
  /** Its root volume's size in GiB. Default: 8. */
  readonly rootSize?: number;
}

const amazonLinux = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64";

/** Makes it by AWS's API, but with the ids that it has. */
export async function makeExisting(emulator: Emulator, wish: ExistingInstance, publicKey: string): Promise<void> {
  const { id, name, region = "us-east-1", keyName = name, open = [{ port: 22, from: ["0.0.0.0/0"] }] } = wish;
  const PublicKeyMaterial = Buffer.from(publicKey).toString("base64");
  await emulator.ec2(region, "ImportKeyPair", { KeyName: keyName, PublicKeyMaterial }).catch((error: unknown) => {
    // Another instance came with it.
    if (!(error instanceof EmulatorError && error.message.includes("already exists"))) throw error;
  });
  const made = await emulator.ec2(
    region,
    "CreateSecurityGroup",
    { GroupName: `${name}-group`, GroupDescription: `Made by hand for ${name}` },
    wish.securityGroup === undefined ? {} : { group: wish.securityGroup },
  );
  const group = /<groupId>([^<]+)/.exec(made)?.[1] ?? "";
  for (const { port, from } of open) {
    const ranges = from.map((cidr, index) => [`IpPermissions.1.IpRanges.${index + 1}.CidrIp`, cidr]);
    await emulator.ec2(region, "AuthorizeSecurityGroupIngress", {
      GroupId: group,
      "IpPermissions.1.IpProtocol": "tcp",
      "IpPermissions.1.FromPort": String(port),
      "IpPermissions.1.ToPort": String(port),
      ...(Object.fromEntries(ranges) as Record<string, string>),
    });
  }
  const image = await emulator.parameter(region, wish.imageParameter ?? amazonLinux);
  await emulator.ec2(
    region,
    "RunInstances",
    {
      ImageId: image,
      MinCount: "1",
      MaxCount: "1",
      InstanceType: wish.type ?? "t3.micro",
      KeyName: keyName,
      "SecurityGroupId.1": group,
      "Placement.AvailabilityZone": wish.zone ?? `${region}a`,
      "MetadataOptions.HttpTokens": "required",
      "BlockDeviceMapping.1.DeviceName": "/dev/xvda",
      "BlockDeviceMapping.1.Ebs.VolumeSize": String(wish.rootSize ?? 8),
      "BlockDeviceMapping.1.Ebs.VolumeType": "gp3",
      "BlockDeviceMapping.1.Ebs.DeleteOnTermination": "true",
      "TagSpecification.1.ResourceType": "instance",
      "TagSpecification.1.Tag.1.Key": "Name",
      "TagSpecification.1.Tag.1.Value": name,
    },
    { instance: id },
  );
}
