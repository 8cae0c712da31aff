import { readFileSync } from "node:fs";
import { join } from "node:path";
import { launchKey, type Fly } from "../api/fly";
import { metadataOf, type Machine } from "../api/types";
import { exitOf } from "../deploy/health";
import { tag } from "../deploy/tags";
import type { Ending } from "../scheduler/runJob";
import { jobTags, type PlannedBackup } from "../scheduler/schedule";
import { Courier, type Errands } from "./courier";
import { keyOf, momentOf, prefixOf, surplusOf } from "./keys";
import { deleteObject, getObject, listObjects, putObject, type BucketAccess } from "./s3";

/** The scheduler's machine, in which this runs: what it makes beside itself, and where others find it. */
export interface Here {
  readonly fly: Fly;
  /** The app of Fly that the scheduler's machine is in. */
  readonly app: string;
  readonly region: string;
  /** Of this machine in the organization's private network. */
  readonly address: string;
  /** Owner tag, `hotrod-prod`. */
  readonly id: string;
  /** Folder of `dump.sh` and `restore.sh`. */
  readonly scripts: string;
  readonly log: (line: string) => void;
}

/** Seconds that saving or restoring a database may take. */
const workSeconds = 6 * 3600;
/** Bytes of the largest object that S3 takes at once (S3 user guide, Uploading objects). */
const mostBytes = 5 * 1024 ** 3;

/** Saves a database into its bucket, and removes the backups beyond those that are kept. */
export async function backUp(here: Here, plan: PlannedBackup, access: BucketAccess, at: Date): Promise<Ending> {
  const key = keyOf(here.id, plan.database, ".dump", at);
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
  const ending = await onMachine(here, plan, "dump", at, errands, log);
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
  const present = await backUp(here, { ...plan, keep: Infinity }, access, new Date());
  if (present.code !== 0) {
    return { ...present, log: [...present.log, "the present data can't be saved first; nothing was changed"] };
  }
  say(`the present data is kept aside; restores s3://${access.bucket}/${key}`);
  const errands: Errands = {
    keep: () => Promise.reject(new Error("nothing is to be kept")),
    give: () => getObject(access, key),
    say,
  };
  return onMachine(here, plan, "restore", new Date(), errands, log);
}

async function newest(here: Here, { database }: PlannedBackup, access: BucketAccess): Promise<string | undefined> {
  const keys = (await listObjects(access, prefixOf(here.id, database))).map((object) => object.key);
  const older = new Set(surplusOf(keys, 1));
  return keys.find((key) => momentOf(key) !== undefined && !older.has(key));
}

const teller =
  ({ log }: Here, { name }: PlannedBackup, lines: string[]) =>
  (line: string): void => {
    lines.push(line);
    log(`${name} | ${line}`);
  };

/** Runs one of the shell scripts on a machine of its own that has the database's programs, and removes that machine. */
async function onMachine(
  here: Here,
  plan: PlannedBackup,
  script: "dump" | "restore",
  at: Date,
  errands: Errands,
  log: readonly string[],
): Promise<Ending> {
  const { fly, app, id } = here;
  const courier = new Courier(errands);
  const { port, nonce } = await courier.open();
  try {
    // One that a scheduler before this one left behind can't find its courier any more.
    await removeLeft(here, plan);
    const machine = await fly.createMachine(app, `${plan.name}-${script}-${at.getTime()}`, {
      region: here.region,
      config: {
        image: plan.image,
        guest: plan.guest,
        env: {
          FLY_PROCESS_GROUP: plan.name,
          DATABASE_VARIABLE: plan.variable,
          COURIER_HOST: here.address,
          COURIER_PORT: String(port),
          COURIER_NONCE: nonce,
        },
        files: [],
        init: { entrypoint: ["/bin/bash", "-c"], cmd: [readFileSync(join(here.scripts, `${script}.sh`), "utf8")] },
        restart: { policy: "no" },
        auto_destroy: false,
        dns: { skip_registration: true },
        metadata: {
          [tag.platform]: "v2",
          [tag.group]: plan.name,
          [tag.owner]: id,
          [tag.role]: "job",
          [jobTags.name]: plan.name,
          [jobTags.at]: at.toISOString(),
        },
      },
      skip_service_registration: true,
    });
    const ended = await waitEnded(fly, app, machine.id);
    await fly.destroyMachine(app, machine.id);
    if (ended === undefined) return { code: undefined, reason: "timeout", log };
    const exit = exitOf(ended);
    return { code: exit?.guest_exit_code ?? exit?.exit_code, reason: "exit", log };
  } finally {
    courier.close();
  }
}

async function removeLeft({ fly, app, id }: Here, { name }: PlannedBackup): Promise<void> {
  const left = await fly.machines(app, { [tag.owner]: id, [tag.role]: "job", [jobTags.name]: name });
  for (const machine of left)
    if (metadataOf(machine)[launchKey] !== undefined) await fly.destroyMachine(app, machine.id);
}

/** @returns undefined where it took too long */
async function waitEnded(fly: Fly, app: string, id: string): Promise<Machine | undefined> {
  const deadline = fly.deadline(workSeconds, `machine ${id} to end`);
  let settle = 0;
  for (;;) {
    const machine = await fly.machine(app, id);
    if (machine !== undefined && ["stopped", "failed", "destroyed"].includes(machine.state)) {
      if (exitOf(machine) !== undefined || settle++ >= 5) return machine;
    }
    if (!(await fly.client.pause(2000, deadline))) return undefined;
  }
}
