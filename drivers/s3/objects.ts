import type { Readable } from "node:stream";
import { DriverError, Interrupted } from "../error";
import { faultOf } from "./store";

/** A bucket whose objects are to be read, and what with. Secret as a whole. */
export interface ObjectAccess {
  readonly bucket: string;
  readonly region: string;
  /** `https://…`. @default AWS */
  readonly endpoint?: string;
  /** Profile of the AWS SDK's files. */
  readonly profile?: string;
  /** Left out: what the SDK finds itself, such as the environment or SSO. */
  readonly key?: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string };
}

export interface StoredObject {
  readonly key: string;
  readonly bytes: number;
  /** When it was put there. */
  readonly time: Date;
  /** As S3 names it, `STANDARD_IA`; left out where the store doesn't tell. */
  readonly storageClass?: string;
}

/** Reading calls to one bucket. @throws DriverError in words, and what the network threw while a body was read */
export interface Objects {
  /** In the order of their keys. */
  list(prefix: string): Promise<StoredObject[]>;
  /** Its bytes as they are kept. */
  read(key: string, signal: AbortSignal): Promise<Readable>;
  close(): void;
}

/** Opens a bucket for reading. The SDK is loaded here, as other verbs needn't wait for it. */
export async function openObjects(access: ObjectAccess): Promise<Objects> {
  // A notice on Node's version is for those who choose it: this project's developers, not those who deploy.
  process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";
  const sdk = await import("@aws-sdk/client-s3");
  const { bucket: Bucket, region, endpoint, profile, key: credentials } = access;
  const client = new sdk.S3Client({
    region,
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    ...(profile === undefined ? {} : { profile }),
    ...(credentials === undefined ? {} : { credentials }),
    // Stores that speak S3 don't all know the checksums that the SDK would add on its own.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    retryMode: "standard",
    maxAttempts: 5,
    // The last is of silence: a long file may take as long as it takes.
    requestHandler: {
      ...{ connectionTimeout: 5_000, requestTimeout: 30_000, socketTimeout: 60_000 },
      throwOnRequestTimeout: true,
    },
  });
  return {
    async list(prefix) {
      const found: StoredObject[] = [];
      let ContinuationToken: string | undefined;
      do {
        const page = await client
          .send(
            new sdk.ListObjectsV2Command({
              ...{ Bucket, Prefix: prefix },
              ...(ContinuationToken === undefined ? {} : { ContinuationToken }),
            }),
          )
          .catch((error: unknown) => Promise.reject(explainRead(error, access, "listed")));
        for (const { Key, Size = 0, LastModified, StorageClass } of page.Contents ?? []) {
          if (Key === undefined) continue;
          const time = LastModified ?? new Date(0);
          found.push({
            key: Key,
            bytes: Size,
            time,
            ...(StorageClass === undefined ? {} : { storageClass: StorageClass }),
          });
        }
        ContinuationToken = page.IsTruncated === true ? page.NextContinuationToken : undefined;
      } while (ContinuationToken !== undefined);
      return found;
    },

    async read(key, signal) {
      const { Body } = await client
        .send(new sdk.GetObjectCommand({ Bucket, Key: key }), { abortSignal: signal })
        .catch((error: unknown) =>
          Promise.reject(signal.aborted ? new Interrupted() : explainRead(error, access, "read", key)),
        );
      return Body as Readable;
    },

    close() {
      client.destroy();
    },
  };
}

const unreachable =
  /^(ECONN|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|EPIPE|EPROTO|ERR_TLS|TimeoutError$)|CERT/;
const badKey =
  /^(InvalidAccessKeyId|SignatureDoesNotMatch|CredentialsProviderError|TokenProviderError|ExpiredToken.*|InvalidToken)$/;

/** Why a bucket's objects can't be read, and what mends it, in words. */
export function explainRead(error: unknown, access: ObjectAccess, doing: "listed" | "read", key?: string): DriverError {
  if (error instanceof DriverError) return error;
  const { name, status, message, region } = faultOf(error);
  const { bucket, endpoint } = access;
  const own = access.key === undefined;
  const at = endpoint ?? `AWS, ${access.region}`;
  const tell = (why: string, fix: string): DriverError =>
    new DriverError({
      what: key === undefined ? `The archive can't be ${doing}.` : `"${key}" can't be ${doing}.`,
      where: `bucket ${bucket} at ${at}`,
      why,
      fix,
    });
  if (unreachable.test(name)) {
    return tell(`the store doesn't answer (${name})`, `look at the network, and whether this machine reaches ${at}`);
  }
  if (badKey.test(name)) {
    return tell(
      `the store doesn't take the credentials (${name})`,
      own
        ? "see whether `aws sts get-caller-identity` works here; credentials are AWS's own: environment, profile, SSO"
        : "see `pulumi config get s3:accessKeyId`, or the app's own key, then pulumi up",
    );
  }
  if (name === "NoSuchKey") return tell("it isn't there any more", "homeport archive lists what is there");
  if (name === "InvalidObjectState") {
    return tell(
      "it is in a class of storage that has to be thawed first",
      `aws s3api restore-object --bucket ${bucket} --restore-request Days=7 --key KEY, and again some hours later`,
    );
  }
  if (name === "NoSuchBucket" || status === 404)
    return tell("there is no such bucket", "pulumi refresh, then pulumi up");
  if (status === 301 || name === "PermanentRedirect" || name === "AuthorizationHeaderMalformed") {
    return tell(
      `the bucket is in another region${region === undefined ? "" : `, ${region}`}`,
      "pulumi up takes that up",
    );
  }
  if (status === 403) {
    return tell(
      `these credentials may not (${message})`,
      `give them s3:ListBucket on the bucket and s3:GetObject on its objects, or use others${own ? ": AWS_PROFILE=…" : ""}`,
    );
  }
  if (name === "SlowDown" || (status !== undefined && status >= 500)) {
    return tell(`the store can't at the moment (${name})`, "wait a minute and run it again");
  }
  return tell(`${name}: ${message}`, "mend that and run it again");
}
