import type { Address, EC2Client, Instance } from "@aws-sdk/client-ec2";
import type { DriverIo } from "../driver";
import type { HostKeySpec } from "./spec";

/** Tags by which a host's machines are known. */
export const machineTags = {
  stack: "homeport:stack",
  host: "homeport:host",
  /** Set from the second machine of a host on. */
  generation: "homeport:generation",
} as const;

type Machine = Required<Pick<HostKeySpec, "instanceId" | "host" | "stack" | "generation">>;

/**
 * The machines that a run made and was cut off before it could remember them: they bear the host's tags, and nothing was
 * ever given to them, neither the host's address nor its disk. Whatever has one of these is somebody's, and left alone.
 */
export function orphansAmong(
  instances: readonly Instance[],
  addresses: readonly Address[],
  { instanceId, stack, host, generation }: Machine,
): Instance[] {
  const wanted: Readonly<Record<string, string | undefined>> = {
    [machineTags.stack]: stack,
    [machineTags.host]: host,
    [machineTags.generation]: generation === 1 ? undefined : String(generation),
  };
  return instances.filter((instance) => {
    const tagOf = (key: string): string | undefined => instance.Tags?.find(({ Key }) => Key === key)?.Value;
    return (
      instance.InstanceId !== instanceId &&
      Object.entries(wanted).every(([key, value]) => tagOf(key) === value) &&
      (instance.BlockDeviceMappings ?? []).every(({ DeviceName }) => DeviceName === instance.RootDeviceName) &&
      !addresses.some(({ InstanceId }) => InstanceId === instance.InstanceId)
    );
  });
}

/** Ends them, so that a host that is made by the next run isn't there twice. Of an ended one nothing is lost. */
export async function endOrphans(client: EC2Client, machine: Machine, io: DriverIo): Promise<void> {
  const sdk = await import("@aws-sdk/client-ec2");
  const options = { abortSignal: io.signal };
  const Filters = [
    { Name: `tag:${machineTags.stack}`, Values: [machine.stack] },
    { Name: `tag:${machineTags.host}`, Values: [machine.host] },
    { Name: "instance-state-name", Values: ["pending", "running", "stopping", "stopped"] },
  ];
  const [{ Reservations }, { Addresses }] = await Promise.all([
    client.send(new sdk.DescribeInstancesCommand({ Filters }), options),
    client.send(new sdk.DescribeAddressesCommand({}), options),
  ]);
  const found = (Reservations ?? []).flatMap(({ Instances }) => Instances ?? []);
  for (const { InstanceId } of orphansAmong(found, Addresses ?? [], machine)) {
    if (InstanceId === undefined) continue;
    io.progress(`${machine.host}: ends ${InstanceId}, which a run that was cut off has left`);
    const unprotect = { InstanceId, DisableApiTermination: { Value: false } };
    await client.send(new sdk.ModifyInstanceAttributeCommand(unprotect), options);
    await client.send(new sdk.TerminateInstancesCommand({ InstanceIds: [InstanceId] }), options);
  }
}
