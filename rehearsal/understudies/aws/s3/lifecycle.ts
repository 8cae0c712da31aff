import type { ExpirationStatus, LifecycleRule, TransitionStorageClass } from "@aws-sdk/client-s3";
import type { Api } from "../api";
import { resource } from "../resource";
import { type Values, type ValuesOf, block, flag, list, map, number, set, text } from "../schema";
import { ifThere, removed, retry } from "../steps";
import { tagList } from "../tags";

const storageClass = text({
  required: true,
  oneOf: ["GLACIER", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "DEEP_ARCHIVE", "GLACIER_IR"],
});

const rule = {
  id: text({ required: true }),
  status: text({ required: true, oneOf: ["Enabled", "Disabled"] }),
  filter: block(
    {
      prefix: text({ computed: true }),
      objectSizeGreaterThan: number({ computed: true }),
      objectSizeLessThan: number({ computed: true }),
      tag: block({ key: text({ required: true }), value: text({ required: true }) }),
      and: block({
        prefix: text({ computed: true }),
        objectSizeGreaterThan: number({ computed: true }),
        objectSizeLessThan: number({ computed: true }),
        tags: map(),
      }),
    },
    { computed: true },
  ),
  abortIncompleteMultipartUpload: block({ daysAfterInitiation: number() }),
  expiration: block({
    date: text(),
    days: number({ computed: true }),
    expiredObjectDeleteMarker: flag({ computed: true }),
  }),
  noncurrentVersionExpiration: block({ noncurrentDays: number({ required: true }), newerNoncurrentVersions: number() }),
  noncurrentVersionTransitions: set(
    block({ noncurrentDays: number({ required: true }), newerNoncurrentVersions: number(), storageClass }),
  ),
  transitions: set(block({ date: text(), days: number({ computed: true }), storageClass })),
};

type Rule = ValuesOf<typeof rule>;
type StorageClass = TransitionStorageClass;

const dateOf = (date: string | undefined): Date | undefined => (date === undefined ? undefined : new Date(date));

function filterOf(filter: Rule["filter"]): NonNullable<LifecycleRule["Filter"]> {
  if (filter?.and !== undefined) {
    const { prefix, objectSizeGreaterThan, objectSizeLessThan, tags } = filter.and;
    return {
      And: {
        Prefix: prefix,
        ObjectSizeGreaterThan: objectSizeGreaterThan,
        ObjectSizeLessThan: objectSizeLessThan,
        Tags: tags === undefined ? undefined : tagList(tags),
      },
    };
  }
  const { tag } = filter ?? {};
  if (tag !== undefined) return { Tag: { Key: tag.key, Value: tag.value } };
  if (filter?.objectSizeGreaterThan !== undefined) return { ObjectSizeGreaterThan: filter.objectSizeGreaterThan };
  if (filter?.objectSizeLessThan !== undefined) return { ObjectSizeLessThan: filter.objectSizeLessThan };
  return { Prefix: filter?.prefix ?? "" };
}

const sent = (wanted: Rule): LifecycleRule => ({
  ID: wanted.id,
  Status: wanted.status as ExpirationStatus,
  Filter: filterOf(wanted.filter),
  AbortIncompleteMultipartUpload:
    wanted.abortIncompleteMultipartUpload === undefined
      ? undefined
      : { DaysAfterInitiation: wanted.abortIncompleteMultipartUpload.daysAfterInitiation },
  Expiration:
    wanted.expiration === undefined
      ? undefined
      : {
          Date: dateOf(wanted.expiration.date),
          Days: wanted.expiration.days,
          ExpiredObjectDeleteMarker: wanted.expiration.expiredObjectDeleteMarker,
        },
  NoncurrentVersionExpiration:
    wanted.noncurrentVersionExpiration === undefined
      ? undefined
      : {
          NoncurrentDays: wanted.noncurrentVersionExpiration.noncurrentDays,
          NewerNoncurrentVersions: wanted.noncurrentVersionExpiration.newerNoncurrentVersions,
        },
  NoncurrentVersionTransitions: wanted.noncurrentVersionTransitions?.map((each) => ({
    NoncurrentDays: each.noncurrentDays,
    NewerNoncurrentVersions: each.newerNoncurrentVersions,
    StorageClass: each.storageClass as StorageClass,
  })),
  Transitions: wanted.transitions?.map((each) => ({
    Date: dateOf(each.date),
    Days: each.days,
    StorageClass: each.storageClass as StorageClass,
  })),
});

/** Only what is there, so that what a program leaves out equals what AWS leaves out. */
const pruned = (values: Values): Values =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));

function seenFilter(filter: LifecycleRule["Filter"]): Values {
  const { And: and, Tag: tag } = filter ?? {};
  if (and !== undefined) {
    const tags = Object.fromEntries((and.Tags ?? []).map(({ Key, Value }) => [Key ?? "", Value]));
    return {
      and: pruned({
        prefix: and.Prefix,
        objectSizeGreaterThan: and.ObjectSizeGreaterThan,
        objectSizeLessThan: and.ObjectSizeLessThan,
        tags: Object.keys(tags).length === 0 ? undefined : tags,
      }),
    };
  }
  if (tag !== undefined) return { tag: { key: tag.Key, value: tag.Value } };
  return pruned({
    prefix: filter?.Prefix ?? "",
    objectSizeGreaterThan: filter?.ObjectSizeGreaterThan,
    objectSizeLessThan: filter?.ObjectSizeLessThan,
  });
}

const seen = (given: LifecycleRule): Values =>
  pruned({
    id: given.ID,
    status: given.Status,
    filter: seenFilter(given.Filter),
    abortIncompleteMultipartUpload:
      given.AbortIncompleteMultipartUpload === undefined
        ? undefined
        : { daysAfterInitiation: given.AbortIncompleteMultipartUpload.DaysAfterInitiation },
    expiration:
      given.Expiration === undefined
        ? undefined
        : pruned({
            date: given.Expiration.Date?.toISOString(),
            days: given.Expiration.Days,
            expiredObjectDeleteMarker: given.Expiration.ExpiredObjectDeleteMarker,
          }),
    noncurrentVersionExpiration:
      given.NoncurrentVersionExpiration === undefined
        ? undefined
        : pruned({
            noncurrentDays: given.NoncurrentVersionExpiration.NoncurrentDays,
            newerNoncurrentVersions: given.NoncurrentVersionExpiration.NewerNoncurrentVersions,
          }),
    noncurrentVersionTransitions: some(
      given.NoncurrentVersionTransitions?.map((each) =>
        pruned({
          noncurrentDays: each.NoncurrentDays,
          newerNoncurrentVersions: each.NewerNoncurrentVersions,
          storageClass: each.StorageClass,
        }),
      ),
    ),
    transitions: some(
      given.Transitions?.map((each) =>
        pruned({ date: each.Date?.toISOString(), days: each.Days, storageClass: each.StorageClass }),
      ),
    ),
  });

const some = <T>(items: T[] | undefined): T[] | undefined => (items?.length === 0 ? undefined : items);

async function put(api: Api, Bucket: string, rules: readonly Rule[] | undefined): Promise<void> {
  const s3 = await api.client("s3");
  const LifecycleConfiguration = { Rules: (rules ?? []).map(sent) };
  await retry(api, /NoSuchBucket|OperationAborted/, () =>
    s3.putBucketLifecycleConfiguration({ Bucket, LifecycleConfiguration }),
  );
}

/** aws.s3.BucketLifecycleConfiguration */
export const bucketLifecycle = resource({
  token: "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
  inputs: { bucket: text({ required: true, replaces: true }), rules: list(block(rule)) },
  outputs: ["transitionDefaultMinimumObjectSize"],
  lint: ({ rules }) => ({
    type: "AWS::S3::Bucket",
    properties: {
      LifecycleConfiguration: {
        Rules: (rules ?? []).map(({ id, status, transitions, expiration }) =>
          pruned({
            Id: id,
            Status: status,
            // cfn-lint asks of a rule that it does something; those that only end uploads or old versions are given one.
            ExpirationInDays: expiration?.days ?? 3_650,
            Transitions: transitions?.map((each) =>
              pruned({ StorageClass: each.storageClass, TransitionInDays: each.days, TransitionDate: each.date }),
            ),
          }),
        ),
      },
    },
    names: { LifecycleConfiguration: "rules" },
  }),
  async create(api, inputs) {
    await put(api, inputs.bucket, inputs.rules);
    return inputs.bucket;
  },
  async read(api, id) {
    const s3 = await api.client("s3");
    const found = await ifThere(s3.getBucketLifecycleConfiguration({ Bucket: id }));
    if (found === undefined) return undefined;
    return {
      bucket: id,
      rules: (found.Rules ?? []).map(seen),
      transitionDefaultMinimumObjectSize: found.TransitionDefaultMinimumObjectSize,
    };
  },
  update: (api, id, { news }) => put(api, id, news.rules),
  async remove(api, id) {
    const s3 = await api.client("s3");
    await removed(s3.deleteBucketLifecycle({ Bucket: id }));
  },
});
