import { BucketError } from "./error";

/** What some S3 stores lack. Named in `lacks`, a safety feature is done without; otherwise its lack is an error. */
export const features = [
  "tags",
  "public access block",
  "ownership",
  "encryption",
  "versioning",
  "policy",
  "lifecycle",
] as const;
export type Feature = (typeof features)[number];

/** How to reach an S3 store. Secret as a whole. */
export interface S3Connection {
  /** `https://…`; a store that speaks plain http gets no TLS-only policy, which would lock everyone out. @default AWS */
  readonly endpoint?: string;
  readonly region: string;
  /** Absent together with the secret one: what the SDK finds itself, such as a role. */
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  /** Of temporary keys alone. */
  readonly sessionToken?: string;
  /** `https://endpoint/bucket` instead of `https://bucket.endpoint`. @default false */
  readonly forcePathStyle?: boolean;
  /** Features that this store is known to lack and that are done without. @default none */
  readonly lacks?: readonly Feature[];
}

/** A bucket as it is to be. */
export interface BucketWish {
  /** 3 to 63 characters, RFC 1123 labels (S3 user guide, "General purpose bucket naming rules"). */
  readonly name: string;
  /** True for a bucket that the user has made: taken as it is, its data and foreign settings kept, never deleted. */
  readonly adopt: boolean;
  /** Mark the bucket as this app's: one that exists with other values belongs to somebody else. Other tags are kept. */
  readonly tags: Readonly<Record<string, string>>;
  /** Days until objects move to the infrequent-access class; S3 takes 30 and more. @default never */
  readonly coldAfterDays?: number;
  /** Days until objects expire. Versions of before stay. @default never */
  readonly expireAfterDays?: number;
  readonly onDelete: "keep" | "delete if empty";
}

/** What the driver reads from stdin. */
export interface BucketSpec {
  readonly connection: S3Connection;
  readonly bucket: BucketWish;
}

/** What the driver prints; holds no secret. */
export interface BucketResult {
  readonly bucket: string;
  readonly region: string;
  readonly arn: string;
  readonly endpoint?: string;
  /** What was done, in order; empty where all was as asked. */
  readonly changes: readonly string[];
  readonly warnings: readonly string[];
}

type Fields = Readonly<Record<string, unknown>>;
const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function refuse(where: string, why: string): never {
  throw new BucketError({
    what: "This bucket can't be declared like that.",
    where,
    why,
    fix: "Correct it in the app's declaration or the stack's configuration, then run `pulumi up` again.",
  });
}

function days(value: unknown, field: string, least: number): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "number" && Number.isInteger(value) && value >= least) return value;
  return refuse(`bucket.${field}`, `It is ${JSON.stringify(value)}; S3 takes whole days from ${least} up.`);
}

function connection(value: unknown): S3Connection {
  if (!isFields(value) || typeof value["region"] !== "string" || value["region"] === "")
    return refuse("connection.region", "There is no region.");
  const { endpoint, accessKeyId, secretAccessKey, sessionToken, lacks = [] } = value;
  if (endpoint !== undefined && (typeof endpoint !== "string" || !/^https?:\/\/[^/\s]+\/?$/.test(endpoint)))
    return refuse("connection.endpoint", `${JSON.stringify(endpoint)} isn't \`https://host\` with an optional port.`);
  if (typeof accessKeyId !== typeof secretAccessKey)
    return refuse("connection", "An access key id and its secret go together; one of them is missing.");
  if (sessionToken !== undefined && (typeof sessionToken !== "string" || accessKeyId === undefined))
    return refuse("connection.sessionToken", "A session token is text, and belongs to an access key.");
  const unknown = (Array.isArray(lacks) ? (lacks as unknown[]) : [lacks]).find(
    (one) => !features.includes(one as Feature),
  );
  if (unknown !== undefined)
    return refuse("connection.lacks", `${JSON.stringify(unknown)} is none of: ${features.join(", ")}.`);
  return value as unknown as S3Connection;
}

/** Reads a spec, or throws a `BucketError` that names the field. */
export function parseSpec(value: unknown): BucketSpec {
  if (!isFields(value)) return refuse("the spec", "It is no object.");
  const { bucket } = value;
  if (!isFields(bucket) || typeof bucket["name"] !== "string") return refuse("bucket.name", "There is no name.");
  const { name } = bucket;
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) || /\.\.|^\d+\.\d+\.\d+\.\d+$/.test(name))
    return refuse(`bucket ${JSON.stringify(name)}`, "Names have 3 to 63 characters: a-z, 0-9, dots and inner hyphens.");
  const tags = bucket["tags"];
  if (!isFields(tags) || Object.keys(tags).length === 0 || Object.values(tags).some((tag) => typeof tag !== "string"))
    return refuse(`bucket "${name}", tags`, "At least one tag is needed to tell this app's bucket from another's.");
  const cold = days(bucket["coldAfterDays"], "coldAfterDays", 30);
  const expire = days(bucket["expireAfterDays"], "expireAfterDays", 1);
  if (cold !== undefined && expire !== undefined && expire <= cold)
    return refuse(
      `bucket "${name}"`,
      `Objects would expire after ${expire} days, before they move to the cold class after ${cold}.`,
    );
  if (bucket["onDelete"] !== "keep" && bucket["onDelete"] !== "delete if empty")
    return refuse(`bucket "${name}", onDelete`, 'It is neither "keep" nor "delete if empty".');
  return {
    connection: connection(value["connection"]),
    bucket: { ...(bucket as unknown as BucketWish), adopt: bucket["adopt"] === true },
  };
}
