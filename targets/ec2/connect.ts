import { all, output, secret, unsecret, type Input, type Output } from "@pulumi/pulumi";
import type { DataDisk, Host, Monitoring } from "../systemd/host";
import type { Connection } from "../systemd/plan";
import { hostBase, type Ec2Host } from "./hosts";
import type { HostOutputsMade } from "./opened";
import type { Ec2Settings } from "./settings";

/** What is known of a host once its machine is there. */
export interface Machine {
  readonly instanceId: Input<string>;
  readonly publicAddress: Input<string>;
  readonly hostKey: Input<string>;
  readonly privateKey: Input<string> | undefined;
  readonly dataDisk?: Input<DataDisk>;
  /** Size of its own disk, known once it has that. */
  readonly rootGib?: Input<number>;
  readonly monitoring?: Input<Monitoring>;
}

/** A host as the systemd code and day-two work see it. */
export function connect(
  host: Ec2Host,
  settings: Ec2Settings,
  machine: Machine,
): { readonly host: Output<Host>; readonly outputs: HostOutputsMade } {
  const { instanceId, publicAddress, hostKey, privateKey, dataDisk, rootGib, monitoring } = machine;
  const address = host.session ? instanceId : publicAddress;
  const access = all([address, hostKey, output(privateKey)]).apply(([to, key, half]): Connection => ({
    address: to,
    port: 22,
    user: host.user,
    hostKey: key,
    ...(half === undefined ? {} : { privateKey: half }),
  }));
  const ready = all([access, publicAddress, output(dataDisk), output(rootGib), output(monitoring)]).apply(
    ([connection, shown, disk, gib, watched]) => ({
      ...hostBase(host, settings),
      connection,
      publicAddress: shown,
      ...(disk === undefined ? {} : { dataDisk: disk }),
      ...(gib === undefined ? {} : { rootGib: gib }),
      ...(watched === undefined ? {} : { monitoring: watched }),
    }),
  );
  const { region, user } = host;
  const half = privateKey === undefined ? {} : { privateKey: secret(privateKey) };
  return {
    // The private key would make secrets of an app's address and of what its previews show; where a host is put into an
    // input as a whole, that is secret by itself.
    host: unsecret(ready),
    outputs: { instanceId, region, address, publicAddress, user, hostKey, ...half },
  };
}
