import { without } from "../platform/without";
import type { Disk, DiskSnapshot } from "./state";
import { newId, type World } from "./world";

/** https://render.com/docs/disks#disk-snapshots: once every 24 hours, kept for at least a week. */
const everyMs = 24 * 3_600_000;
const keptMs = 7 * everyMs;

/** A disk's snapshots, oldest first. */
export const snapshotsOf = (world: World, disk: Pick<Disk, "id">): DiskSnapshot[] =>
  Object.values(world.state.snapshots).filter(({ diskId }) => diskId === disk.id);

/** Copies what a disk holds by now. */
export async function takeSnapshot(world: World, disk: Disk): Promise<void> {
  const made = { id: newId("snp"), diskId: disk.id, createdAt: world.clock.now() };
  world.state.snapshots[made.id] = made;
  world.store.save();
  await world.runtime.copyVolume(disk.id, made.id);
}

/** Takes the snapshots whose day has come, and lets go of those that are past theirs. */
export async function lookAtDisks(world: World): Promise<void> {
  const now = world.clock.now();
  for (const disk of Object.values(world.state.disks)) {
    const all = snapshotsOf(world, disk);
    const last = all.at(-1)?.createdAt ?? disk.createdAt;
    if (now - last >= everyMs) await takeSnapshot(world, disk);
    await removeSnapshots(
      world,
      all.filter(({ createdAt }) => now - createdAt > keptMs),
    );
  }
}

async function removeSnapshots(world: World, all: readonly DiskSnapshot[]): Promise<void> {
  if (all.length === 0) return;
  world.state.snapshots = without(world.state.snapshots, ...all.map(({ id }) => id));
  world.store.save();
  for (const { id } of all) await world.runtime.removeVolume(id);
}

/** A disk's end, with all that was kept of it. */
export async function removeDiskData(world: World, disk: Pick<Disk, "id">): Promise<void> {
  await world.runtime.removeVolume(disk.id);
  await removeSnapshots(world, snapshotsOf(world, disk));
}
