import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectsCommand,
  ListObjectsV2Command,
  S3Client,
} from "@aws-sdk/client-s3";

/** Where the buckets lie that emulated platforms sell: the site's S3 emulator. */
export interface BucketStore {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

function clientOf({ endpoint, region, accessKeyId, secretAccessKey }: BucketStore): S3Client {
  return new S3Client({ endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });
}

export async function makeBucket(store: BucketStore, name: string): Promise<void> {
  const client = clientOf(store);
  await client.send(new CreateBucketCommand({ Bucket: name })).finally(() => {
    client.destroy();
  });
}

/** Removes a bucket with all that is in it. */
export async function removeBucket(store: BucketStore, name: string): Promise<void> {
  const client = clientOf(store);
  try {
    for (;;) {
      const { Contents: found = [] } = await client.send(new ListObjectsV2Command({ Bucket: name }));
      if (found.length === 0) break;
      const objects = found.flatMap(({ Key: key }) => (key === undefined ? [] : [{ Key: key }]));
      await client.send(new DeleteObjectsCommand({ Bucket: name, Delete: { Objects: objects } }));
    }
    await client.send(new DeleteBucketCommand({ Bucket: name }));
  } finally {
    client.destroy();
  }
}
