import { BucketError } from "./error";
import type { BucketSpec } from "./spec";
import { faultOf } from "./store";

const again = "then run `pulumi up` again";
const unreachable = new Set([
  ...["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "ECONNRESET", "EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT"],
  ...["TimeoutError", "AbortError", "EPIPE", "ERR_TLS_CERT_ALTNAME_INVALID", "DEPTH_ZERO_SELF_SIGNED_CERT"],
  ...["SELF_SIGNED_CERT_IN_CHAIN", "UNABLE_TO_VERIFY_LEAF_SIGNATURE", "CERT_HAS_EXPIRED", "EPROTO"],
]);
const badKey = new Set(["InvalidAccessKeyId", "SignatureDoesNotMatch", "CredentialsProviderError", "ExpiredToken"]);

/** Why a call failed and what mends it, in words; other errors of ours pass through. */
export function explain(error: unknown, { connection, bucket }: BucketSpec, doing: string): BucketError {
  if (error instanceof BucketError) return error;
  const { name, status, message, region } = faultOf(error);
  const where = `bucket "${bucket.name}" at ${connection.endpoint ?? `AWS, ${connection.region}`}`;
  const told = (why: string, fix: string): BucketError =>
    new BucketError({ what: `The bucket could not be ${doing}.`, where, why, fix });

  if (unreachable.has(name))
    return told(
      `The store doesn't answer (${name}).`,
      `Check the address, \`pulumi config get s3:endpoint\`, and that this machine reaches it, ${again}.`,
    );
  if (badKey.has(name))
    return told(
      `The store doesn't take the access key (${name}).`,
      `\`pulumi config set s3:accessKeyId …\` and \`pulumi config set --secret s3:secretAccessKey …\`, ${again}.`,
    );
  if (name === "BucketAlreadyExists" || (status === 403 && doing === "looked at"))
    return told(
      name === "BucketAlreadyExists"
        ? "Somebody else has a bucket of this name; names are unique among all customers of a store."
        : "There is a bucket of this name, and the store refuses us: it is somebody else's, or the key lacks s3:ListBucket.",
      `Choose another name, or give the key the rights to it, ${again}.`,
    );
  if (status === 301 || name === "PermanentRedirect" || name === "AuthorizationHeaderMalformed")
    return told(
      `The bucket is in another region${region === undefined ? "" : `, ${region}`}.`,
      `\`pulumi config set s3:region ${region ?? "<the bucket's>"}\`, ${again}.`,
    );
  if (status === 403) return told(`The store refuses it: ${message}`, `Give the access key the right to it, ${again}.`);
  if (name === "SlowDown" || (status !== undefined && status >= 500))
    return told(
      `The store can't at the moment (${name}, ${status ?? "no status"}), after several tries.`,
      `Wait a minute, ${again}.`,
    );
  return told(
    `The store says ${name}${status === undefined ? "" : ` (${status})`}: ${message}`,
    `Mend that, ${again}.`,
  );
}
