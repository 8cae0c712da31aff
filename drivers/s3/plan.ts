import { isDeepStrictEqual } from "node:util";
import type { BucketSpec, BucketWish, Feature, S3Connection } from "./spec";
import type { BucketState, Policy, Rule, Setting, Statement } from "./state";
import { unsupported } from "./state";

/** One changing call. */
export type Change = { readonly line: string } & (
  | { readonly feature: "tags"; readonly tags: Readonly<Record<string, string>> }
  | { readonly feature: "public access block" | "ownership" | "encryption" | "versioning" }
  | { readonly feature: "policy"; readonly policy: Policy | undefined }
  | { readonly feature: "lifecycle"; readonly rules: readonly Rule[] }
);

/** What is to be done to a bucket, what can't be, and what can't be and has to. */
export interface Plan {
  readonly changes: readonly Change[];
  readonly warnings: readonly string[];
  /** Safety features that the store lacks and the spec doesn't excuse. */
  readonly missing: readonly Feature[];
}

/** Marks of what is ours in a policy and a lifecycle, where everything else is kept. */
export const tlsOnly = "HomeportTlsOnly";
const ruleIds = { cold: "homeport-cold", expire: "homeport-expire", uploads: "homeport-incomplete-uploads" };
const ours = new Set(Object.values(ruleIds));

/** Stays of a bucket whose store lacks them open to others, unencrypted, or without a way back. */
const needed: ReadonlySet<Feature> = new Set(["public access block", "encryption", "versioning", "policy"]);

/** `arn:aws:s3:::name`; AWS has partitions of its own for China and its government's regions. */
export function bucketArn(name: string, region: string): string {
  const partition = region.startsWith("cn-") ? "aws-cn" : region.startsWith("us-gov-") ? "aws-us-gov" : "aws";
  return `arn:${partition}:s3:::${name}`;
}

/**
 * Whether requests to this store are encrypted. Only there may a policy ask for it: a store that speaks plain http and
 * heeds the policy would refuse every later request, that for the policy's removal included.
 */
export const speaksTls = ({ endpoint }: S3Connection): boolean => !(endpoint ?? "https:").startsWith("http:");

function tlsStatement(name: string, region: string): Statement {
  const arn = bucketArn(name, region);
  return {
    Sid: tlsOnly,
    Effect: "Deny",
    Principal: "*",
    Action: "s3:*",
    Resource: [arn, `${arn}/*`],
    Condition: { Bool: { "aws:SecureTransport": "false" } },
  };
}

/** JSON in one form: S3 gives back a list of one as its element, `{"AWS":"*"}` for `"*"`, and keys in its own order. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 1 ? canonical(value[0]) : value.map(canonical);
  if (typeof value !== "object" || value === null) return typeof value === "boolean" ? String(value) : value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  if (entries.length === 1 && entries[0]?.[0] === "AWS" && canonical(entries[0][1]) === "*") return "*";
  return Object.fromEntries(entries.map(([key, one]) => [key, canonical(one)]));
}

/** The policy with our statement and without an older form of it; undefined where none is needed. */
export function mergePolicy(present: Policy | undefined, wanted: Statement | undefined): Policy | undefined {
  const foreign = (present?.Statement ?? []).filter((statement) => statement["Sid"] !== tlsOnly);
  const statements = [...foreign, ...(wanted === undefined ? [] : [wanted])];
  if (statements.length === 0) return undefined;
  return { Version: "2012-10-17", ...present, Statement: statements };
}

/** The rules that a bucket is to have of us. */
export function ownRules({ coldAfterDays, expireAfterDays }: BucketWish): Rule[] {
  const rule = (ID: string, what: Partial<Rule>): Rule => ({
    ID,
    Status: "Enabled",
    Filter: { Prefix: "" },
    ...what,
  });
  return [
    rule(ruleIds.uploads, { AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 } }),
    ...(coldAfterDays === undefined
      ? []
      : [rule(ruleIds.cold, { Transitions: [{ Days: coldAfterDays, StorageClass: "STANDARD_IA" }] })]),
    ...(expireAfterDays === undefined ? [] : [rule(ruleIds.expire, { Expiration: { Days: expireAfterDays } })]),
  ];
}

/** Without what stores add of their own, and a filter that means "all" in one form. */
function canonicalRule({
  ID,
  Status,
  Transitions,
  Expiration,
  AbortIncompleteMultipartUpload,
  ...rest
}: Rule): unknown {
  const { Prefix, Filter, ...others } = rest;
  const prefix = Filter?.Prefix ?? Prefix ?? "";
  const narrowed = Object.keys(Filter ?? {}).some((key) => key !== "Prefix");
  const more = Object.entries(others).filter(
    ([, one]) => one !== undefined && !(Array.isArray(one) && one.length === 0),
  );
  const expiration = Expiration?.Days;
  return canonical({
    ...{ ID, Status, prefix, narrowed, expiration },
    transitions: (Transitions ?? []).map(({ Days, StorageClass }) => ({ Days, StorageClass })),
    uploads: AbortIncompleteMultipartUpload?.DaysAfterInitiation,
    more,
  });
}

const sortedRules = (rules: readonly Rule[]): unknown[] =>
  rules.map(canonicalRule).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));

/** All rules as they are to be put: foreign ones as they are, but in the form that may stand beside ours. */
export function mergeRules(present: readonly Rule[], wanted: readonly Rule[]): Rule[] {
  const foreign = present.filter(({ ID }) => ID === undefined || !ours.has(ID));
  // The older `Prefix` of a rule may not be mixed with `Filter`, and means the same.
  const modern = foreign.map(({ Prefix, ...rule }) => ({ ...rule, Filter: rule.Filter ?? { Prefix: Prefix ?? "" } }));
  return [...modern, ...wanted];
}

/** The changes that lead from what is to what was asked for, the safest order first. Pure. */
export function planBucket({ connection, bucket }: BucketSpec, state: BucketState): Plan {
  const changes: Change[] = [];
  const warnings: string[] = [];
  const missing: Feature[] = [];
  const lacks = new Set(connection.lacks ?? []);
  /** The setting, undefined where it isn't set; nothing is done where the store lacks it. */
  const look = <T>(feature: Feature, setting: Setting<T>, act: (present: T | undefined) => void): void => {
    if (lacks.has(feature)) return;
    if (setting !== unsupported) act(setting);
    else if (needed.has(feature)) missing.push(feature);
    else warnings.push(`This store has no ${feature}: done without.`);
  };

  look("tags", state.tags, (present = {}) => {
    const tags = { ...present, ...bucket.tags };
    if (!isDeepStrictEqual(tags, { ...present })) changes.push({ feature: "tags", tags, line: "tagged as this app's" });
  });
  look("public access block", state.publicAccess, (present) => {
    const { BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets } = present ?? {};
    const all = [BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets];
    if (!all.every(Boolean)) changes.push({ feature: "public access block", line: "public access blocked" });
  });
  look("ownership", state.ownership, (present) => {
    if (present !== "BucketOwnerEnforced") changes.push({ feature: "ownership", line: "access lists turned off" });
  });
  // Whoever chose a key of their own keeps it.
  look("encryption", state.encryption, (present) => {
    if (present === undefined) changes.push({ feature: "encryption", line: "encryption turned on" });
  });
  look("versioning", state.versioning, (present) => {
    if (present !== "Enabled") changes.push({ feature: "versioning", line: "versioning turned on" });
  });
  const tls = speaksTls(connection);
  if (!tls)
    warnings.push(
      "The store speaks plain http, so no policy can ask for TLS. Use it in rehearsals and on private networks only.",
    );
  if (tls || state.policy !== unsupported)
    look("policy", state.policy, (present) => {
      const policy = mergePolicy(present, tls ? tlsStatement(bucket.name, connection.region) : undefined);
      if (!isDeepStrictEqual(canonical(policy?.Statement ?? []), canonical(present?.Statement ?? [])))
        changes.push({ feature: "policy", policy, line: tls ? "TLS asked for by policy" : "TLS policy removed" });
    });
  look("lifecycle", state.lifecycle, (present = []) => {
    const rules = mergeRules(present, ownRules(bucket));
    if (!isDeepStrictEqual(sortedRules(rules), sortedRules(present)))
      changes.push({ feature: "lifecycle", rules, line: describeRules(bucket) });
  });
  return { changes, warnings, missing };
}

function describeRules({ coldAfterDays, expireAfterDays }: BucketWish): string {
  const cold = coldAfterDays === undefined ? "never cold" : `cold after ${coldAfterDays} days`;
  return `objects ${cold}, ${expireAfterDays === undefined ? "never expiring" : `expiring after ${expireAfterDays} days`}`;
}
