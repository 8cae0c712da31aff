import { replicasOf } from "./checking";
import { planOf } from "./plans";
import { standardRegion } from "./regions";
import type { BackupKind, Instance, VolumeInstance } from "./state";
import { newId, nextNumber, refuse, type World } from "./world";

/** The volumes mounted in a service of an environment: at most one. */
export function mountsOf(world: World, serviceId: string, environmentId: string): VolumeInstance[] {
  return Object.values(world.state.volumeInstances).filter(
    (one) => one.serviceId === serviceId && one.environmentId === environmentId && one.deletedAt === undefined,
  );
}

/** A volume in an environment; undefined where it isn't in there. */
export function volumeIn(world: World, volumeId: string, environmentId: string): VolumeInstance | undefined {
  return Object.values(world.state.volumeInstances).find(
    (one) => one.volumeId === volumeId && one.environmentId === environmentId && one.deletedAt === undefined,
  );
}

/** Puts a volume into an environment, detached. */
export function addVolumeInstance(
  world: World,
  volumeId: string,
  environmentId: string,
  mountPath: string,
  region = standardRegion,
): VolumeInstance {
  const instance: VolumeInstance = {
    id: newId(),
    volumeId,
    environmentId,
    mountPath,
    region,
    sizeMB: planOf(world, world.state.volumes[volumeId]!.projectId).volumeMB,
    state: "READY",
    schedules: [],
    backups: [],
    createdAt: world.clock.now(),
  };
  world.state.volumeInstances[instance.id] = instance;
  return instance;
}

/** Refuses a mount that a service can't have. */
export function checkMount(world: World, instance: Instance, volumeId: string, mountPath: string): void {
  if (!mountPath.startsWith("/")) throw refuse("mountPath must be an absolute path");
  if (replicasOf(instance.config) > 1) throw refuse("A service with multiple replicas cannot have a volume");
  const others = mountsOf(world, instance.serviceId, instance.environmentId).filter((one) => one.volumeId !== volumeId);
  if (others.length > 0) throw refuse("A service can only have one volume");
}

/** Mounts a volume in a service, or takes it out where `mount` is null. Whether something is another way now. */
export function placeVolume(
  world: World,
  instance: Instance,
  volumeId: string,
  mount: { readonly mountPath?: string | null; readonly backupSchedules?: BackupKind[] | null } | null,
): boolean {
  const { serviceId, environmentId } = instance;
  const known = volumeIn(world, volumeId, environmentId);
  if (mount === null) {
    if (known?.serviceId !== serviceId) return false;
    delete known.serviceId;
    return true;
  }
  const placed = known ?? addVolumeInstance(world, volumeId, environmentId, mount.mountPath ?? "/data");
  const before = `${placed.serviceId ?? ""} ${placed.mountPath}`;
  placed.serviceId = serviceId;
  placed.mountPath = mount.mountPath ?? placed.mountPath;
  placed.schedules = mount.backupSchedules ?? placed.schedules;
  return before !== `${serviceId} ${placed.mountPath}`;
}

/** Makes a volume larger in an environment. It never gets smaller. `isTry`: only says what is against it. */
export function resizeVolume(
  world: World,
  volumeId: string,
  environmentId: string,
  sizeMB: number,
  isTry: boolean,
): void {
  const known = volumeIn(world, volumeId, environmentId);
  if (known === undefined) throw refuse(`Volume ${volumeId} is not in this environment`);
  if (sizeMB < known.sizeMB) throw refuse("Volume size cannot be decreased");
  const most = planOf(world, world.state.volumes[volumeId]!.projectId).volumeMB * 20;
  if (sizeMB > most) throw refuse(`Your plan allows volumes of at most ${most} MB`);
  if (!isTry) known.sizeMB = sizeMB;
}

/** How long a deleted volume can be had back. */
const graceMs = 48 * 3_600_000;

/** Whether a deleted volume is gone for good. */
export const isGone = (world: World, { deletedAt }: VolumeInstance): boolean =>
  deletedAt !== undefined && world.clock.now() - deletedAt >= graceMs;

/** Deletes a volume in an environment: it is on lists as one to be deleted, and gone for good 48 hours later. */
export function removeVolumeInstance(world: World, volumeId: string, environmentId: string): void {
  const known = volumeIn(world, volumeId, environmentId);
  if (known === undefined) return;
  known.deletedAt = world.clock.now();
  delete known.serviceId;
  world.store.save();
}

/** Makes a volume. Without an environment it is in none, whatever the schema's words for that say. */
export function createVolume(
  world: World,
  projectId: string,
  wanted: { readonly mountPath: string; readonly environmentId?: string; readonly region?: string },
): { readonly volumeId: string; readonly instance: VolumeInstance | undefined } {
  const own = Object.values(world.state.volumes).filter(
    (one) => one.projectId === projectId && one.deletedAt === undefined,
  );
  const now = world.clock.now();
  if (own.some(({ createdAt }) => now - createdAt < world.timings.volumeGap))
    throw refuse("You are creating volumes too quickly. Please wait a moment and try again.");
  const { volumes: most } = planOf(world, projectId);
  if (own.length >= most) throw refuse(`Your plan allows at most ${most} volumes in a project`);
  const id = newId();
  world.state.volumes[id] = { id, projectId, name: `volume-${nextNumber(world).toString(36)}`, createdAt: now };
  const { environmentId, mountPath, region } = wanted;
  const instance =
    environmentId === undefined ? undefined : addVolumeInstance(world, id, environmentId, mountPath, region);
  world.store.save();
  return { volumeId: id, instance };
}
