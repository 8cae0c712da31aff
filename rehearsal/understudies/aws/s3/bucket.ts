import type { BucketLocationConstraint } from "@aws-sdk/client-s3";
import type { Api } from "../api";
import { resource } from "../resource";
import { flag, map, text } from "../schema";
import { codeOf, ifThere, removed, retry, waitFor } from "../steps";
import { changeTags, observedTags, tagList } from "../tags";

/** Whether a bucket is there. A redirection says that it is in another region. */
async function isThere(api: Api, Bucket: string): Promise<boolean> {
  const s3 = await api.client("s3");
  return (await ifThere(s3.headBucket({ Bucket }))) !== undefined;
}

async function empty(api: Api, Bucket: string): Promise<void> {
  const s3 = await api.client("s3");
  for (;;) {
    const { Versions = [], DeleteMarkers = [] } = await s3.listObjectVersions({ Bucket, MaxKeys: 1_000 });
    const Objects = [...Versions, ...DeleteMarkers].map(({ Key, VersionId }) => ({ Key: Key!, VersionId }));
    if (Objects.length === 0) return;
    const { Errors = [] } = await s3.deleteObjects({ Bucket, Delete: { Objects, Quiet: true } });
    if (Errors[0] !== undefined) throw new Error(`${Errors[0].Key ?? ""}: ${Errors[0].Message ?? ""}`);
  }
}

/** aws.s3.Bucket. Its versioning, encryption, rules and so on are resources of their own, so they aren't known here. */
export const bucket = resource({
  token: "aws:s3/bucket:Bucket",
  inputs: {
    bucket: text({ replaces: true, computed: true }),
    forceDestroy: flag({ default: false }),
    objectLockEnabled: flag({ replaces: true, computed: true }),
    tags: map(),
  },
  outputs: ["arn", "bucketDomainName", "bucketRegion", "bucketRegionalDomainName", "tagsAll"],
  autoname: { property: "bucket", longest: 63, lower: true },
  lint: ({ bucket: BucketName }) => ({
    type: "AWS::S3::Bucket",
    properties: { BucketName },
    names: { BucketName: "bucket" },
  }),
  async create(api, inputs, made) {
    const s3 = await api.client("s3");
    const Bucket = inputs.bucket!;
    await retry(api, /OperationAborted/, () =>
      s3.createBucket({
        Bucket,
        ObjectLockEnabledForBucket: inputs.objectLockEnabled,
        // us-east-1 is the default and can't be named (https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html).
        ...(api.region === "us-east-1"
          ? {}
          : { CreateBucketConfiguration: { LocationConstraint: api.region as BucketLocationConstraint } }),
      }),
    );
    made(Bucket);
    await waitFor(api, `bucket ${Bucket} is there`, async () => ((await isThere(api, Bucket)) ? true : undefined));
    if (Object.keys(inputs.tags ?? {}).length > 0) {
      await s3.putBucketTagging({ Bucket, Tagging: { TagSet: tagList(inputs.tags) } });
    }
    return Bucket;
  },
  async read(api, id) {
    const s3 = await api.client("s3");
    if (!(await isThere(api, id))) return undefined;
    const tagging = await ifThere(s3.getBucketTagging({ Bucket: id }));
    const lock = await s3.getObjectLockConfiguration({ Bucket: id }).catch((error: unknown) => {
      if (/ObjectLockConfigurationNotFound|NotImplemented/.test(codeOf(error))) return undefined;
      throw error;
    });
    return {
      arn: `arn:${api.partition}:s3:::${id}`,
      bucket: id,
      bucketDomainName: `${id}.s3.amazonaws.com`,
      bucketRegion: api.region,
      bucketRegionalDomainName: `${id}.s3.${api.region}.amazonaws.com`,
      objectLockEnabled: lock?.ObjectLockConfiguration?.ObjectLockEnabled === "Enabled",
      ...observedTags(tagging?.TagSet),
    };
  },
  async update(api, id, { olds, news, changed }) {
    if (!changed.has("tags")) return;
    const s3 = await api.client("s3");
    // S3 takes all tags at once.
    const all = async (): Promise<unknown> =>
      Object.keys(news.tags ?? {}).length === 0
        ? s3.deleteBucketTagging({ Bucket: id })
        : s3.putBucketTagging({ Bucket: id, Tagging: { TagSet: tagList(news.tags) } });
    await changeTags(olds, news, all, all);
  },
  async remove(api, id, state) {
    const s3 = await api.client("s3");
    if (!(await isThere(api, id))) return;
    if (state["forceDestroy"] === true) await empty(api, id);
    await removed(s3.deleteBucket({ Bucket: id }));
  },
});
