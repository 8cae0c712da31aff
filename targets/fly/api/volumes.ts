import { createOnce, hasStatus } from "../../../drivers/http";
import { absent } from "./connection";
import type { Fly } from "./fly";
import { isVolumeThere, type Guest, type Snapshot, type Volume } from "./types";

/** What a new volume is to be (Machines API, CreateVolumeRequest). */
export interface NewVolume {
  readonly name: string;
  readonly region: string;
  readonly size_gb: number;
  readonly encrypted: true;
  /** Days that snapshots are kept, 1 to 60. */
  readonly snapshot_retention: number;
  readonly auto_backup_enabled: boolean;
  /** With the image, puts it on a host that has room for the machine, too. */
  readonly compute: Guest;
  readonly compute_image: string;
  /** The snapshot that it is a copy of. */
  readonly snapshot_id?: string;
}

export async function listVolumes(fly: Fly, app: string): Promise<Volume[]> {
  return ((await fly.call<Volume[] | null>("GET", `/apps/${app}/volumes`)) ?? []).filter(isVolumeThere);
}

export function volumeOf(fly: Fly, app: string, id: string): Promise<Volume | undefined> {
  return absent(fly.call<Volume>("GET", `/apps/${app}/volumes/${id}`));
}

/** @param known volumes of that name that are there already, and aren't the one that is asked for */
export function createVolume(fly: Fly, app: string, volume: NewVolume, known: readonly string[]): Promise<Volume> {
  const deadline = fly.deadline(120, `volume ${volume.name} to be created`);
  return createOnce(fly.client, {
    deadline,
    create: () => fly.call<Volume>("POST", `/apps/${app}/volumes`, { body: volume, deadline }),
    find: async () => (await listVolumes(fly, app)).find(({ id, name }) => name === volume.name && !known.includes(id)),
  });
}

/** A machine that is gone has its volume for some time yet, which Fly refuses to delete for so long. */
export async function deleteVolume(fly: Fly, app: string, id: string): Promise<void> {
  const deadline = fly.deadline(60, `volume ${id} to be deleted`);
  for (;;) {
    try {
      await fly.call("DELETE", `/apps/${app}/volumes/${id}`, { accept: [404], idempotent: true, deadline });
      return;
    } catch (error) {
      if (!hasStatus(error, 412) || !(await fly.client.pause(1000, deadline))) throw error;
    }
  }
}

export function extendVolume(fly: Fly, app: string, id: string, sizeGb: number): Promise<{ needs_restart?: boolean }> {
  return fly.call("PUT", `/apps/${app}/volumes/${id}/extend`, { body: { size_gb: sizeGb } });
}

/** Sets how snapshots are made and kept: all of a volume that can be changed beside its size. */
export async function keepSnapshots(fly: Fly, app: string, id: string, days: number): Promise<void> {
  await fly.call("PUT", `/apps/${app}/volumes/${id}`, {
    body: { snapshot_retention: days, auto_backup_enabled: true },
  });
}

/** The newest first. */
export async function listSnapshots(fly: Fly, app: string, volume: string): Promise<Snapshot[]> {
  const all = (await fly.call<Snapshot[] | null>("GET", `/apps/${app}/volumes/${volume}/snapshots`)) ?? [];
  return all.sort((a, b) => (a.created_at < b.created_at ? 1 : -1));
}

/** Asks for a snapshot, which comes about later. Asked twice, there are two. */
export async function takeSnapshot(fly: Fly, app: string, volume: string): Promise<void> {
  await fly.call("POST", `/apps/${app}/volumes/${volume}/snapshots`, { idempotent: true });
}
