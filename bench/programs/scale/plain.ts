import * as command from "@pulumi/command";
import { ComponentResource, secret, type Output } from "@pulumi/pulumi";
import * as random from "@pulumi/random";

/** About as many bytes as an app's spec has. */
const spec = "x".repeat(6_000);

/** The resources that so many apps come to, without anything that decides what they are to be. */
export function plainApps(count: number): Record<string, Output<unknown>> {
  const outputs: Record<string, Output<unknown>> = {};
  for (let index = 0; index < count; index++) {
    const name = `app${index}`;
    const parent = new ComponentResource("plain:index:App", name);
    const parts = ["db", "web", "worker", "nightly"].map(
      (part) => new ComponentResource("plain:index:Part", `${name}-${part}`, {}, { parent }),
    );
    const { result } = new random.RandomPassword(`${name}-password`, { length: 32 }, { parent: parts[0]! });
    const stdin = secret(result.apply((password) => password + spec));
    const run = { create: "true", update: "true", delete: "true", stdin };
    const deployed = new command.local.Command(name, run, { parent });
    outputs[name] = deployed.urn.apply((urn) => ({ urn }));
  }
  return outputs;
}
