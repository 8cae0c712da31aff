import {
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketVersioningCommand,
  GetPublicAccessBlockCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  S3Client,
} from "@aws-sdk/client-s3";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { S3, Site } from "../../../rehearsal/site";

/** How a bucket is set up. */
export interface BucketFacts {
  readonly versioning: string | undefined;
  readonly encryption: string | undefined;
  /** Whether all four ways to the public are closed. */
  readonly isPrivate: boolean;
  /** Days until objects move to a colder class. */
  readonly coldAfter: number | undefined;
  readonly expires: boolean;
}

/** A client of the emulator. Whoever makes one destroys it. */
export const clientOf = (s3: S3): S3Client =>
  new S3Client({
    endpoint: s3.endpoint,
    region: s3.region,
    forcePathStyle: true,
    credentials: { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey },
  });

export async function bucketNames(client: S3Client): Promise<string[]> {
  const { Buckets } = await client.send(new ListBucketsCommand({}));
  return (Buckets ?? []).map(({ Name }) => Name ?? "").sort();
}

export async function bucketFacts(client: S3Client, Bucket: string): Promise<BucketFacts> {
  const { Status } = await client.send(new GetBucketVersioningCommand({ Bucket }));
  const { ServerSideEncryptionConfiguration } = await client.send(new GetBucketEncryptionCommand({ Bucket }));
  const { PublicAccessBlockConfiguration: block } = await client.send(new GetPublicAccessBlockCommand({ Bucket }));
  const rules = await client.send(new GetBucketLifecycleConfigurationCommand({ Bucket })).then(
    ({ Rules }) => (Rules ?? []).filter((rule) => rule.Status === "Enabled"),
    () => [],
  );
  const closed = [
    block?.BlockPublicAcls,
    block?.BlockPublicPolicy,
    block?.IgnorePublicAcls,
    block?.RestrictPublicBuckets,
  ];
  return {
    versioning: Status,
    encryption: ServerSideEncryptionConfiguration?.Rules?.[0]?.ApplyServerSideEncryptionByDefault?.SSEAlgorithm,
    isPrivate: closed.every((one) => one === true),
    coldAfter: rules.flatMap((rule) => rule.Transitions ?? [])[0]?.Days,
    expires: rules.some((rule) => rule.Expiration?.Days !== undefined),
  };
}

/** The keys of the objects in a bucket below a prefix. */
export async function keysIn(client: S3Client, Bucket: string, Prefix = ""): Promise<string[]> {
  const { Contents } = await client.send(new ListObjectsV2Command({ Bucket, Prefix }));
  return (Contents ?? []).map(({ Key }) => Key ?? "").sort();
}

/** What the emulator has been asked so far, `PUT /bucket?versioning` a request. */
export function requestsTo(site: Site): string[] {
  const log = readFileSync(join(site.folder, "s3", "moto.log"), "utf8");
  return [...log.matchAll(/"([A-Z]+ \S+) HTTP\/[\d.]+" \d+/g)].map(([, request = ""]) => request);
}
