import { BucketError } from "./s3/error";
import { explain } from "./s3/explain";
import type { Change } from "./s3/plan";
import { bucketArn, planBucket } from "./s3/plan";
import type { BucketResult, BucketSpec } from "./s3/spec";
import { parseSpec } from "./s3/spec";
import type { BucketState } from "./s3/state";
import { unsupported } from "./s3/state";
import type { Store } from "./s3/store";
import { faultOf, openStore } from "./s3/store";

export type { BucketResult, BucketSpec } from "./s3/spec";

/** What a run is given by whoever starts it. */
export interface BucketIo {
  /** Takes a line for people. */
  progress(line: string): void;
  /** Ends the run at its next call. */
  readonly signal?: AbortSignal;
}

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

/**
 * Runs a step again while the store is busy with the bucket's past: a name that was just deleted, or a bucket that was
 * just created, isn't known everywhere at once (S3 user guide, "Amazon S3 data consistency model").
 */
async function settled<T>(step: () => Promise<T>, waits = [500, 1_000, 2_000, 4_000, 8_000, 16_000]): Promise<T> {
  for (const wait of waits) {
    try {
      return await step();
    } catch (error) {
      const { name } = faultOf(error);
      if (name !== "OperationAborted" && name !== "NoSuchBucket") throw error;
      await pause(wait);
    }
  }
  return step();
}

/** Whose bucket it is by its tags. One without ours that is empty is the work of a run that was cut off. */
async function checkOwner(store: Store, spec: BucketSpec, state: BucketState): Promise<void> {
  const { bucket } = spec;
  // Without tags there is its name alone, which ends in letters by chance.
  if (state.tags === unsupported) return;
  const tags = state.tags ?? {};
  const other = Object.entries(bucket.tags).find(([key, value]) => tags[key] !== undefined && tags[key] !== value);
  if (bucket.adopt && other === undefined) return;
  if (other === undefined && Object.keys(bucket.tags).every((key) => tags[key] !== undefined)) return;
  if (other === undefined && (await store.empty())) return;
  const [key, value] = other ?? [];
  throw new BucketError({
    what: `The bucket "${bucket.name}" is there already and isn't this app's.`,
    where: `bucket "${bucket.name}" at ${spec.connection.endpoint ?? `AWS, ${spec.connection.region}`}`,
    why:
      key === undefined
        ? "It holds objects and carries no tag of this app."
        : `Its tag ${key} is "${tags[key] ?? ""}", not "${value ?? ""}".`,
    fix:
      key === undefined
        ? "Name it as the app's existing bucket in the stack's configuration (`<app>:buckets`), or choose another name."
        : "Choose another bucket, or remove that tag from this one if the other app is gone.",
  });
}

/** A cold class that the store doesn't have is no reason to keep an app from running. */
async function changeOrWarn(store: Store, change: Change, warnings: string[]): Promise<boolean> {
  try {
    await settled(() => store.change(change));
    return true;
  } catch (error) {
    const { name, status, message } = faultOf(error);
    const class_ = name === "InvalidStorageClass" || name === "InvalidArgument" || status === 501 || status === 405;
    if (change.feature !== "lifecycle" || !class_) throw error;
    warnings.push(`The store doesn't take the lifecycle (${name}: ${message}); objects stay as they are.`);
    return false;
  }
}

async function applyTo(store: Store, spec: BucketSpec, io: BucketIo): Promise<BucketResult> {
  const { connection, bucket } = spec;
  const during = <T>(doing: string, step: () => Promise<T>): Promise<T> =>
    step().catch((error: unknown) => Promise.reject(explain(error, spec, doing)));
  const changes: string[] = [];
  const done = (line: string): void => {
    changes.push(line);
    io.progress(`bucket ${bucket.name}: ${line}`);
  };

  if ((await during("looked at", () => store.presence())) === "absent") {
    if (bucket.adopt)
      throw new BucketError({
        what: `There is no bucket "${bucket.name}".`,
        where: `${connection.endpoint ?? "AWS"}, ${connection.region}`,
        why: "The stack's configuration names it as an existing one.",
        fix: "Correct its name or create it, or leave it out of `<app>:buckets` to have one made; then run `pulumi up` again.",
      });
    await during("created", () => settled(() => store.create()));
    done("created");
  }
  const state = await during("read", () => settled(() => store.read()));
  await during("read", () => checkOwner(store, spec, state));
  const plan = planBucket(spec, state);
  if (plan.missing.length > 0)
    throw new BucketError({
      what: `This store can't keep the bucket "${bucket.name}" safe.`,
      where: `bucket "${bucket.name}" at ${connection.endpoint ?? "AWS"}`,
      why: `It doesn't know: ${plan.missing.join(", ")}.`,
      fix: `Use another store (\`pulumi config set s3:endpoint …\`), or take the risk: name what it lacks in the connection's \`lacks\`.`,
    });
  const warnings = [...plan.warnings];
  for (const change of plan.changes) {
    if (await during(`changed (${change.feature})`, () => changeOrWarn(store, change, warnings))) done(change.line);
  }
  for (const warning of warnings) io.progress(`bucket ${bucket.name}: warning: ${warning}`);
  return {
    bucket: bucket.name,
    region: connection.region,
    arn: bucketArn(bucket.name, connection.region),
    ...(connection.endpoint === undefined ? {} : { endpoint: connection.endpoint }),
    changes,
    warnings,
  };
}

/**
 * Makes a bucket what the spec says, with no changing call where it is that already. Every step can be cut off and is
 * taken up by the next run. Throws a `BucketError` that says what, where, why and what mends it.
 */
export async function applyBucket(input: unknown, io: BucketIo): Promise<BucketResult> {
  const spec = parseSpec(input);
  const store = await openStore(spec, io.signal);
  try {
    return await applyTo(store, spec, io);
  } finally {
    store.close();
  }
}

/** Removes a bucket that is this app's, empty, and not to be kept. One that holds anything stays, and it says so. */
export async function deleteBucket(input: unknown, io: BucketIo): Promise<{ readonly deleted: boolean }> {
  const spec = parseSpec(input);
  const { bucket } = spec;
  const keep = (why: string): { deleted: boolean } => {
    io.progress(`bucket ${bucket.name}: kept, ${why}`);
    return { deleted: false };
  };
  if (bucket.adopt) return keep("as it was there before the app");
  if (bucket.onDelete === "keep") return keep("with its data");
  const store = await openStore(spec, io.signal);
  try {
    if ((await store.presence()) === "absent") return { deleted: true };
    const { tags } = await store.read();
    const known = tags === unsupported || tags === undefined ? {} : tags;
    if (tags !== unsupported && Object.entries(bucket.tags).some(([key, value]) => known[key] !== value))
      return keep("as its tags aren't this app's");
    if (!(await store.empty()))
      return keep(`as it holds objects; aws s3 rb --force s3://${bucket.name} deletes it with them`);
    await settled(() => store.remove());
    io.progress(`bucket ${bucket.name}: deleted`);
    return { deleted: true };
  } catch (error) {
    const { name } = faultOf(error);
    if (name === "BucketNotEmpty") return keep("as something was put into it meanwhile");
    throw explain(error, spec, "deleted");
  } finally {
    store.close();
  }
}
