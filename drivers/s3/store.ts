import type { LifecycleRule, S3Client } from "@aws-sdk/client-s3";
import type { Change } from "./plan";
import type { BucketSpec, Feature } from "./spec";
import type { BucketState, Policy, Setting } from "./state";
import { unsupported } from "./state";

/** What is read of an error of the SDK; its other fields hold requests and answers. */
export interface StoreFault {
  readonly name: string;
  readonly status?: number;
  readonly message: string;
  readonly region?: string;
}

/** The fault that an error of the SDK, or of the network below it, tells of. */
export function faultOf(error: unknown): StoreFault {
  if (!(error instanceof Error)) return { name: "Unknown", message: String(error) };
  const { $metadata, $response, code } = error as Error & {
    $metadata?: { httpStatusCode?: number };
    $response?: { headers?: Record<string, string> };
    code?: unknown;
  };
  const status = $metadata?.httpStatusCode;
  const region = $response?.headers?.["x-amz-bucket-region"];
  const name = error.name === "Error" && typeof code === "string" ? code : error.name;
  return {
    name,
    message: error.message,
    ...(status === undefined ? {} : { status }),
    ...(region === undefined ? {} : { region }),
  };
}

/** What an S3 store says to a call that it doesn't know (S3 API, "List of error codes"). */
const unknownCall = ({ name, status }: StoreFault): boolean =>
  status === 501 || status === 405 || name === "NotImplemented" || name === "MethodNotAllowed";

const unset = new Set([
  "NoSuchTagSet",
  "NoSuchPublicAccessBlockConfiguration",
  "OwnershipControlsNotFoundError",
  "ServerSideEncryptionConfigurationNotFoundError",
  "NoSuchBucketPolicy",
  "NoSuchLifecycleConfiguration",
]);

/** Whether a bucket is there for us. */
export type Presence = "ours to use" | "absent";

/** The calls to one bucket of an S3 store. Each throws what the SDK throws. */
export interface Store {
  presence(): Promise<Presence>;
  create(): Promise<void>;
  /** Reads a bucket; leaves out what the spec says the store lacks. */
  read(): Promise<BucketState>;
  change(change: Change): Promise<void>;
  /** Whether it holds no object, no earlier version of one, and no mark of a deleted one. */
  empty(): Promise<boolean>;
  remove(): Promise<void>;
  close(): void;
}

/** Milliseconds for one connection, one answer, and all calls of one run with their repetitions. */
export const deadlines = { connection: 5_000, answer: 30_000, run: 180_000 };

/** Opens the store of a spec. The SDK is loaded here, as stacks without buckets needn't wait for it. */
export async function openStore(
  { connection, bucket }: BucketSpec,
  signal?: AbortSignal,
  limits = deadlines,
): Promise<Store> {
  // A notice on Node's version is for those who choose it: this project's developers, not those who deploy.
  process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";
  const sdk = await import("@aws-sdk/client-s3");
  const {
    endpoint,
    region,
    accessKeyId,
    secretAccessKey,
    sessionToken,
    forcePathStyle = false,
    lacks = [],
  } = connection;
  const session = sessionToken === undefined ? {} : { sessionToken };
  const client: S3Client = new sdk.S3Client({
    region,
    forcePathStyle,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(accessKeyId === undefined || secretAccessKey === undefined
      ? {}
      : { credentials: { accessKeyId, secretAccessKey, ...session } }),
    // Stores that speak S3 don't all know the checksums that the SDK would add on its own.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    // The standard mode waits longer each time, by chance, and longer still where it is told to slow down.
    retryMode: "standard",
    maxAttempts: 8,
    requestHandler: {
      connectionTimeout: limits.connection,
      requestTimeout: limits.answer,
      throwOnRequestTimeout: true,
    },
  });
  const Bucket = bucket.name;
  const enough = AbortSignal.timeout(limits.run);
  const options = { abortSignal: signal === undefined ? enough : AbortSignal.any([enough, signal]) };
  // S3 takes no constraint for its first region; "auto" is what stores without regions are told.
  const constraint = region === "us-east-1" || region === "auto" ? undefined : region;

  async function setting<T>(feature: Feature, ask: () => Promise<T>): Promise<Setting<T>> {
    if (lacks.includes(feature)) return unsupported;
    try {
      return await ask();
    } catch (error) {
      const fault = faultOf(error);
      if (unset.has(fault.name)) return undefined;
      if (unknownCall(fault)) return unsupported;
      throw error;
    }
  }

  return {
    async presence() {
      try {
        await client.send(new sdk.HeadBucketCommand({ Bucket }), options);
        return "ours to use";
      } catch (error) {
        if (faultOf(error).status === 404) return "absent";
        throw error;
      }
    },

    async create() {
      try {
        await client.send(
          new sdk.CreateBucketCommand({
            Bucket,
            ...(lacks.includes("ownership") ? {} : { ObjectOwnership: "BucketOwnerEnforced" }),
            ...(constraint === undefined
              ? {}
              : { CreateBucketConfiguration: { LocationConstraint: constraint as "eu-central-1" } }),
          }),
          options,
        );
      } catch (error) {
        // The answer to a first try that succeeded was lost, or another run was faster.
        if (faultOf(error).name !== "BucketAlreadyOwnedByYou") throw error;
      }
    },

    async read() {
      const [tags, publicAccess, ownership, encryption, versioning, policy, lifecycle] = await Promise.all([
        setting("tags", async () => {
          const { TagSet = [] } = await client.send(new sdk.GetBucketTaggingCommand({ Bucket }), options);
          return Object.fromEntries(TagSet.map(({ Key = "", Value = "" }) => [Key, Value]));
        }),
        setting("public access block", async () => {
          const answer = await client.send(new sdk.GetPublicAccessBlockCommand({ Bucket }), options);
          return answer.PublicAccessBlockConfiguration ?? {};
        }),
        setting("ownership", async () => {
          const answer = await client.send(new sdk.GetBucketOwnershipControlsCommand({ Bucket }), options);
          return answer.OwnershipControls?.Rules?.[0]?.ObjectOwnership;
        }),
        setting("encryption", async () => {
          const answer = await client.send(new sdk.GetBucketEncryptionCommand({ Bucket }), options);
          return answer.ServerSideEncryptionConfiguration?.Rules?.[0]?.ApplyServerSideEncryptionByDefault?.SSEAlgorithm;
        }),
        setting("versioning", async () => {
          const answer = await client.send(new sdk.GetBucketVersioningCommand({ Bucket }), options);
          return answer.Status;
        }),
        setting("policy", async () => {
          const { Policy } = await client.send(new sdk.GetBucketPolicyCommand({ Bucket }), options);
          return parsePolicy(Policy);
        }),
        setting("lifecycle", async () => {
          const answer = await client.send(new sdk.GetBucketLifecycleConfigurationCommand({ Bucket }), options);
          return answer.Rules ?? [];
        }),
      ]);
      return { tags, publicAccess, ownership, encryption, versioning, policy, lifecycle };
    },

    async change(change) {
      switch (change.feature) {
        case "tags": {
          const TagSet = Object.entries(change.tags).map(([Key, Value]) => ({ Key, Value }));
          await client.send(new sdk.PutBucketTaggingCommand({ Bucket, Tagging: { TagSet } }), options);
          return;
        }
        case "public access block": {
          const all = {
            BlockPublicAcls: true,
            IgnorePublicAcls: true,
            BlockPublicPolicy: true,
            RestrictPublicBuckets: true,
          };
          await client.send(
            new sdk.PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: all }),
            options,
          );
          return;
        }
        case "ownership": {
          const Rules = [{ ObjectOwnership: "BucketOwnerEnforced" as const }];
          await client.send(
            new sdk.PutBucketOwnershipControlsCommand({ Bucket, OwnershipControls: { Rules } }),
            options,
          );
          return;
        }
        case "encryption": {
          const Rules = [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" as const } }];
          await client.send(
            new sdk.PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: { Rules } }),
            options,
          );
          return;
        }
        case "versioning":
          await client.send(
            new sdk.PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }),
            options,
          );
          return;
        case "policy":
          if (change.policy === undefined) await client.send(new sdk.DeleteBucketPolicyCommand({ Bucket }), options);
          else
            await client.send(
              new sdk.PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify(change.policy) }),
              options,
            );
          return;
        case "lifecycle": {
          const Rules = change.rules as LifecycleRule[];
          await client.send(
            new sdk.PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules } }),
            options,
          );
        }
      }
    },

    async empty() {
      try {
        const { Versions = [], DeleteMarkers = [] } = await client.send(
          new sdk.ListObjectVersionsCommand({ Bucket, MaxKeys: 1 }),
          options,
        );
        return Versions.length + DeleteMarkers.length === 0;
      } catch (error) {
        if (!unknownCall(faultOf(error))) throw error;
        const { KeyCount = 0 } = await client.send(new sdk.ListObjectsV2Command({ Bucket, MaxKeys: 1 }), options);
        return KeyCount === 0;
      }
    },

    async remove() {
      try {
        await client.send(new sdk.DeleteBucketCommand({ Bucket }), options);
      } catch (error) {
        if (faultOf(error).status !== 404) throw error;
      }
    },

    close() {
      client.destroy();
    },
  };
}

/** A policy that isn't JSON is nobody's to overwrite. */
function parsePolicy(text: string | undefined): Policy | undefined {
  if (text === undefined || text === "") return undefined;
  const policy = JSON.parse(text) as Policy;
  const { Statement } = policy as { Statement: Policy["Statement"] | Policy["Statement"][number] };
  return { ...policy, Statement: Array.isArray(Statement) ? (Statement as Policy["Statement"]) : [Statement as never] };
}
