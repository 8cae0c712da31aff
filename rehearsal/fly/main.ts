import { join } from "node:path";
import { bootHost } from "../host/host";
import { type BucketStore, makeBucket, removeBucket } from "../platform/buckets";
import { serveNames } from "../platform/dns";
import { ensureBaseImages } from "../platform/images";
import { PodmanRuntime } from "../platform/podman";
import { type PlatformProcess, runPlatform } from "../platform/process";
import { Registry } from "../platform/registry";
import { HostPostgres } from "../platform/postgres";
import { HostServices } from "../platform/services";
import { startFly } from "./emulator";
import { lookUp } from "./names";

/** What the emulator's process is told. */
export interface FlyProcess extends PlatformProcess {
  /** The store of Tigris buckets. */
  readonly s3: BucketStore;
}

/** Makes a bucket, with the variables that Tigris gives for one. */
async function sellBucket(s3: BucketStore, name: string): Promise<Record<string, string>> {
  await makeBucket(s3, name);
  return {
    BUCKET_NAME: name,
    AWS_ENDPOINT_URL_S3: s3.endpoint,
    AWS_REGION: s3.region,
    AWS_ACCESS_KEY_ID: s3.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
  };
}

async function main(given: FlyProcess): Promise<void> {
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
      bucket: (name) => sellBucket(s3, name),
      removeBucket: (name) => removeBucket(s3, name),
      redis: (name) => services.redis(name),
      postgres: new HostPostgres(host),
    },
  });
  await serveNames(address, (name) => lookUp(fly.world, name), nameservers);
  process.stdout.write(`listening on ${fly.endpoint}\n`);
}

if (require.main === module) runPlatform(main);
