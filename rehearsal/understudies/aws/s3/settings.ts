import type { ObjectOwnership, ServerSideEncryption } from "@aws-sdk/client-s3";
import type { Api } from "../api";
import { isSameJson } from "../diff";
import { withPolicy } from "../lint";
import { resource } from "../resource";
import { block, flag, json, set, text } from "../schema";
import { ifThere, removed, retry } from "../steps";

const bucket = text({ required: true, replaces: true });

/** A bucket or a setting that was made just before isn't known everywhere at once. */
const early = /NoSuchBucket|OperationAborted/;

/** aws.s3.BucketVersioning */
export const bucketVersioning = resource({
  token: "aws:s3/bucketVersioning:BucketVersioning",
  inputs: {
    bucket,
    versioningConfiguration: block(
      {
        status: text({ required: true, oneOf: ["Enabled", "Suspended", "Disabled"] }),
        mfaDelete: text({ computed: true, oneOf: ["Enabled", "Disabled"] }),
      },
      { required: true },
    ),
  },
  outputs: [],
  async create(api, inputs) {
    const s3 = await api.client("s3");
    const { status } = inputs.versioningConfiguration;
    if (status !== "Disabled") {
      const VersioningConfiguration = { Status: status as "Enabled" };
      await retry(api, early, () => s3.putBucketVersioning({ Bucket: inputs.bucket, VersioningConfiguration }));
    }
    return inputs.bucket;
  },
  async read(api, id) {
    const s3 = await api.client("s3");
    const found = await ifThere(s3.getBucketVersioning({ Bucket: id }));
    if (found === undefined) return undefined;
    return {
      bucket: id,
      versioningConfiguration: { status: found.Status ?? "Disabled", mfaDelete: found.MFADelete },
    };
  },
  async update(api, id, { news }) {
    const s3 = await api.client("s3");
    const Status = news.versioningConfiguration.status as "Enabled";
    await s3.putBucketVersioning({ Bucket: id, VersioningConfiguration: { Status } });
  },
  async remove(api, id) {
    const s3 = await api.client("s3");
    await removed(s3.putBucketVersioning({ Bucket: id, VersioningConfiguration: { Status: "Suspended" } }));
  },
});

/** aws.s3.BucketServerSideEncryptionConfiguration */
export const bucketEncryption = resource({
  token: "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
  inputs: {
    bucket,
    rules: set(
      block({
        applyServerSideEncryptionByDefault: block({
          sseAlgorithm: text({ required: true, oneOf: ["AES256", "aws:kms", "aws:kms:dsse"] }),
          kmsMasterKeyId: text(),
        }),
        bucketKeyEnabled: flag(),
      }),
      { required: true },
    ),
  },
  outputs: [],
  async create(api, inputs) {
    await putEncryption(api, inputs.bucket, inputs.rules);
    return inputs.bucket;
  },
  async read(api, id) {
    const s3 = await api.client("s3");
    const found = await ifThere(s3.getBucketEncryption({ Bucket: id }));
    if (found === undefined) return undefined;
    return {
      bucket: id,
      rules: (found.ServerSideEncryptionConfiguration?.Rules ?? []).map((rule) => ({
        applyServerSideEncryptionByDefault: {
          sseAlgorithm: rule.ApplyServerSideEncryptionByDefault?.SSEAlgorithm,
          kmsMasterKeyId: rule.ApplyServerSideEncryptionByDefault?.KMSMasterKeyID ?? "",
        },
        bucketKeyEnabled: rule.BucketKeyEnabled ?? false,
      })),
    };
  },
  update: (api, id, { news }) => putEncryption(api, id, news.rules),
  async remove(api, id) {
    const s3 = await api.client("s3");
    await removed(s3.deleteBucketEncryption({ Bucket: id }));
  },
});

interface EncryptionRule {
  readonly applyServerSideEncryptionByDefault?:
    { readonly sseAlgorithm: string; readonly kmsMasterKeyId?: string | undefined } | undefined;
  readonly bucketKeyEnabled?: boolean | undefined;
}

async function putEncryption(api: Api, Bucket: string, rules: readonly EncryptionRule[]): Promise<void> {
  const s3 = await api.client("s3");
  const Rules = rules.map(({ applyServerSideEncryptionByDefault: byDefault, bucketKeyEnabled }) => ({
    ...(byDefault === undefined
      ? {}
      : {
          ApplyServerSideEncryptionByDefault: {
            SSEAlgorithm: byDefault.sseAlgorithm as ServerSideEncryption,
            KMSMasterKeyID: byDefault.kmsMasterKeyId,
          },
        }),
    BucketKeyEnabled: bucketKeyEnabled,
  }));
  await retry(api, early, () => s3.putBucketEncryption({ Bucket, ServerSideEncryptionConfiguration: { Rules } }));
}

/** aws.s3.BucketPublicAccessBlock */
export const bucketPublicAccessBlock = resource({
  token: "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
  inputs: {
    bucket,
    blockPublicAcls: flag({ default: false }),
    blockPublicPolicy: flag({ default: false }),
    ignorePublicAcls: flag({ default: false }),
    restrictPublicBuckets: flag({ default: false }),
    skipDestroy: flag(),
  },
  outputs: [],
  async create(api, inputs) {
    await putAccessBlock(api, inputs.bucket, inputs);
    return inputs.bucket;
  },
  async read(api, id) {
    const s3 = await api.client("s3");
    const found = (await ifThere(s3.getPublicAccessBlock({ Bucket: id })))?.PublicAccessBlockConfiguration;
    if (found === undefined) return undefined;
    return {
      bucket: id,
      blockPublicAcls: found.BlockPublicAcls ?? false,
      blockPublicPolicy: found.BlockPublicPolicy ?? false,
      ignorePublicAcls: found.IgnorePublicAcls ?? false,
      restrictPublicBuckets: found.RestrictPublicBuckets ?? false,
    };
  },
  update: (api, id, { news }) => putAccessBlock(api, id, news),
  async remove(api, id, state) {
    const s3 = await api.client("s3");
    if (state["skipDestroy"] !== true) await removed(s3.deletePublicAccessBlock({ Bucket: id }));
  },
});

async function putAccessBlock(
  api: Api,
  Bucket: string,
  wanted: Record<"blockPublicAcls" | "blockPublicPolicy" | "ignorePublicAcls" | "restrictPublicBuckets", boolean>,
): Promise<void> {
  const s3 = await api.client("s3");
  const PublicAccessBlockConfiguration = {
    BlockPublicAcls: wanted.blockPublicAcls,
    BlockPublicPolicy: wanted.blockPublicPolicy,
    IgnorePublicAcls: wanted.ignorePublicAcls,
    RestrictPublicBuckets: wanted.restrictPublicBuckets,
  };
  await retry(api, early, () => s3.putPublicAccessBlock({ Bucket, PublicAccessBlockConfiguration }));
}

/** aws.s3.BucketPolicy */
export const bucketPolicy = resource({
  token: "aws:s3/bucketPolicy:BucketPolicy",
  inputs: { bucket, policy: json({ required: true }) },
  outputs: [],
  lint: ({ policy }) => withPolicy("AWS::S3::BucketPolicy", "PolicyDocument", "policy", policy, { Bucket: "bucket" }),
  async create(api, { bucket: Bucket, policy: Policy }) {
    const s3 = await api.client("s3");
    await retry(api, /NoSuchBucket|OperationAborted|MalformedPolicy.*Invalid principal/, () =>
      s3.putBucketPolicy({ Bucket, Policy }),
    );
    return Bucket;
  },
  async read(api, id, state) {
    const s3 = await api.client("s3");
    const found = await ifThere(s3.getBucketPolicy({ Bucket: id }));
    if (found?.Policy === undefined) return undefined;
    return { bucket: id, policy: isSameJson(state["policy"], found.Policy) ? state["policy"] : found.Policy };
  },
  async update(api, id, { news }) {
    const s3 = await api.client("s3");
    await s3.putBucketPolicy({ Bucket: id, Policy: news.policy });
  },
  async remove(api, id) {
    const s3 = await api.client("s3");
    await removed(s3.deleteBucketPolicy({ Bucket: id }));
  },
});

/** aws.s3.BucketOwnershipControls */
export const bucketOwnershipControls = resource({
  token: "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
  inputs: {
    bucket,
    rule: block(
      {
        objectOwnership: text({
          required: true,
          oneOf: ["BucketOwnerPreferred", "ObjectWriter", "BucketOwnerEnforced"],
        }),
      },
      { required: true },
    ),
  },
  outputs: [],
  async create(api, inputs) {
    await putOwnership(api, inputs.bucket, inputs.rule.objectOwnership);
    return inputs.bucket;
  },
  async read(api, id) {
    const s3 = await api.client("s3");
    const found = await ifThere(s3.getBucketOwnershipControls({ Bucket: id }));
    const rule = found?.OwnershipControls?.Rules?.[0];
    return rule === undefined ? undefined : { bucket: id, rule: { objectOwnership: rule.ObjectOwnership } };
  },
  update: (api, id, { news }) => putOwnership(api, id, news.rule.objectOwnership),
  async remove(api, id) {
    const s3 = await api.client("s3");
    await removed(s3.deleteBucketOwnershipControls({ Bucket: id }));
  },
});

async function putOwnership(api: Api, Bucket: string, ownership: string): Promise<void> {
  const s3 = await api.client("s3");
  const Rules = [{ ObjectOwnership: ownership as ObjectOwnership }];
  await retry(api, early, () => s3.putBucketOwnershipControls({ Bucket, OwnershipControls: { Rules } }));
}
