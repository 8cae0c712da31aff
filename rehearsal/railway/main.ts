import { readFileSync } from "node:fs";
import { join } from "node:path";
import { bootHost } from "../host/host";
import type { Machine } from "../host/machine";
import type { Network } from "../host/network";
import { type BucketStore, makeBucket, removeBucket } from "../platform/buckets";
import { serveNames } from "../platform/dns";
import { buildImage, ensureBaseImages } from "../platform/images";
import { PodmanRuntime } from "../platform/podman";
import type { PlatformTools } from "../platform/tools";
import { startRailway } from "./emulator";
import { lookUp } from "./names";
import type { BucketCredentials } from "./state";
import type { BuildOrder } from "./world";

/** What the emulator's process is told, in a file, as its state's secrets are. */
export interface RailwayProcess {
  readonly folder: string;
  readonly address: string;
  readonly port: number;
  readonly machine: Machine;
  readonly network: Network;
  readonly tools: PlatformTools;
  /** Who answers names that aren't Railway's. */
  readonly nameservers: readonly string[];
  /** The store of buckets. */
  readonly s3: BucketStore;
}

async function sellBucket(s3: BucketStore, bucketName: string): Promise<Omit<BucketCredentials, "createdAt">> {
  await makeBucket(s3, bucketName);
  const { endpoint, region, accessKeyId, secretAccessKey } = s3;
  return { bucketName, endpoint, region, accessKeyId, secretAccessKey, urlStyle: "path" };
}

async function main(file: string): Promise<void> {
  const given = JSON.parse(readFileSync(file, "utf8")) as RailwayProcess;
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

if (require.main === module)
  main(process.argv[2]!).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(1);
  });
