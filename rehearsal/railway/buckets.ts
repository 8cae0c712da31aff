import { randomBytes } from "node:crypto";
import type { BucketCredentials } from "./state";
import { refuse, slug, type World } from "./world";

/** Where buckets may lie: github.com/railwayapp/cli, src/controllers/regions.rs. It can't be changed. */
export const bucketRegions = ["sjc", "iad", "ams", "sin"];

const madeUp = (bucketName: string): Omit<BucketCredentials, "createdAt"> => ({
  bucketName,
  endpoint: "https://storage.railway.app",
  region: "auto",
  accessKeyId: `tid_${randomBytes(9).toString("hex")}`,
  secretAccessKey: `tsec_${randomBytes(18).toString("hex")}`,
  urlStyle: "virtual",
});

/** Refuses a bucket's place that can't be. */
export function checkBucket(world: World, id: string, environmentId: string, region: string): void {
  if (!bucketRegions.includes(region)) throw refuse(`Invalid bucket region: ${region}`);
  const known = world.state.environments[environmentId]!.buckets[id];
  if (known !== undefined && known.region !== region) throw refuse("A bucket's region can't be changed");
}

/** Where a bucket lies unless it is told. */
export const standardBucketRegion = "sjc";

/** Puts a bucket into an environment: only then it is there, and has credentials. */
export async function addBucket(world: World, id: string, environmentId: string, region: string): Promise<void> {
  const bucket = world.state.buckets[id]!;
  const environment = world.state.environments[environmentId]!;
  checkBucket(world, id, environmentId, region);
  environment.buckets[id] = { region };
  if (bucket.credentials[environmentId] !== undefined) return;
  const name = `${slug(bucket.name)}-${randomBytes(4).toString("hex")}`;
  const given = (await world.settings.bucket?.(name)) ?? madeUp(name);
  bucket.credentials[environmentId] = { ...given, createdAt: world.clock.now() };
}

/** Takes a bucket out of an environment, with what is in it. */
export async function removeBucket(world: World, id: string, environmentId: string): Promise<void> {
  const bucket = world.state.buckets[id];
  if (bucket === undefined) return;
  const credentials = bucket.credentials[environmentId];
  if (credentials !== undefined) await world.settings.removeBucket?.(credentials.bucketName);
  Reflect.deleteProperty(world.state.environments[environmentId]!.buckets, id);
  Reflect.deleteProperty(bucket.credentials, environmentId);
}
