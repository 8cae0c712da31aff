import type { Problem } from "../../components/problems";
import { plainSecret, setCommand, type StackConfig } from "../../components/settings";
import type { Ec2Connection } from "../../drivers/ec2/spec";
import type { AccessKey } from "../systemd/plan";

/**
 * How AWS is reached: the standard keys of the aws provider (https://www.pulumi.com/registry/packages/aws/installation-configuration/),
 * for our own calls besides the provider's. Where a key is left out, the AWS SDK's own chain decides (environment,
 * profile, SSO, the machine's role). Secret as a whole.
 */
export interface AwsConnection {
  /** `aws:region`: where everything is made that names no region of its own. */
  readonly region: string;
  readonly profile?: string;
  readonly accessKey?: string;
  readonly secretKey?: string;
  readonly token?: string;
  /** Addresses of services by their name in `aws:endpoints`, `{ ec2: "http://127.0.0.1:5000" }`. Left out: AWS itself. */
  readonly endpoints: Readonly<Record<string, string>>;
}

/** Reads the aws provider's keys. A key that can't be read counts as unset; `checkAws` complains of it. */
export function awsConnection(config: StackConfig): AwsConnection {
  const read = (key: string): string | undefined => {
    const value = config.entries.get(`aws:${key}`)?.value;
    return value === undefined || value === "" ? undefined : value;
  };
  const [profile, accessKey, secretKey, token] = [read("profile"), read("accessKey"), read("secretKey"), read("token")];
  return {
    region: read("region") ?? "",
    ...(profile === undefined ? {} : { profile }),
    ...(accessKey === undefined ? {} : { accessKey }),
    ...(secretKey === undefined ? {} : { secretKey }),
    ...(token === undefined ? {} : { token }),
    endpoints: parseEndpoints(read("endpoints")) ?? {},
  };
}

/** The address of a service, as an option of our own calls; empty for AWS itself. */
export function endpointOf({ endpoints }: AwsConnection, service: string): { readonly endpoint?: string } {
  const endpoint = endpoints[service];
  return endpoint === undefined ? {} : { endpoint };
}

/** How our own calls to EC2 in a region go. */
export const ec2Connection = (aws: AwsConnection, region: string): Ec2Connection => connectionTo(aws, "ec2", region);

/** How our own calls to a service in a region go; the service is named as in `aws:endpoints`. */
export function connectionTo(aws: AwsConnection, service: string, region: string): Ec2Connection {
  const { profile, accessKey, secretKey, token } = aws;
  return {
    region,
    ...endpointOf(aws, service),
    ...(profile === undefined ? {} : { profile }),
    ...(accessKey === undefined ? {} : { accessKey }),
    ...(secretKey === undefined ? {} : { secretKey }),
    ...(token === undefined ? {} : { token }),
  };
}

/** A key of this machine's own, which may be a temporary one. Secret as a whole. */
export interface DeployerKey extends AccessKey {
  /** Of temporary keys, which AWS doesn't know without it. */
  readonly sessionToken?: string;
}

/** What this machine reaches AWS with, where the stack says it. */
export function deployerOf({ profile, accessKey, secretKey, token }: AwsConnection): {
  readonly deployer?: DeployerKey;
  readonly profile?: string;
} {
  const session = token === undefined ? {} : { sessionToken: token };
  return {
    ...(accessKey === undefined || secretKey === undefined
      ? {}
      : { deployer: { accessKeyId: accessKey, secretAccessKey: secretKey, ...session } }),
    ...(profile === undefined ? {} : { profile }),
  };
}

/** What of the aws provider's keys keeps a stack from being deployed. */
export function checkAws(config: StackConfig): Problem[] {
  const entry = (key: string) => config.entries.get(`aws:${key}`);
  const problems: Problem[] = [];
  const region = entry("region")?.value ?? "";
  if (!isRegion(region)) {
    problems.push({
      where: "aws:region",
      what: region === "" ? "The stack doesn't say in which region of AWS it lives." : `"${region}" isn't a region.`,
      why: "Two machines whose environments name different regions would otherwise deploy the same stack twice.",
      fix: setCommand("aws:region", false, "eu-central-1"),
    });
  }
  const endpoints = entry("endpoints")?.value ?? "";
  if (endpoints !== "" && parseEndpoints(endpoints) === undefined) {
    problems.push({
      where: "aws:endpoints",
      what: "It isn't a list of maps from services to addresses.",
      fix: setCommand("aws:endpoints", false, '[{"ec2":"https://ec2.example.com"}]'),
    });
  }
  for (const key of ["secretKey", "token"]) {
    const found = entry(key);
    if (found !== undefined && found.value !== "" && !found.secret) problems.push(plainSecret(`aws:${key}`));
  }
  if ((entry("accessKey")?.value ?? "") !== "" && (entry("secretKey")?.value ?? "") === "") {
    problems.push({
      where: "aws:secretKey",
      what: "There is an access key without its secret.",
      fix: setCommand("aws:secretKey", true),
    });
  }
  return problems;
}

/**
 * Whether it has the form of a region: a place, a quarter of it, a number, `eu-central-1`, `us-gov-west-1`. Which there are is
 * AWS's to say.
 */
export const isRegion = (text: string): boolean =>
  /^[a-z]{2,4}(-[a-z]{2,4})?-(central|(north|south)(east|west)?|east|west)-\d$/.test(text);

/** The part of AWS that a region belongs to, as ARNs have it (AWS General Reference, "Amazon Resource Names"). */
export function partitionOf(region: string): string {
  if (region.startsWith("cn-")) return "aws-cn";
  return region.startsWith("us-gov-") ? "aws-us-gov" : "aws";
}

/** A list with one map, or several: the provider takes both. */
function parseEndpoints(text: string | undefined): Record<string, string> | undefined {
  if (text === undefined) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  const result: Record<string, string> = {};
  for (const map of Array.isArray(parsed) ? (parsed as unknown[]) : [parsed]) {
    if (typeof map !== "object" || map === null || Array.isArray(map)) return undefined;
    for (const [service, address] of Object.entries(map)) {
      if (typeof address !== "string" || !URL.canParse(address)) return undefined;
      result[service] = address;
    }
  }
  return result;
}
