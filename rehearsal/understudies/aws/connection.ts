import type { Values } from "./schema";

/** How AWS is reached: the configuration of the provider. */
export interface Connection {
  /** The region of resources that name none. */
  readonly region: string;
  /** Given keys; without them the SDK's own chain (environment, profile, SSO). */
  readonly credentials?: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
  readonly profile?: string;
  /** URLs by service. */
  readonly endpoints: Readonly<Record<string, string>>;
  readonly pathStyle: boolean;
  /** How often a call is tried. Default: 25, as the official provider does. */
  readonly attempts: number;
}

/** The configuration that makes no difference to an understudy: what it would skip, it never does. */
const accepted = new Set([
  "allowedAccountIds",
  "forbiddenAccountIds",
  "retryMode",
  "skipCredentialsValidation",
  "skipMetadataApiCheck",
  "skipRegionValidation",
  "skipRequestingAccountId",
  "stsRegion",
  "useDualstackEndpoint",
  "useFipsEndpoint",
  "version",
  "pluginDownloadURL",
]);

/** The engine gives what isn't a text as JSON (pulumirpc.ConfigureRequest). */
function decoded(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}

const textOf = (args: Values, name: string): string | undefined => {
  const value = args[name];
  return typeof value === "string" && value !== "" ? value : undefined;
};

function endpointsOf(value: unknown): Record<string, string> {
  const given = decoded(value);
  const items: unknown[] = Array.isArray(given) ? given : given === undefined ? [] : [given];
  const endpoints: Record<string, string> = {};
  for (const item of items) {
    const entries = Object.entries(typeof item === "object" && item !== null ? item : { "": item });
    for (const [service, url] of entries) {
      if (typeof url !== "string" || !URL.canParse(url)) {
        throw new Error(
          `aws:endpoints: expected a JSON list such as [{"ec2":"http://127.0.0.1:5000"}], got ${JSON.stringify(given)}`,
        );
      }
      endpoints[service.toLowerCase()] = url;
    }
  }
  return endpoints;
}

/**
 * The connection that a provider's configuration asks for.
 * @throws Error for configuration that the understudy doesn't know, and where there is no region
 */
export function connectionOf(args: Values, env: NodeJS.ProcessEnv): Connection {
  const known = new Set([
    "region",
    "accessKey",
    "secretKey",
    "token",
    "profile",
    "endpoints",
    "s3UsePathStyle",
    "maxRetries",
  ]);
  const others = Object.keys(args).filter((name) => !known.has(name) && !accepted.has(name) && !name.startsWith("__"));
  if (others.length > 0) {
    throw new Error(`The understudy of the aws provider doesn't know this configuration: ${others.join(", ")}`);
  }
  const region = textOf(args, "region") ?? env["AWS_REGION"] ?? env["AWS_DEFAULT_REGION"] ?? "";
  if (region === "") {
    throw new Error("missing region configuration: set it by `pulumi config set aws:region <region>`");
  }
  const accessKeyId = textOf(args, "accessKey");
  const secretAccessKey = textOf(args, "secretKey");
  const sessionToken = textOf(args, "token");
  const profile = textOf(args, "profile");
  const retries = decoded(args["maxRetries"]);
  return {
    region,
    ...(accessKeyId === undefined || secretAccessKey === undefined
      ? {}
      : { credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) } }),
    ...(profile === undefined ? {} : { profile }),
    endpoints: endpointsOf(args["endpoints"]),
    pathStyle: decoded(args["s3UsePathStyle"]) === true,
    attempts: typeof retries === "number" ? retries + 1 : 25,
  };
}
