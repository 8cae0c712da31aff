import { RolePolicy } from "@pulumi/aws/iam";
import * as s3 from "@pulumi/aws/s3";
import * as command from "@pulumi/command";
import { all, output, secret, type ComponentResource, type CustomResource, type Output } from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { Bucket } from "../../components/declaration";
import type { ResolvedApp } from "../../components/resolvedApp";
import { bucketName } from "../../components/values/names";
import { driverCommand } from "../../drivers/command";
import { ownRules } from "../../drivers/s3/plan";
import type { SystemdPlace } from "../systemd/home";
import type { AccessKey } from "../systemd/plan";
import type { DeployerKey } from "./awsConfig";
import type { HostRole } from "./identity";
import { awsName } from "./names";
import { archivePolicy, tlsOnlyPolicy } from "./policies/host";

export interface ArchiveArgs {
  /** Region of the buckets: that of the instance. */
  readonly region: string;
  /** The host's role, which each bucket is granted to. Left out: the apps use `key`, or what the machine has by itself. */
  readonly role?: HostRole;
  /** Address of S3, where that isn't AWS itself; as the host and this machine reach it. */
  readonly endpoint?: string;
  /** Whether the stack is a live one: its buckets are never deleted. */
  readonly live: boolean;
  /** Access key of the apps, for an adopted instance without a role. Secret. */
  readonly key?: AccessKey;
  /** What this machine reaches existing buckets with, as the aws provider does. Left out: the AWS SDK's own chain. Secret. */
  readonly deployer?: DeployerKey;
  /** Profile of the AWS SDK's files for the same, `aws:profile`. */
  readonly profile?: string;
}

/** Makes the archives of a host's apps. A bucket resolves only when the host may use it. */
export function archiveOnS3(args: ArchiveArgs): SystemdPlace["bucket"] {
  return (parent, app, bucket) => {
    const existing = app.settings.buckets[bucket.name] ?? bucket.existing;
    const { name, ready } =
      existing === undefined ? newBucket(parent, app, bucket, args) : adoptBucket(parent, app, bucket, existing, args);
    const granted = args.role === undefined ? output("") : grant(parent, app, bucket, name, args.role, args.region);
    const { region, endpoint, key } = args;
    return all([name, ready, granted]).apply(([known]) => ({
      bucket: known,
      region,
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(key === undefined ? {} : { key }),
    }));
  };
}

interface Made {
  readonly name: Output<string>;
  /** Resolves when everything is set that keeps the bucket's content safe. */
  readonly ready: Output<string>;
}

function newBucket(parent: ComponentResource, app: ResolvedApp, bucket: Bucket, args: ArchiveArgs): Made {
  const { declaration, stack, settings } = app;
  const { region } = args;
  const label = `${declaration.name}-${bucket.name}`;
  // Not the name that `archiveByKey` has: the provider can't make a bucket that an app has had elsewhere, and kept.
  const suffix = new random.RandomId(`${label}-s3-id`, { byteLength: 4 }, { parent }).hex;
  const made = new s3.Bucket(
    label,
    {
      bucket: suffix.apply((hex) => bucketName(declaration.name, stack, bucket.name, hex)),
      region,
      tags: tagsOf(app, bucket),
      forceDestroy: false,
    },
    // Left behind where the app moves away or is destroyed. A protected one would keep it from doing either.
    { parent, retainOnDelete: args.live || settings.onDelete === "keep data" },
  );
  const id = made.id;
  // Parts go with their bucket. Taken away one by one, they would leave a kept bucket open for a while.
  const part = (...after: readonly CustomResource[]) => ({
    parent,
    retainOnDelete: true,
    // S3 refuses a second change of one bucket while a first is under way (OperationAborted).
    dependsOn: [...after],
  });
  const ownership = new s3.BucketOwnershipControls(
    `${label}-ownership`,
    { bucket: id, region, rule: { objectOwnership: "BucketOwnerEnforced" } },
    part(),
  );
  const closed = new s3.BucketPublicAccessBlock(
    `${label}-private`,
    {
      bucket: id,
      region,
      blockPublicAcls: true,
      ignorePublicAcls: true,
      blockPublicPolicy: true,
      restrictPublicBuckets: true,
    },
    part(ownership),
  );
  const encryption = new s3.BucketServerSideEncryptionConfiguration(
    `${label}-encryption`,
    {
      bucket: id,
      region,
      rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" }, bucketKeyEnabled: true }],
    },
    part(closed),
  );
  const versioning = new s3.BucketVersioning(
    `${label}-versioning`,
    { bucket: id, region, versioningConfiguration: { status: "Enabled" } },
    part(encryption),
  );
  const policy = new s3.BucketPolicy(
    `${label}-policy`,
    { bucket: id, region, policy: id.apply((name) => JSON.stringify(tlsOnlyPolicy(name, region))) },
    part(versioning),
  );
  const lifecycle = new s3.BucketLifecycleConfiguration(
    `${label}-lifecycle`,
    { bucket: id, region, rules: lifecycleRules(bucket) },
    part(policy),
  );
  return { name: id, ready: lifecycle.id };
}

/** The rules that `drivers/s3` gives to buckets elsewhere, in the provider's words. */
export function lifecycleRules(bucket: Pick<Bucket, "coldAfter" | "expireAfter">) {
  const wish = {
    ...(bucket.coldAfter === undefined ? {} : { coldAfterDays: bucket.coldAfter.toDays() }),
    ...(bucket.expireAfter === undefined ? {} : { expireAfterDays: bucket.expireAfter.toDays() }),
  };
  return ownRules({ name: "", adopt: false, tags: {}, onDelete: "keep", ...wish }).map((rule) => {
    const uploads = rule.AbortIncompleteMultipartUpload?.DaysAfterInitiation;
    const expiration = rule.Expiration?.Days;
    return {
      id: rule.ID ?? "",
      status: "Enabled",
      filter: { prefix: "" },
      ...(uploads === undefined ? {} : { abortIncompleteMultipartUpload: { daysAfterInitiation: uploads } }),
      ...(rule.Transitions === undefined
        ? {}
        : {
            transitions: rule.Transitions.map(({ Days, StorageClass }) => ({
              ...(Days === undefined ? {} : { days: Days }),
              storageClass: StorageClass ?? "",
            })),
          }),
      ...(expiration === undefined ? {} : { expiration: { days: expiration } }),
    };
  });
}

/**
 * A bucket that somebody else has made gets what the app declares by the same driver as on other targets: it adds to a
 * policy and a lifecycle that are there, where the provider's resources would replace them, and takes nothing back.
 */
function adoptBucket(
  parent: ComponentResource,
  app: ResolvedApp,
  bucket: Bucket,
  existing: string,
  { region, endpoint, deployer, profile }: ArchiveArgs,
): Made {
  const spec = JSON.stringify({
    connection: { region, ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }), ...deployer },
    bucket: {
      name: existing,
      adopt: true,
      tags: tagsOf(app, bucket),
      ...(bucket.coldAfter === undefined ? {} : { coldAfterDays: bucket.coldAfter.toDays() }),
      ...(bucket.expireAfter === undefined ? {} : { expireAfterDays: bucket.expireAfter.toDays() }),
      onDelete: "keep",
    },
  });
  const made = new command.local.Command(
    `${app.declaration.name}-${bucket.name}`,
    {
      ...driverCommand("s3", "bucket"),
      stdin: secret(spec),
      environment: { HOMEPORT_BUCKET: existing, ...(profile === undefined ? {} : { AWS_PROFILE: profile }) },
    },
    { parent },
  );
  return { name: output(existing), ready: made.stdout };
}

function grant(
  parent: ComponentResource,
  app: ResolvedApp,
  bucket: Bucket,
  name: Output<string>,
  role: HostRole,
  region: string,
): Output<string> {
  const { declaration, stack } = app;
  return new RolePolicy(
    `${declaration.name}-${bucket.name}-grant`,
    {
      role: role.roleName,
      name: awsName(stack, ["archive", declaration.name, bucket.name], 128),
      policy: name.apply((known) => JSON.stringify(archivePolicy(known, region))),
    },
    { parent },
  ).id;
}

/** The name of a bucket, or where it is to be made the pattern that it will fit, for policies. */
export function bucketPattern({ declaration, stack, settings }: ResolvedApp, bucket: Bucket): string {
  const existing = settings.buckets[bucket.name] ?? bucket.existing;
  return existing ?? bucketName(declaration.name, stack, bucket.name, "0".repeat(8)).replace(/0{8}$/, "*");
}

const tagsOf = ({ declaration, stack }: ResolvedApp, bucket: Bucket): Record<string, string> => ({
  "homeport:app": declaration.name,
  "homeport:stack": stack,
  "homeport:bucket": bucket.name,
});
