import { merge, readPatch } from "./patches";
import type { VolumeInstance } from "./state";
import { addVolumeInstance, createVolume, volumeIn } from "./volumes";
import { newId, type World } from "./world";

const backupName = (id: string): string => `backup-${id}`;

/** Copies a volume's data as it is now. */
export async function makeBackup(world: World, of: VolumeInstance, name: string | undefined): Promise<void> {
  if (world.faults.happens("backupFailure", of.id)) throw new Error("a backup that the rehearsal was told to let fail");
  const id = newId();
  await world.runtime.copyVolume(of.id, backupName(id));
  of.backups.push({
    id,
    ...(name === undefined ? {} : { name }),
    createdAt: world.clock.now(),
    sizeMB: of.sizeMB,
  });
}

export async function removeBackup(world: World, of: VolumeInstance, id: string): Promise<void> {
  if (!of.backups.some((one) => one.id === id)) throw new Error("Backup not found");
  of.backups = of.backups.filter((one) => one.id !== id);
  await world.runtime.removeVolume(backupName(id));
}

/**
 * Makes a volume with a backup's data, and stages that it takes the other one's place: somebody is to commit that.
 * https://docs.railway.com/reference/backups#how-to-restore-a-backup
 */
export async function restoreBackup(world: World, of: VolumeInstance, id: string): Promise<void> {
  const { environmentId, serviceId, mountPath, region } = of;
  const backup = of.backups.find((one) => one.id === id)!;
  const environment = world.state.environments[environmentId]!;
  const { volumeId } = createVolume(world, environment.projectId, { mountPath });
  const made = addVolumeInstance(world, volumeId, environmentId, mountPath, region);
  made.sizeMB = of.sizeMB;
  await world.runtime.copyVolume(backupName(id), made.id);
  // Backups newer than the restored one go with the old volume.
  made.backups = of.backups.filter((one) => one.createdAt <= backup.createdAt);
  made.schedules = of.schedules;
  if (serviceId === undefined || volumeIn(world, of.volumeId, environmentId) === undefined) return;
  const patch = {
    services: { [serviceId]: { volumeMounts: { [of.volumeId]: null, [volumeId]: { mountPath } } } },
  };
  const now = world.clock.now();
  const { staged } = environment;
  environment.staged = {
    id: staged?.id ?? newId(),
    patch: merge(staged?.patch ?? {}, readPatch(patch) as Record<string, unknown>, true),
    status: "STAGED",
    createdAt: staged?.createdAt ?? now,
    updatedAt: now,
  };
}
