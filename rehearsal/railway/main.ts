import { join } from "node:path";
import { bootHost } from "../host/host";
import { type BucketStore, makeBucket, removeBucket } from "../platform/buckets";
import { serveNames } from "../platform/dns";
import { buildImage, ensureBaseImages } from "../platform/images";
import { PodmanRuntime } from "../platform/podman";
import { type PlatformProcess, runPlatform } from "../platform/process";
import { startRailway } from "./emulator";
import { lookUp } from "./names";
import type { BucketCredentials } from "./state";
import type { BuildOrder } from "./world";

/** What the emulator's process is told. */
export interface RailwayProcess extends PlatformProcess {
  /** The store of buckets. */
  readonly s3: BucketStore;
}

async function sellBucket(s3: BucketStore, bucketName: string): Promise<Omit<BucketCredentials, "createdAt">> {
  await makeBucket(s3, bucketName);
  const { endpoint, region, accessKeyId, secretAccessKey } = s3;
  return { bucketName, endpoint, region, accessKeyId, secretAccessKey, urlStyle: "path" };
}

async function main(given: RailwayProcess): Promise<void> {
  const { folder, address, port, machine, network, tools, nameservers, s3 } = given;
  const host = await bootHost({ machine, network });
  const runtime = new PodmanRuntime({
    host,
    machine,
    init: tools.init,
    nameserver: address,
    pullFrom: () => undefined,
  });
  await Promise.all([runtime.prepare(), ensureBaseImages(host)]);
  // Services that are built from the same alike share one build, as they would its layers.
  const builds = new Map<string, Promise<string>>();
  const build = async ({ name, context, dockerfile, args, say }: BuildOrder): Promise<void> => {
    const building = builds.get(name) ?? buildImage(host, context, name, { dockerfile, args });
    builds.set(name, building);
    building.catch(() => builds.delete(name));
    for (const line of (await building).trim().split("\n")) say(line);
  };
  const railway = await startRailway({
    file: join(folder, "state.json"),
    runtime,
    host: address,
    port,
    settings: {
      bucket: (name) => sellBucket(s3, name),
      removeBucket: (name) => removeBucket(s3, name),
      build,
    },
  });
  await serveNames(address, (name) => lookUp(railway.world, name), nameservers);
  process.stdout.write(`listening on ${railway.url}\n`);
}

if (require.main === module) runPlatform(main);
