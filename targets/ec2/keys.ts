import { KeyPair } from "@pulumi/aws/ec2/keyPair";
import * as command from "@pulumi/command";
import { all, secret, type ComponentResource, type Input, type Output } from "@pulumi/pulumi";
import { driverCommand } from "../../drivers/command";
import type { SshKey } from "../../drivers/ec2/openSshKey";
import type { HostKeyResult, HostKeySpec, KeySpec } from "../../drivers/ec2/spec";
import { ec2Connection, type AwsConnection } from "./awsConfig";
import { tagsOf, type Ec2Host } from "./hosts";
import { awsName } from "./names";

/** The stack's own SSH key: made once, kept as a secret in its state, and given to each region that has a new host. */
export class StackKey {
  private readonly pairs = new Map<string, Output<string>>();
  private made: Output<SshKey> | undefined;

  constructor(
    private readonly parent: ComponentResource,
    private readonly stack: string,
  ) {}

  get privateKey(): Output<string> {
    return secret(this.key.apply(({ privateKey }) => privateKey));
  }

  /** Name of the key pair in a region; made when it is first asked for. */
  nameIn(region: string): Output<string> {
    const known = this.pairs.get(region);
    if (known !== undefined) return known;
    const { stack, parent } = this;
    const { keyName } = new KeyPair(
      `ec2-key-${region}`,
      {
        region,
        keyName: awsName(stack, ["key"], 255),
        publicKey: this.key.apply(({ publicKey }) => publicKey),
        tags: tagsOf(stack),
      },
      { parent },
    );
    this.pairs.set(region, keyName);
    return keyName;
  }

  private get key(): Output<SshKey> {
    this.made ??= new command.local.Command(
      "ec2-key",
      {
        ...driverCommand("ec2", "key"),
        stdin: JSON.stringify({ comment: awsName(this.stack, ["key"], 255) } satisfies KeySpec),
      },
      { parent: this.parent, additionalSecretOutputs: ["stdout"] },
    ).stdout.apply((text) => JSON.parse(text) as SshKey);
    return this.made;
  }
}

/** The machine of a host whose key is asked for. */
interface Started {
  readonly instanceId: Output<string>;
  readonly instanceType: Output<string>;
  /** The host's address, once it leads to the machine. */
  readonly address: Output<string>;
}

/** The key that a new machine shows to SSH: as configured, else from its console, read once for each instance. */
export function hostKeyOf(
  parent: ComponentResource,
  host: Ec2Host,
  machine: Started,
  aws: AwsConnection,
): Input<string> {
  const { name, stack, region, session, settings } = host;
  if (settings.hostKey !== undefined) return settings.hostKey;
  const connection = ec2Connection(aws, region);
  const spec = all([machine.instanceId, machine.instanceType, machine.address]).apply(([instanceId, type, address]) =>
    JSON.stringify({
      connection,
      instanceId,
      host: name,
      stack,
      generation: settings.generation ?? 1,
      type,
      // Through Session Manager there is nothing that answers at an address.
      ...(session ? {} : { address }),
    } satisfies HostKeySpec),
  );
  return new command.local.Command(
    `${name}-host-key`,
    { ...driverCommand("ec2", "hostKey"), stdin: secret(spec), environment: { HOMEPORT_INSTANCE: machine.instanceId } },
    { parent },
  ).stdout.apply((text) => (JSON.parse(text) as HostKeyResult).hostKey);
}
