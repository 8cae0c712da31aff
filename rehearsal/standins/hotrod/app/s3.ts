/** One S3 upload, signed by hand (AWS Signature Version 4: the SDK would be the app's largest dependency). */
import { createHash, createHmac } from "node:crypto";

const sha256 = (data: string | Buffer) => createHash("sha256").update(data).digest("hex");
const hmac = (key: string | Buffer, data: string) => createHmac("sha256", key).update(data).digest();

/** Credentials come from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN. */
export async function putObject(bucket: string, key: string, body: Buffer): Promise<void> {
  const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret, AWS_SESSION_TOKEN: token } = process.env;
  if (!id || !secret) throw new Error("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be set to upload to S3");
  const region = process.env.AWS_REGION || process.env.AWS_DEFAULT_REGION || "us-east-1";
  const endpoint = process.env.AWS_ENDPOINT_URL || `https://s3.${region}.amazonaws.com`;
  const url = new URL(`${endpoint.replace(/\/$/, "")}/${bucket}/${key}`);

  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
  const scope = `${time.slice(0, 8)}/${region}/s3/aws4_request`;
  const signed: Record<string, string> = {
    host: url.host,
    "x-amz-content-sha256": sha256(body),
    "x-amz-date": time,
    ...(token ? { "x-amz-security-token": token } : {}),
  };
  const names = Object.keys(signed).sort();
  const headerLines = names.map((name) => `${name}:${signed[name]}\n`).join("");
  const request = ["PUT", url.pathname, "", headerLines, names.join(";"), signed["x-amz-content-sha256"]].join("\n");
  const toSign = ["AWS4-HMAC-SHA256", time, scope, sha256(request)].join("\n");
  const signingKey = scope.split("/").reduce<string | Buffer>((parent, part) => hmac(parent, part), `AWS4${secret}`);
  const signature = createHmac("sha256", signingKey).update(toSign).digest("hex");

  const { host: _host, ...headers } = signed;
  const authorization = `AWS4-HMAC-SHA256 Credential=${id}/${scope}, SignedHeaders=${names.join(";")}, Signature=${signature}`;
  const response = await fetch(url, { method: "PUT", body, headers: { ...headers, authorization } });
  if (!response.ok) throw new Error(`S3 answered ${response.status}: ${(await response.text()).slice(0, 300)}`);
}
