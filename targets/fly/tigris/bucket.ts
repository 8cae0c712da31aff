import * as command from "@pulumi/command";
import { secret, type ComponentResource, type Output } from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { Bucket } from "../../../components/declaration";
import type { ResolvedApp } from "../../../components/resolvedApp";
import { bucketName } from "../../../components/values/names";
import { driverCommand } from "../../../drivers/command";
import type { MadeBucket } from "../../systemd/values";
import type { FlySettings } from "../settings";
import type { TigrisResult, TigrisSpec } from "./driver";

/** A bucket of Tigris, with a key of its own. In live stacks it is protected, and it stays when the app goes. */
export function tigrisBucket(
  parent: ComponentResource,
  app: ResolvedApp,
  settings: FlySettings,
  bucket: Bucket,
): Output<MadeBucket> {
  const { declaration, stack, environment } = app;
  const name = `${declaration.name}-${bucket.name}`;
  const live = environment === "live";
  const physical = new random.RandomId(`${name}-id`, { byteLength: 4 }, { parent }).hex.apply((suffix) =>
    bucketName(declaration.name, stack, bucket.name, suffix),
  );
  const spec = physical.apply((id): string => {
    const { machinesUrl, apiUrl, org, apiToken = "" } = settings;
    const connection = { machinesUrl, apiUrl, org, token: apiToken };
    return JSON.stringify({ connection, name: id, onDelete: live ? "keep" : "delete" } satisfies TigrisSpec);
  });
  const made = new command.local.Command(
    name,
    { ...driverCommand("fly", "tigris"), stdin: secret(spec), environment: { HOMEPORT_BUCKET: physical } },
    { parent, protect: live, additionalSecretOutputs: ["stdout"] },
  );
  return made.stdout.apply((stdout) => {
    const { bucket: id, region, endpoint, accessKeyId, secretAccessKey } = JSON.parse(stdout) as TigrisResult;
    return { bucket: id, region, endpoint, key: { accessKeyId, secretAccessKey } };
  });
}
