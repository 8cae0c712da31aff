import type { EC2Client, EC2ClientConfig } from "@aws-sdk/client-ec2";
import { DriverError } from "../error";
import type { Ec2Connection } from "./spec";

/** A client of EC2; the SDK is loaded here and nowhere before. */
export async function ec2Client(connection: Ec2Connection): Promise<EC2Client> {
  const options = clientOptions(connection);
  const { EC2Client } = await import("@aws-sdk/client-ec2");
  return new EC2Client(options);
}

/** Options that the clients of all services of AWS take. To be asked for before a client's module is loaded. */
export function clientOptions(connection: Ec2Connection) {
  // A notice on Node's version is for those who choose it: this project's developers, not those who deploy.
  process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";
  const { region, endpoint, profile, accessKey, secretKey, token } = connection;
  return {
    region,
    // Throttled calls and 5xx are tried again with growing pauses (SDKs and Tools reference guide, "Retry behavior").
    retryMode: "standard" as const,
    maxAttempts: 8,
    requestHandler: { connectionTimeout: 5_000, requestTimeout: 20_000, throwOnRequestTimeout: true },
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(profile === undefined ? {} : { profile }),
    ...(accessKey === undefined || secretKey === undefined
      ? {}
      : {
          credentials: {
            accessKeyId: accessKey,
            secretAccessKey: secretKey,
            ...(token === undefined ? {} : { sessionToken: token }),
          },
        }),
  } satisfies EC2ClientConfig;
}

/** What a person is told of a call to EC2 that has failed. */
export function explainEc2(error: unknown, where: string): unknown {
  if (!(error instanceof Error)) return error;
  const code = error.name;
  const tell = (what: string, fix: string): DriverError => new DriverError({ what, where, why: error.message, fix });
  if (/^(CredentialsProviderError|TokenProviderError|ExpiredToken.*|AuthFailure|InvalidClientTokenId)$/.test(code)) {
    return tell("AWS wasn't given credentials that it takes.", "see whether `aws sts get-caller-identity` works here");
  }
  if (code === "UnauthorizedOperation" || code === "AccessDenied") {
    return tell("These credentials may not do this.", "give them the right that is named above, or use others");
  }
  if (code === "InvalidInstanceID.NotFound") {
    return tell("The instance isn't there.", "pulumi refresh, then pulumi up makes what lacks");
  }
  if (/^(ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EHOSTUNREACH|TimeoutError)$/.test(codeOf(error) ?? code)) {
    return tell("AWS couldn't be reached.", "look at the network, and at aws:region and aws:endpoints");
  }
  return error.name === "Error"
    ? error
    : tell("A call to AWS has failed.", "run it again; it takes up where it stopped");
}

const codeOf = (error: Error): string | undefined =>
  "code" in error && typeof error.code === "string" ? error.code : undefined;
