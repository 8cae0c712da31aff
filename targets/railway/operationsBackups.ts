import { createOnce } from "../../drivers/http";
import type { BackupCopy, BackupList, PlacedApp, RestoreSource } from "../operations";
import type { VolumeInstance } from "./api/types";
import { refuseHeld } from "./deploy/lease";
import { Ledger } from "./deploy/ledger";
import type { Place } from "./deploy/find";
import type { Found } from "./deploy/look";
import type { Run } from "./deploy/run";
import { holderOf } from "./names";
import { discardStaged, isReturn, stagedIn } from "./staged";

interface Listed {
  readonly id: string;
  readonly name?: string | null;
  readonly createdAt: string;
  readonly usedMB?: number | null;
}
interface Workflow {
  readonly workflowId?: string | null;
}

type At = Found & { readonly place: Place };

/** Seconds that a backup or its return may take. */
const workSeconds = 3600;

type Declared = Pick<PlacedApp, "declaration">;

/** The volume that a database is on, or a service's of that name. */
function volumeOf(found: At, { declaration }: Declared, name: string): VolumeInstance | undefined {
  const database = declaration.databases.find((one) => one.name === name);
  const id = found.services.get(database === undefined ? name : (holderOf(declaration, database) ?? ""));
  return found.volumes.find(({ serviceId }) => id !== undefined && serviceId === id);
}

async function list(run: Run, { id }: VolumeInstance): Promise<Listed[]> {
  const answer = await run.railway.ask<{ volumeInstanceBackupList: readonly Listed[] }>(
    "query Backups($id: String!) { volumeInstanceBackupList(volumeInstanceId: $id) { id name createdAt usedMB } }",
    { id },
  );
  return [...answer.volumeInstanceBackupList].sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
}

/** Saves a database's volume now. @returns false where there is none */
export async function backUp(run: Run, found: At, app: Declared, database: string): Promise<boolean> {
  const volume = volumeOf(found, app, database);
  if (volume === undefined) return false;
  const known = new Set((await list(run, volume)).map(({ id }) => id));
  const deadline = run.railway.deadline(workSeconds, `the backup of ${database}`);
  const started = await createOnce<Workflow>(run.railway.client, {
    deadline,
    create: async () => {
      const answer = await run.railway.make<{ volumeInstanceBackupCreate: Workflow }>(
        "mutation BackUp($id: String!, $name: String) { volumeInstanceBackupCreate(volumeInstanceId: $id, name: $name) { workflowId } }",
        { id: volume.id, name: `homeport ${new Date(run.railway.client.world.now()).toISOString()}` },
        { deadline },
      );
      return answer.volumeInstanceBackupCreate;
    },
    find: async () => ((await list(run, volume)).some(({ id }) => !known.has(id)) ? {} : undefined),
  });
  await finish(run, started, `the backup of ${database}`);
  run.tell(`${database}: saved`);
  return true;
}

/** Copies of all volumes of the app; Railway tells their size in MB. */
export async function listBackups(run: Run, found: At, app: Declared): Promise<BackupList> {
  const copies: BackupCopy[] = [];
  const listed = new Set<string>();
  for (const { name } of [...app.declaration.databases, ...app.declaration.services]) {
    const volume = volumeOf(found, app, name);
    // A file's volume is also its service's.
    if (volume === undefined || listed.has(volume.id)) continue;
    listed.add(volume.id);
    for (const { id, createdAt, usedMB } of await list(run, volume)) {
      copies.push({ database: name, kept: "place", key: id, bytes: (usedMB ?? 0) * 1_000_000, time: createdAt });
    }
  }
  return { copies, problems: [] };
}

/**
 * Puts a copy in the place of a volume. Railway stages that as a change, which has to be committed along with whatever else is
 * staged: so it is refused where somebody else's changes wait.
 */
export async function restore(
  run: Run,
  found: At,
  app: Declared,
  database: string,
  from: RestoreSource,
): Promise<boolean> {
  const volume = volumeOf(found, app, database);
  if (volume === undefined) return false;
  if (from.kind === "file") {
    throw run.error(
      "Railway can't take a file in the place of a volume.",
      "its copies are of whole volumes, and lie with them",
      `homeport backups ${database} lists copies; a dump goes in by psql through a TCP proxy (railway:tcpProxies)`,
    );
  }
  refuseHeld(run, found.state);
  const { environmentId } = found.place;
  const serviceId = volume.serviceId ?? "";
  const isOwn = async () => isReturn(await stagedIn(run, environmentId), serviceId, volume.volumeId);
  const isStaged = (found.environment.unmergedChangesCount ?? 0) > 0;
  const isLeft = isStaged && found.state?.restoring === database && (await isOwn());
  if (isStaged && !isLeft) {
    throw run.error(
      "Somebody has staged changes in the environment.",
      "a copy's return is committed together with all that is staged, and theirs aren't decided yet; nothing was changed",
      "deploy or discard them in the project's page at railway.com, then again",
    );
  }
  const copies = await list(run, volume);
  const copy = from.kind === "latest" ? copies[0] : copies.find(({ id, name }) => id === from.key || name === from.key);
  if (copy === undefined) {
    throw run.error(
      `There is no such copy of ${database}.`,
      `there are ${copies.length}`,
      "homeport backups lists them",
    );
  }
  const ledger = new Ledger(run, found.place, found.state);
  ledger.restoring = database;
  await ledger.holding("homeport restore", workSeconds + 600, async () => {
    if (isLeft) {
      run.tell(`${database}: a return that was staged and never committed is taken back`);
      await discardStaged(run, environmentId);
    }
    const answer = await run.railway.ask<{ volumeInstanceBackupRestore: Workflow }>(
      `mutation Restore($copy: String!, $volume: String!) {
        volumeInstanceBackupRestore(volumeInstanceBackupId: $copy, volumeInstanceId: $volume) { workflowId }
      }`,
      { copy: copy.id, volume: volume.id },
    );
    await finish(run, answer.volumeInstanceBackupRestore, `the return of ${database}`);
    if (!(await isOwn())) {
      throw run.error(
        "Somebody has staged changes in the environment meanwhile.",
        `the return of ${database} is staged beside them, and would be committed with them; it isn't`,
        "at the project's page at railway.com: deploy all of it, or discard it and restore again",
      );
    }
    await run.railway.ask(
      `mutation CommitRestore($id: String!, $message: String) {
        environmentPatchCommitStaged(environmentId: $id, commitMessage: $message)
      }`,
      { id: environmentId, message: `Restore ${database} (homeport)` },
    );
    ledger.restoring = undefined;
  });
  run.tell(`${database}: the copy of ${copy.createdAt} is back; the volume of before is kept detached`);
  return true;
}

/** Waits for work in the background; just after its start it may not be known yet. */
async function finish(run: Run, { workflowId }: Workflow, what: string): Promise<void> {
  if ((workflowId ?? undefined) === undefined) return;
  const deadline = run.railway.deadline(workSeconds, what);
  for (let wait = 1000, unknown = 0; ; wait = Math.min(15_000, wait * 1.5)) {
    const answer = await run.railway.ask<{ workflowStatus: { status: string; error?: string | null } }>(
      "query Workflow($id: String!) { workflowStatus(workflowId: $id) { status error } }",
      { id: workflowId },
    );
    const { status, error } = answer.workflowStatus;
    if (status === "Complete") return;
    const isLost = status === "NotFound" && unknown++ >= 10;
    if (status === "Error" || isLost || !(await run.pause(wait, deadline))) {
      throw run.error(
        `Railway couldn't do ${what}.`,
        error ?? `its work is ${status}`,
        "look at the volume at railway.com",
      );
    }
  }
}
