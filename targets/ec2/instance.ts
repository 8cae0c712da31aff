import { Eip } from "@pulumi/aws/ec2/eip";
import { EipAssociation } from "@pulumi/aws/ec2/eipAssociation";
import { Instance } from "@pulumi/aws/ec2/instance";
import { getParameter } from "@pulumi/aws/ssm/getParameter";
import { all, type ComponentResource, type Input, type Output } from "@pulumi/pulumi";
import { machineTags } from "../../drivers/ec2/orphans";
import { ask } from "./ask";
import { rootSize, tagsOf, type Ec2Host } from "./hosts";
import { images } from "./images";
import type { Network } from "./network";
import { setPath } from "./setPath";

/** The newest image of a host's system in its region, or the configured one. */
export async function findImage({ name, region, os, type, settings }: Ec2Host): Promise<string> {
  if (settings.ami !== undefined) return settings.ami;
  const parameter = images[os].parameter(type?.architecture ?? "x86_64");
  // The value of a public parameter is no secret; `value` would make one of the image's id.
  const { insecureValue } = await ask(
    getParameter({ name: parameter, region }),
    `ec2:instances.${name}.os`,
    `The newest image of ${os} can't be looked up in ${region} (${parameter}).`,
    `see whether \`aws sts get-caller-identity\` works here, or name an image: ${setPath(name, "ami", "ami-0123456789abcdef0")}`,
  );
  return insecureValue;
}

/** What a new instance is made of. */
export interface InstanceParts {
  readonly image: string;
  readonly network: Network;
  readonly securityGroupId: Input<string>;
  readonly keyName: Input<string>;
  readonly profileName: Input<string>;
}

/**
 * A new instance. It gets no user data: all that it is to be comes by SSH. Its name has its generation, so that a raised one
 * is another resource: made before the one in its place is ended.
 */
export function newInstance(parent: ComponentResource, host: Ec2Host, parts: InstanceParts): Instance {
  const { name, region, stack, settings, protect, type } = host;
  const { image, network, securityGroupId, keyName, profileName } = parts;
  const { generation = 1 } = settings;
  return new Instance(
    generation === 1 ? `${name}-instance` : `${name}-instance-${generation}`,
    {
      region,
      ami: image,
      ...(type === undefined ? {} : { instanceType: type.name }),
      subnetId: network.subnetId,
      vpcSecurityGroupIds: [securityGroupId, ...(settings.securityGroups ?? [])],
      keyName,
      iamInstanceProfile: profileName,
      rootBlockDevice: {
        volumeType: settings.volumeType ?? "gp3",
        volumeSize: rootSize(host).toGib(),
        encrypted: true,
        deleteOnTermination: true,
      },
      // Credentials only for who can send a PUT from the machine itself: not for containers, nor through a proxy
      // (EC2 user guide, "Use the Instance Metadata Service").
      metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
      disableApiTermination: protect,
      tags: {
        ...tagsOf(stack, name),
        ...(generation === 1 ? {} : { [machineTags.generation]: String(generation) }),
      },
      // Sent with the request that makes the machine: who deploys may make, and later grow, only disks with the stack's tag.
      // `rootBlockDevice.tags` would come after it, by a call of its own.
      volumeTags: tagsOf(stack, name, "root"),
    },
    // A newer image is for the next machine: replacing one that runs is a person's decision, `generation`. A later look finds
    // the tags of all disks at the machine, of the data's as well, and to change them would take that one's away.
    { parent, protect, ignoreChanges: ["ami", "userData", "userDataBase64", "volumeTags"] },
  );
}

/** An address that stays with the host whatever its machine. @returns the address, known once it leads to the machine */
export function elasticIp(parent: ComponentResource, host: Ec2Host, instanceId: Output<string>): Output<string> {
  const { name, region, stack, protect } = host;
  const address = new Eip(
    `${name}-address`,
    { region, domain: "vpc", tags: tagsOf(stack, name) },
    // Domains point to it, and an address that was given back can't be had again.
    { parent, protect },
  );
  const association = new EipAssociation(
    `${name}-address-association`,
    // A new machine takes it over from the one before.
    { region, allocationId: address.id, instanceId, allowReassociation: true },
    { parent },
  );
  return all([address.publicIp, association.id]).apply(([ip]) => ip);
}
