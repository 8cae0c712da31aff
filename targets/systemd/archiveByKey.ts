import * as command from "@pulumi/command";
import { all, output, secret, type ComponentResource, type Output } from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { Bucket } from "../../components/declaration";
import type { ResolvedApp } from "../../components/resolvedApp";
import { bucketName } from "../../components/values/names";
import { driverCommand } from "../../drivers/command";
import type { AccessKey } from "./plan";
import type { MadeBucket } from "./values";

/** A bucket at any S3 service, made and used with the access key that the stack configures. */
export function archiveByKey(parent: ComponentResource, app: ResolvedApp, bucket: Bucket): Output<MadeBucket> {
  const { declaration, stack, settings, environment, stackSettings } = app;
  const name = `${declaration.name}-${bucket.name}`;
  const existing = settings.buckets[bucket.name] ?? bucket.existing;
  const physical =
    existing === undefined
      ? new random.RandomId(`${name}-id`, { byteLength: 4 }, { parent }).hex.apply((suffix) =>
          bucketName(declaration.name, stack, bucket.name, suffix),
        )
      : output(existing);
  const { endpoint, region, accessKeyId, secretAccessKey } = stackSettings.objectStore;
  const spec = physical.apply((bucketId) =>
    JSON.stringify({
      connection: {
        ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
        region,
        accessKeyId,
        secretAccessKey,
      },
      bucket: {
        name: bucketId,
        adopt: existing !== undefined,
        tags: { "homeport:app": declaration.name, "homeport:stack": stack, "homeport:bucket": bucket.name },
        ...(bucket.coldAfter === undefined ? {} : { coldAfterDays: bucket.coldAfter.toDays() }),
        ...(bucket.expireAfter === undefined ? {} : { expireAfterDays: bucket.expireAfter.toDays() }),
        onDelete: environment === "live" || existing !== undefined ? "keep" : "delete if empty",
      },
    }),
  );
  const made = new command.local.Command(
    name,
    { ...driverCommand("s3", "bucket"), stdin: secret(spec), environment: { HOMEPORT_BUCKET: physical } },
    { parent },
  );
  return all([physical, made.stdout]).apply(([bucketId]) => ({
    bucket: bucketId,
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    key: keyOf(app),
  }));
}

/** The key that an app's own parts use for its archives. */
function keyOf(app: ResolvedApp): AccessKey {
  const store = app.stackSettings.objectStore;
  return {
    accessKeyId: app.settings.accessKeyId ?? store.accessKeyId ?? "",
    secretAccessKey: app.settings.secretAccessKey ?? store.secretAccessKey ?? "",
  };
}
