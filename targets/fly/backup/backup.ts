import type { Ending } from "../scheduler/runJob";
import type { PlannedBackup } from "../scheduler/schedule";
import { Courier, type Errands } from "./courier";
import { runInMachine } from "./inMachine";
import { runOnMachine } from "./onMachine";
import type { Act, Here } from "./here";
import { keyOf, momentOf, prefixOf, surplusOf } from "./keys";
import { deleteObject, getObject, listObjects, putObject, type BucketAccess } from "./s3";

/** Bytes of the largest object that S3 takes at once (S3 user guide, Uploading objects). */
const mostBytes = 5 * 1024 ** 3;

/** Saves a database into its bucket, and removes the backups beyond those that are kept. */
export async function backUp(here: Here, plan: PlannedBackup, access: BucketAccess, at: Date): Promise<Ending> {
  const key = keyOf(here.id, plan.database, suffixOf(plan), at);
  const kept: string[] = [];
  const log: string[] = [];
  const say = teller(here, plan, log);
  const errands: Errands = {
    keep: async (body, about) => {
      if (about.bytes > mostBytes) throw new Error("the copy has more than the 5 GB that a bucket takes at once");
      await putObject(access, key, body, about);
      kept.push(key);
      say(`uploaded to s3://${access.bucket}/${key}, ${about.bytes} bytes`);
    },
    give: () => Promise.reject(new Error("nothing is to be given")),
    say,
  };
  const ending = await work(here, plan, "dump", at, errands, log);
  if (ending.reason !== "exit" || ending.code !== 0) return ending;
  if (kept.length === 0) return { ...ending, code: 1, log: [...log, "its machine ended without a copy"] };
  const keys = (await listObjects(access, prefixOf(here.id, plan.database))).map((object) => object.key);
  for (const old of surplusOf(keys, plan.keep)) {
    await deleteObject(access, old);
    say(`removed ${old}, the newest ${plan.keep} stay`);
  }
  return { ...ending, log };
}

/**
 * Puts a copy from the bucket in the place of a database's present content, after that was backed up.
 * @param wanted `latest`, or a key of the bucket
 */
export async function restore(here: Here, plan: PlannedBackup, access: BucketAccess, wanted: string): Promise<Ending> {
  const log: string[] = [];
  const say = teller(here, plan, log);
  const key = wanted === "latest" ? await newest(here, plan, access) : wanted.replace(`s3://${access.bucket}/`, "");
  if (key === undefined) {
    const place = `s3://${access.bucket}/${prefixOf(here.id, plan.database)}`;
    return { code: 127, reason: "exit", log: [`there is no backup in ${place}`] };
  }
  // Read before anything is done: what isn't there can't be restored, and a deploy needn't wait to hear that.
  (await getObject(access, key)).body.destroy();
  // A file is kept aside beside itself.
  if (plan.engine === "postgres") {
    const present = await backUp(here, { ...plan, keep: Infinity }, access, new Date());
    if (present.code !== 0) {
      return { ...present, log: [...present.log, "the present data can't be saved first; nothing was changed"] };
    }
    say("the present data is kept aside");
  }
  say(`restores s3://${access.bucket}/${key}`);
  const errands: Errands = {
    keep: () => Promise.reject(new Error("nothing is to be kept")),
    give: () => getObject(access, key),
    say,
  };
  return work(here, plan, "restore", new Date(), errands, log);
}

async function newest(here: Here, { database }: PlannedBackup, access: BucketAccess): Promise<string | undefined> {
  const keys = (await listObjects(access, prefixOf(here.id, database))).map((object) => object.key);
  const older = new Set(surplusOf(keys, 1));
  return keys.find((key) => momentOf(key) !== undefined && !older.has(key));
}

const teller =
  ({ log }: Here, { database }: PlannedBackup, lines: string[]) =>
  (line: string): void => {
    lines.push(line);
    log(`${database}: ${line}`);
  };

/** As every target names a database's copies. */
export const suffixOf = ({ engine }: Pick<PlannedBackup, "engine">): string =>
  engine === "sqlite" ? ".db.gz" : ".dump";

/** Has a copy made or restored where the database's programs or its file are. */
async function work(
  here: Here,
  plan: PlannedBackup,
  act: Act,
  at: Date,
  errands: Errands,
  log: readonly string[],
): Promise<Ending> {
  const courier = new Courier(errands);
  const meeting = await courier.open();
  try {
    const ending = await (plan.engine === "sqlite"
      ? runInMachine(here, plan, act, at, meeting)
      : runOnMachine(here, plan, act, at, meeting));
    // What it says comes by the courier; what it couldn't say is in its own log.
    return { ...ending, log: log.length === 0 ? ending.log : log };
  } finally {
    courier.close();
  }
}
