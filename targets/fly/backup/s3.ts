import { createHash, createHmac } from "node:crypto";
import { request as plainRequest, type IncomingMessage } from "node:http";
import { request as secureRequest } from "node:https";
import type { Readable } from "node:stream";

/** A bucket at an S3 service, and the key that opens it. */
export interface BucketAccess {
  readonly bucket: string;
  readonly region: string;
  /** Of S3 services other than AWS. */
  readonly endpoint?: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface StoredObject {
  readonly key: string;
  readonly bytes: number;
  /** RFC 3339. */
  readonly time: string;
}

/** Milliseconds without a byte after which a connection counts as dead. */
const silenceMs = 120_000;
const emptyHash = createHash("sha256").update("").digest("hex");

const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();
const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

/** Path-style where the service isn't AWS: few of them have a host name for each bucket. */
export function urlOf({ bucket, region, endpoint }: BucketAccess, key = ""): URL {
  const path = key.split("/").map(encode).join("/");
  return endpoint === undefined
    ? new URL(`https://${bucket}.s3.${region}.amazonaws.com/${path}`)
    : new URL(`${endpoint.replace(/\/$/, "")}/${bucket}/${path}`);
}

const queryOf = (url: URL): string =>
  [...url.searchParams]
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join("&");

interface Signing {
  readonly method: string;
  readonly url: URL;
  /** All of them are signed; names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly payloadHash: string;
  readonly at: Date;
}

const stampOf = (at: Date): string => at.toISOString().replace(/[-:]|\.\d+/g, "");
const scopeOf = ({ region }: BucketAccess, at: Date): string => `${stampOf(at).slice(0, 8)}/${region}/s3/aws4_request`;

/** Signature Version 4 (docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html). Pure. */
export function signatureOf(access: BucketAccess, { method, url, headers, payloadHash, at }: Signing): string {
  const names = Object.keys(headers).sort();
  const lines = names.map((name) => `${name}:${headers[name] ?? ""}\n`).join("");
  const canonical = [method, url.pathname, queryOf(url), lines, names.join(";"), payloadHash].join("\n");
  const scope = scopeOf(access, at);
  const hashed = createHash("sha256").update(canonical).digest("hex");
  const key = scope
    .split("/")
    .reduce<string | Buffer>((parent, part) => hmac(parent, part), `AWS4${access.secretAccessKey}`);
  return hmac(key, ["AWS4-HMAC-SHA256", stampOf(at), scope, hashed].join("\n")).toString("hex");
}

function signed(access: BucketAccess, method: string, url: URL, more: Record<string, string>, payloadHash: string) {
  const at = new Date();
  const headers = { host: url.host, "x-amz-content-sha256": payloadHash, "x-amz-date": stampOf(at), ...more };
  const signature = signatureOf(access, { method, url, headers, payloadHash, at });
  const names = Object.keys(headers).sort().join(";");
  const credential = `${access.accessKeyId}/${scopeOf(access, at)}`;
  return {
    ...headers,
    authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names}, Signature=${signature}`,
  };
}

/** A URL by which whoever has it may put this one object, for some minutes. */
export function uploadUrl(access: BucketAccess, key: string, seconds: number, at = new Date()): string {
  const url = urlOf(access, key);
  url.searchParams.set("X-Amz-Algorithm", "AWS4-HMAC-SHA256");
  url.searchParams.set("X-Amz-Credential", `${access.accessKeyId}/${scopeOf(access, at)}`);
  url.searchParams.set("X-Amz-Date", stampOf(at));
  url.searchParams.set("X-Amz-Expires", String(seconds));
  url.searchParams.set("X-Amz-SignedHeaders", "host");
  const signing = { method: "PUT", url, headers: { host: url.host }, payloadHash: "UNSIGNED-PAYLOAD", at };
  url.searchParams.set("X-Amz-Signature", signatureOf(access, signing));
  return url.toString();
}

/** @throws Error with the service's own words where it refuses */
async function call(
  access: BucketAccess,
  method: string,
  url: URL,
  options: { headers?: Record<string, string>; payloadHash?: string; body?: Readable } = {},
): Promise<IncomingMessage> {
  const headers = signed(access, method, url, options.headers ?? {}, options.payloadHash ?? emptyHash);
  const send = url.protocol === "https:" ? secureRequest : plainRequest;
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = send(url, { method, headers, timeout: silenceMs }, resolve);
    outgoing.on("timeout", () => outgoing.destroy(new Error(`${url.host} said nothing for ${silenceMs / 1000} s`)));
    outgoing.on("error", reject);
    if (options.body === undefined) outgoing.end();
    else options.body.on("error", (error) => outgoing.destroy(error)).pipe(outgoing);
  });
  const { statusCode = 0 } = answer;
  if (statusCode >= 200 && statusCode < 300) return answer;
  const text = await textOf(answer);
  const said = /<Message>([^<]*)<\/Message>/.exec(text)?.[1] ?? text.slice(0, 200);
  throw new Error(`the bucket ${access.bucket} answers ${statusCode} to ${method}: ${said}`);
}

async function textOf(answer: IncomingMessage): Promise<string> {
  let text = "";
  for await (const part of answer.setEncoding("utf8")) text += String(part);
  return text;
}

/** @param sha256 in hexadecimal: the service refuses what isn't that, and keeps it beside the object */
export async function putObject(
  access: BucketAccess,
  key: string,
  body: Readable,
  { bytes, sha256 }: { readonly bytes: number; readonly sha256: string },
): Promise<void> {
  const headers = { "content-length": String(bytes), "x-amz-meta-sha256": sha256 };
  await textOf(await call(access, "PUT", urlOf(access, key), { headers, payloadHash: sha256, body }));
}

/** The object's content, its length and the hash that was noted when it was put. */
export async function getObject(access: BucketAccess, key: string) {
  const body = await call(access, "GET", urlOf(access, key));
  return {
    body,
    bytes: Number(body.headers["content-length"] ?? 0),
    sha256: body.headers["x-amz-meta-sha256"] as string | undefined,
  };
}

export async function deleteObject(access: BucketAccess, key: string): Promise<void> {
  await textOf(await call(access, "DELETE", urlOf(access, key)));
}

const unescaped = (text: string): string =>
  text.replace(/&(amp|lt|gt|quot|apos);/g, (_, name: string) =>
    name === "amp" ? "&" : name === "lt" ? "<" : name === "gt" ? ">" : name === "quot" ? '"' : "'",
  );

/** All objects whose key begins so. */
export async function listObjects(access: BucketAccess, prefix: string): Promise<StoredObject[]> {
  const found: StoredObject[] = [];
  let after: string | undefined;
  do {
    const url = urlOf(access);
    url.searchParams.set("list-type", "2");
    url.searchParams.set("prefix", prefix);
    if (after !== undefined) url.searchParams.set("continuation-token", after);
    const text = await textOf(await call(access, "GET", url));
    for (const [, entry = ""] of text.matchAll(/<Contents>([\s\S]*?)<\/Contents>/g)) {
      const part = (name: string): string => unescaped(new RegExp(`<${name}>([^<]*)</${name}>`).exec(entry)?.[1] ?? "");
      found.push({ key: part("Key"), bytes: Number(part("Size")), time: part("LastModified") });
    }
    const next = /<NextContinuationToken>([^<]*)<\/NextContinuationToken>/.exec(text)?.[1];
    after = next === undefined ? undefined : unescaped(next);
  } while (after !== undefined);
  return found;
}
