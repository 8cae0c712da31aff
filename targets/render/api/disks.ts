import type { Render } from "./render";
import type { DiskSnapshot, Series } from "./types";

/** A disk's snapshots, newest first. */
export async function diskSnapshots(render: Render, disk: string): Promise<DiskSnapshot[]> {
  const all = await render.call<DiskSnapshot[] | null>("GET", `/disks/${disk}/snapshots`);
  return (all ?? []).toSorted((one, other) => Date.parse(other.createdAt) - Date.parse(one.createdAt));
}

/** Overwrites a disk with a snapshot of it, at once and for good. */
export async function restoreSnapshot(render: Render, disk: string, snapshot: DiskSnapshot): Promise<void> {
  const { snapshotKey, instanceId } = snapshot;
  const body = { snapshotKey, ...(instanceId === undefined ? {} : { instanceId }) };
  // Twice is as once: what is written between two tries is the old version's, and to be overwritten anyway.
  await render.call("POST", `/disks/${disk}/snapshots/restore`, { body, idempotent: true, timeoutMs: 300_000 });
}

const units: Readonly<Record<string, number>> = {
  ...{ b: 1, byte: 1, bytes: 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12 },
  ...{ kib: 1024, mib: 1024 ** 2, gib: 1024 ** 3, tib: 1024 ** 4 },
};

/** The newest value of a service's disk in bytes; undefined where none was measured in the last hour. */
export async function diskMetric(
  render: Render,
  what: "usage" | "capacity",
  service: string,
): Promise<number | undefined> {
  const all = await render.call<Series[] | null>("GET", `/metrics/disk-${what}`, { query: { resource: service } });
  const [first] = all ?? [];
  const value = first?.values.at(-1)?.value;
  const unit = units[first?.unit.toLowerCase() ?? ""];
  return value === undefined || unit === undefined ? undefined : value * unit;
}
