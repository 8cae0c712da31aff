import { resource } from "../resource";
import { flag, map, text } from "../schema";
import { ifThere, removed, retry, waitFor } from "../steps";
import { observedTags } from "../tags";
import { changeEc2Tags, tagSpecification } from "./tags";

/** aws.ec2.Eip: an address. That it belongs to an instance is either its own `instance` or an aws.ec2.EipAssociation. */
export const eip = resource({
  token: "aws:ec2/eip:Eip",
  inputs: {
    domain: text({ replaces: true, computed: true, oneOf: ["vpc"] }),
    instance: text({ computed: true }),
    associateWithPrivateIp: text(),
    address: text({ replaces: true }),
    networkBorderGroup: text({ replaces: true, computed: true }),
    tags: map(),
  },
  outputs: [
    "allocationId",
    "arn",
    "associationId",
    "networkInterface",
    "privateDns",
    "privateIp",
    "publicDns",
    "publicIp",
    "tagsAll",
  ],
  async create(api, inputs, made) {
    const ec2 = await api.client("ec2");
    const { AllocationId } = await ec2.allocateAddress({
      Domain: "vpc",
      Address: inputs.address,
      NetworkBorderGroup: inputs.networkBorderGroup,
      ...tagSpecification("elastic-ip", inputs.tags),
    });
    made(AllocationId!);
    if (inputs.instance !== undefined) {
      await ec2.associateAddress({
        AllocationId,
        InstanceId: inputs.instance,
        PrivateIpAddress: inputs.associateWithPrivateIp,
      });
    }
    return AllocationId!;
  },
  async read(api, id) {
    const ec2 = await api.client("ec2");
    const address = (await ifThere(ec2.describeAddresses({ AllocationIds: [id] })))?.Addresses?.[0];
    if (address === undefined) return undefined;
    const zone = api.region === "us-east-1" ? "compute-1" : `${api.region}.compute`;
    const dashed = (ip: string | undefined): string => (ip ?? "").replaceAll(".", "-");
    return {
      allocationId: id,
      arn: `arn:${api.partition}:ec2:${api.region}:${await api.account()}:elastic-ip/${id}`,
      associationId: address.AssociationId ?? "",
      domain: address.Domain,
      instance: address.InstanceId ?? "",
      networkInterface: address.NetworkInterfaceId ?? "",
      networkBorderGroup: address.NetworkBorderGroup,
      privateIp: address.PrivateIpAddress,
      publicIp: address.PublicIp,
      publicDns: `ec2-${dashed(address.PublicIp)}.${zone}.amazonaws.com`,
      ...observedTags(address.Tags),
    };
  },
  async update(api, id, { olds, news, changed }) {
    const ec2 = await api.client("ec2");
    if (changed.has("instance") || changed.has("associateWithPrivateIp")) {
      const association = olds["associationId"];
      if (typeof association === "string" && association !== "") {
        await removed(ec2.disassociateAddress({ AssociationId: association }));
      }
      if (news.instance !== undefined) {
        await ec2.associateAddress({
          AllocationId: id,
          InstanceId: news.instance,
          PrivateIpAddress: news.associateWithPrivateIp,
          AllowReassociation: true,
        });
      }
    }
    await changeEc2Tags(api, id, olds, news);
  },
  async remove(api, id) {
    const ec2 = await api.client("ec2");
    const address = (await ifThere(ec2.describeAddresses({ AllocationIds: [id] })))?.Addresses?.[0];
    if (address === undefined) return;
    if (address.AssociationId !== undefined && address.AssociationId !== "") {
      await removed(ec2.disassociateAddress({ AssociationId: address.AssociationId }));
    }
    await removed(retry(api, /InUse/, () => ec2.releaseAddress({ AllocationId: id })));
  },
});

/** aws.ec2.EipAssociation. */
export const eipAssociation = resource({
  token: "aws:ec2/eipAssociation:EipAssociation",
  inputs: {
    allocationId: text({ replaces: true, computed: true }),
    allowReassociation: flag({ replaces: true }),
    instanceId: text({ replaces: true, computed: true }),
    networkInterfaceId: text({ replaces: true, computed: true }),
    privateIpAddress: text({ replaces: true, computed: true }),
    publicIp: text({ replaces: true, computed: true }),
  },
  outputs: [],
  async create(api, inputs) {
    const ec2 = await api.client("ec2");
    // An instance that is still starting takes no address.
    const { AssociationId } = await retry(api, /pending-instance|InvalidInstanceID|IncorrectInstanceState/, () =>
      ec2.associateAddress({
        AllocationId: inputs.allocationId,
        InstanceId: inputs.instanceId,
        NetworkInterfaceId: inputs.networkInterfaceId,
        PrivateIpAddress: inputs.privateIpAddress,
        AllowReassociation: inputs.allowReassociation ?? true,
      }),
    );
    const id = AssociationId ?? "";
    await waitFor(
      api,
      `the address is associated with ${inputs.instanceId ?? inputs.networkInterfaceId ?? "it"}`,
      async () =>
        (await ec2.describeAddresses({ Filters: [{ Name: "association-id", Values: [id] }] })).Addresses?.at(0),
    );
    return id;
  },
  async read(api, id) {
    const ec2 = await api.client("ec2");
    const found = await ifThere(ec2.describeAddresses({ Filters: [{ Name: "association-id", Values: [id] }] }));
    const address = found?.Addresses?.[0];
    if (address === undefined) return undefined;
    return {
      allocationId: address.AllocationId,
      instanceId: address.InstanceId ?? "",
      networkInterfaceId: address.NetworkInterfaceId ?? "",
      privateIpAddress: address.PrivateIpAddress ?? "",
      publicIp: address.PublicIp,
    };
  },
  async remove(api, id) {
    const ec2 = await api.client("ec2");
    await removed(ec2.disassociateAddress({ AssociationId: id }));
  },
});
