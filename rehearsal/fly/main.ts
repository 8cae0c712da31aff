import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectsCommand,
  ListObjectsV2Command,
  S3Client,
} from "@aws-sdk/client-s3";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { bootHost } from "../host/host";
import type { Machine } from "../host/machine";
import type { Network } from "../host/network";
import { serveNames } from "../platform/dns";
import { ensureBaseImages } from "../platform/images";
import { PodmanRuntime } from "../platform/podman";
import { Registry } from "../platform/registry";
import { HostPostgres } from "../platform/postgres";
import { HostServices } from "../platform/services";
import type { PlatformTools } from "../platform/tools";
import { startFly } from "./emulator";
import { lookUp } from "./names";

interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** What the emulator's process is told, in a file, as its state's secrets are. */
export interface FlyProcess {
  readonly folder: string;
  readonly address: string;
  readonly port: number;
  readonly machine: Machine;
  readonly network: Network;
  readonly tools: PlatformTools;
  /** Who answers names that aren't Fly's. */
  readonly nameservers: readonly string[];
  /** The store of Tigris buckets. */
  readonly s3: { readonly endpoint: string; readonly region: string } & Credentials;
}

function clientOf({ endpoint, region, ...credentials }: FlyProcess["s3"]): S3Client {
  return new S3Client({ endpoint, region, forcePathStyle: true, credentials });
}

/** Makes a bucket, with the variables that Tigris gives for one. */
async function makeBucket(s3: FlyProcess["s3"], name: string): Promise<Record<string, string>> {
  const { endpoint, region, accessKeyId, secretAccessKey } = s3;
  const client = clientOf(s3);
  await client.send(new CreateBucketCommand({ Bucket: name })).finally(() => {
    client.destroy();
  });
  return {
    BUCKET_NAME: name,
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  };
}

/** Removes a bucket with all that is in it, as deleting the add-on does. */
async function removeBucket(s3: FlyProcess["s3"], name: string): Promise<void> {
  const client = clientOf(s3);
  try {
    for (;;) {
      const { Contents: found = [] } = await client.send(new ListObjectsV2Command({ Bucket: name }));
      if (found.length === 0) break;
      const objects = found.flatMap(({ Key: key }) => (key === undefined ? [] : [{ Key: key }]));
      await client.send(new DeleteObjectsCommand({ Bucket: name, Delete: { Objects: objects } }));
    }
    await client.send(new DeleteBucketCommand({ Bucket: name }));
  } finally {
    client.destroy();
  }
}

async function main(file: string): Promise<void> {
  const given = JSON.parse(readFileSync(file, "utf8")) as FlyProcess;
  const { folder, address, port, machine, network, tools, nameservers, s3 } = given;
  const [host, registry] = await Promise.all([
    bootHost({ machine, network }),
    Registry.start(tools.registry, join(folder, "registry"), address),
  ]);
  const services = new HostServices(host);
  const runtime = new PodmanRuntime({
    host,
    machine,
    init: tools.init,
    nameserver: address,
    pullFrom: (image) =>
      image.startsWith("registry.fly.io/") ? image.replace("registry.fly.io", registry.address) : undefined,
  });
  await Promise.all([runtime.prepare(), ensureBaseImages(host)]);
  const fly = await startFly({
    file: join(folder, "state.json"),
    runtime,
    registry,
    host: address,
    port,
    settings: {
      bucket: (name) => makeBucket(s3, name),
      removeBucket: (name) => removeBucket(s3, name),
      redis: (name) => services.redis(name),
      postgres: new HostPostgres(host),
    },
  });
  await serveNames(address, (name) => lookUp(fly.world, name), nameservers);
  process.stdout.write(`listening on ${fly.endpoint}\n`);
}

if (require.main === module)
  main(process.argv[2]!).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(1);
  });
