import { S3Client, CreateBucketCommand, type BucketLocationConstraint } from "@aws-sdk/client-s3";
import { randomBytes } from "node:crypto";
import type { RehearsedValue } from "./stack";
import type { Docker, Fly, Host, Railway, Render, S3 } from "./site";

/** The apps' ports where all five share one host. */
export const sharedPorts = {
  "hotrod:ports": { json: { web: 8090 } },
  "clausea:ports": { json: { api: 8010, dashboard: 8511 } },
} as const;

/** Where archives are, and how one gets at them. */
export type Store = Pick<S3, "endpoint" | "region" | "accessKeyId" | "secretAccessKey">;

const apps = ["shopifly", "catscan", "hotrod", "tileshop", "clausea"];

/** What stands in for the outside where all five apps share a host: that host, and all that stands in elsewhere. */
export function fiveAppsOnOneHost(host: Host, s3: Store, gateway: string): Record<string, RehearsedValue> {
  return { ...standIns(s3, gateway), ...onHost(host, apps) };
}

/** Puts apps on a host, at ports that let all of them share it. */
export function onHost(host: Host, names: readonly string[]): Record<string, RehearsedValue> {
  return {
    ...Object.fromEntries(names.map((app) => [`${app}:target`, "vps"])),
    ...sharedPorts,
    // A host shows the domain's own certificate to the world, and its DNS isn't ours to point at a rehearsal.
    ...(names.includes("hotrod") ? { "hotrod:domain": undefined } : {}),
    "vps:hosts": { json: { rehearsal: { address: host.address, user: host.user, hostKey: host.hostKey } } },
    "vps:privateKey": { secret: host.privateKey },
  };
}

/** What leads the apps on Fly, and the images that they are made of, to the emulator. */
export function onFly(fly: Fly, docker: Docker): Record<string, RehearsedValue> {
  return {
    "fly:apiToken": { secret: fly.token },
    "fly:region": "fra",
    "fly:machinesUrl": fly.endpoint,
    "fly:apiUrl": fly.endpoint,
    "docker:host": docker.host,
  };
}

/** The repository that Railway builds clausea from in a rehearsal. */
export const railwayRepository = "acme/clausea";

/** What leads clausea on Railway, and the repository that it is built from, to the emulator. */
export function onRailway(railway: Railway): Record<string, RehearsedValue> {
  return {
    "clausea:source": `${railway.remote(railwayRepository)}#main`,
    // Railway's services are open or closed to the world: the dashboard has its password.
    "clausea:allowFrom": undefined,
    "railway:repositories": { json: { clausea: railwayRepository } },
    "railway:apiToken": { secret: railway.token },
    "railway:url": railway.endpoint,
  };
}

/** The repository that Render builds hotrod from in a rehearsal. */
export const renderRepository = "acme/hotrod";

/** What leads hotrod on Render, and the repository that it is built from, to the emulator. */
export function onRender(render: Render): Record<string, RehearsedValue> {
  return {
    "hotrod:source": `${render.remote(renderRepository)}#main`,
    "render:repositories": { json: { hotrod: `https://github.com/${renderRepository}` } },
    "render:apiKey": { secret: render.token },
    "render:apiUrl": render.endpoint,
  };
}

/** What stands in for the outside wherever the apps live: an archive, their code, and credentials made up on the spot. */
export function standIns(s3: Store, gateway: string): Record<string, RehearsedValue> {
  const made = (): { secret: string } => ({ secret: randomBytes(18).toString("base64url") });
  return {
    ...Object.fromEntries(apps.map((app) => [`${app}:source`, `rehearsal/standins/${app}`])),
    "s3:endpoint": s3.endpoint,
    "s3:region": s3.region,
    "s3:accessKeyId": s3.accessKeyId,
    "s3:secretAccessKey": { secret: s3.secretAccessKey },
    "shopifly:allowFrom": { json: [`${gateway}/32`] },
    "clausea:allowFrom": { json: [`${gateway}/32`] },
    "shopifly:ANTHROPIC_API_KEY": made(),
    "catscan:GMAIL_CREDENTIALS": { secret: JSON.stringify({ installed: { client_secret: made().secret } }) },
    "catscan:GMAIL_TOKEN": { secret: JSON.stringify({ refresh_token: made().secret }) },
    "hotrod:SHOPIFY_ACCESS_TOKEN": made(),
    "hotrod:SHOPIFY_WEBHOOK_SECRET": made(),
    "hotrod:OPENAI_API_KEY": made(),
    "hotrod:UPSTASH_REDIS_REST_URL": "https://upstash.example.com",
    "hotrod:UPSTASH_REDIS_REST_TOKEN": made(),
    "hotrod:ZOHO_CLIENT_ID": made(),
    "hotrod:ZOHO_CLIENT_SECRET": made(),
    "hotrod:ZOHO_REFRESH_TOKEN": made(),
    "hotrod:ZOHO_ORG_ID": "600000001",
    "tileshop:ANTHROPIC_API_KEY": made(),
    "clausea:MONGO_URI": { secret: `mongodb+srv://clausea:${made().secret}@cluster0.example.mongodb.net/clausea` },
    "clausea:API_KEY": made(),
    "clausea:OPENAI_API_KEY": made(),
    "clausea:ANTHROPIC_API_KEY": made(),
    "clausea:STREAMLIT_DASHBOARD_PASSWORD": made(),
  };
}

/** The bucket that the live stack adopts is there already in real life, so the emulator is given it. */
export async function makeExistingBuckets(s3: Store, names: readonly string[]): Promise<void> {
  const client = new S3Client({
    endpoint: s3.endpoint,
    region: s3.region,
    forcePathStyle: true,
    credentials: { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey },
  });
  try {
    // The first region is the one that can't be named (CreateBucket in the S3 API reference).
    const place =
      s3.region === "us-east-1"
        ? {}
        : { CreateBucketConfiguration: { LocationConstraint: s3.region as BucketLocationConstraint } };
    for (const name of names) await client.send(new CreateBucketCommand({ Bucket: name, ...place }));
  } finally {
    client.destroy();
  }
}
