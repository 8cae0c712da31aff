import type { ObjectAccess } from "../../drivers/s3/objects";
import type { BucketCredentials, Named } from "./api/types";
import type { Place } from "./deploy/find";
import type { Run } from "./deploy/run";

const query = `query BucketCredentials($projectId: String!, $environmentId: String!, $bucketId: String!) {
  bucketS3Credentials(projectId: $projectId, environmentId: $environmentId, bucketId: $bucketId) {
    accessKeyId secretAccessKey bucketName endpoint region
  }
}`;

/**
 * How one of Railway's own buckets is read; secret. Railway's name of a bucket isn't the store's, which its credentials tell.
 * @param bucket as the store knows it
 * @throws DriverError where the project has none of that name
 */
export async function ownBucket(
  run: Run,
  { projectId, environmentId }: Place,
  buckets: readonly Named[],
  bucket: string,
): Promise<ObjectAccess> {
  for (const { id } of buckets) {
    const answer = await run.railway.ask<{ bucketS3Credentials: readonly BucketCredentials[] }>(query, {
      ...{ projectId, environmentId, bucketId: id },
    });
    const made = answer.bucketS3Credentials.find(({ bucketName }) => bucketName === bucket);
    if (made === undefined) continue;
    const { region, endpoint, accessKeyId, secretAccessKey } = made;
    return { bucket, region, endpoint, key: { accessKeyId, secretAccessKey } };
  }
  throw run.error(`The bucket ${bucket} isn't there.`, "Railway lists no such one in this environment", "pulumi up");
}
