import { randomBytes } from "node:crypto";
import type { IncomingMessage, Server } from "node:http";
import { createServer } from "node:http";
import type { InstanceFacts } from "./facts";

/** Temporary credentials of a role. */
export interface RoleCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly token: string;
  /** RFC 3339. */
  readonly expiration: string;
}

/** What the metadata service asks of others. */
export interface MetadataSource {
  /** The running instance that has an address. */
  at(address: string): Promise<InstanceFacts | undefined>;
  credentials(instance: InstanceFacts, roleArn: string): Promise<RoleCredentials>;
}

const account = "123456789012";

function profileInfo({ profile }: InstanceFacts): string | undefined {
  if (profile === null) return undefined;
  return JSON.stringify({ Code: "Success", InstanceProfileArn: profile.arn, InstanceProfileId: profile.id });
}

/** The categories of instance metadata: docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-metadata.html. */
function plain(instance: InstanceFacts): Record<string, string | undefined> {
  const name = `ip-${instance.address.replaceAll(".", "-")}.${instance.region}.compute.internal`;
  return {
    "meta-data/ami-id": instance.image,
    "meta-data/instance-id": instance.id,
    "meta-data/instance-type": instance.type,
    "meta-data/local-hostname": name,
    "meta-data/hostname": name,
    "meta-data/local-ipv4": instance.address,
    "meta-data/public-ipv4": instance.elastic[0],
    "meta-data/placement/availability-zone": instance.zone,
    "meta-data/placement/region": instance.region,
    "meta-data/public-keys/0/openssh-key": instance.key ?? undefined,
    "meta-data/iam/info": profileInfo(instance),
    "meta-data/iam/security-credentials": instance.profile?.roles.map(({ name: role }) => role).join("\n"),
    "user-data": instance.userData ?? undefined,
    "dynamic/instance-identity/document": JSON.stringify({
      accountId: account,
      availabilityZone: instance.zone,
      imageId: instance.image,
      instanceId: instance.id,
      instanceType: instance.type,
      privateIp: instance.address,
      region: instance.region,
      version: "2017-09-30",
    }),
  };
}

async function read(instance: InstanceFacts, path: string, source: MetadataSource): Promise<string | undefined> {
  const roleName = /^meta-data\/iam\/security-credentials\/([^/]+)$/.exec(path)?.[1];
  if (roleName === undefined) return plain(instance)[path];
  const role = instance.profile?.roles.find(({ name }) => name === roleName);
  if (role === undefined) return undefined;
  const { accessKeyId, secretAccessKey, token, expiration } = await source.credentials(instance, role.arn);
  return JSON.stringify({
    Code: "Success",
    LastUpdated: new Date().toISOString().replace(/\.\d+/, ""),
    Type: "AWS-HMAC",
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretAccessKey,
    Token: token,
    Expiration: expiration,
  });
}

interface Reply {
  readonly status: number;
  readonly body?: string;
  /** For how long the token that is the body is good. */
  readonly seconds?: number;
}

/**
 * The instance metadata service, version 2 alone: a session's token first, by PUT, then data. It knows who asks by the
 * address that the question comes from. 401 without a token, 404 for what an instance hasn't got.
 */
export function metadataServer(source: MetadataSource): Server {
  const tokens = new Map<string, { readonly address: string; readonly until: number }>();

  const grant = (address: string, seconds: number): string => {
    const token = randomBytes(40).toString("base64url");
    tokens.set(token, { address, until: Date.now() + seconds * 1000 });
    return token;
  };
  const isGood = (token: string, address: string): boolean => {
    const known = tokens.get(token);
    return known?.address === address && known.until > Date.now();
  };
  const reply = async ({ method, url, headers, socket }: IncomingMessage): Promise<Reply> => {
    const address = (socket.remoteAddress ?? "").replace(/^::ffff:/, "");
    const instance = await source.at(address);
    if (instance === undefined) return { status: 404 };
    // What a proxy passes on is no request of the instance's own.
    if (!instance.metadata || headers["x-forwarded-for"] !== undefined) return { status: 403 };
    const path = (url ?? "").replace(/\/+$/, "");
    if (method === "PUT" && path === "/latest/api/token") {
      const seconds = Number(headers["x-aws-ec2-metadata-token-ttl-seconds"]);
      if (!(seconds >= 1 && seconds <= 21_600)) return { status: 400 };
      return { status: 200, body: grant(address, seconds), seconds };
    }
    if (!isGood(String(headers["x-aws-ec2-metadata-token"]), address)) return { status: 401 };
    const wanted = /^\/(?:latest|\d{4}-\d\d-\d\d)\/(.+)$/.exec(path)?.[1];
    const body = wanted === undefined ? undefined : await read(instance, wanted, source);
    return body === undefined ? { status: 404 } : { status: 200, body };
  };
  return createServer((request, response) => {
    reply(request)
      .catch((): Reply => ({ status: 500 }))
      .then(({ status, body = "", seconds }) => {
        // The AWS CLI reads from the token's answer how long it is good for.
        const ttl = seconds === undefined ? {} : { "x-aws-ec2-metadata-token-ttl-seconds": String(seconds) };
        response.writeHead(status, { "content-type": "text/plain", server: "EC2ws", ...ttl }).end(body);
      }, console.error);
  });
}
