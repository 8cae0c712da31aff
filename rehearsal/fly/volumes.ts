import type { Handler, Request } from "./operation";
import { authenticateOrg } from "./operation";
import type { App, Snapshot, Volume } from "./state";
import { appOf, nextNumber, refuse, volumeId, volumeOf } from "./world";
import type { World } from "./world";

interface CreateVolume {
  readonly name: string;
  readonly region: string;
  readonly size_gb?: number;
  readonly encrypted?: boolean;
  readonly fstype?: string;
  readonly snapshot_retention?: number;
  readonly auto_backup_enabled?: boolean;
  readonly source_volume_id?: string;
  readonly snapshot_id?: string;
  readonly compute?: { readonly memory_mb?: number };
}

function view(volume: Volume): Record<string, unknown> {
  const blocks = volume.sizeGb * 2 ** 18;
  return {
    id: volume.id,
    name: volume.name,
    state: volume.state,
    size_gb: volume.sizeGb,
    region: volume.region,
    zone: volume.zone,
    encrypted: volume.encrypted,
    attached_machine_id: volume.machine ?? null,
    attached_alloc_id: null,
    created_at: new Date(volume.createdAt).toISOString(),
    blocks,
    block_size: 4096,
    blocks_free: blocks,
    blocks_avail: blocks,
    bytes_used: 0,
    bytes_total: volume.sizeGb * 2 ** 30,
    fstype: volume.fstype,
    snapshot_retention: volume.snapshotRetention,
    auto_backup_enabled: volume.autoBackup,
    host_dedication_id: "",
    host_status: "ok",
  };
}

const target = ({ world, token, values }: Request): Volume =>
  volumeOf(world, appOf(world, token, values["app_name"]!), values["volume_id"]!);

/** What a new volume begins with: another one of the app, or a snapshot. undefined: nothing. */
interface Origin {
  /** How the runtime knows its data. */
  readonly data: string;
  readonly sizeGb: number;
}

function originOf(world: World, app: App, wanted: CreateVolume): Origin | undefined {
  const { source_volume_id: source, snapshot_id: snapshot } = wanted;
  if (source !== undefined && snapshot !== undefined)
    throw refuse(400, "invalid_argument: give either source_volume_id or snapshot_id");
  if (source !== undefined) {
    const { id, sizeGb } = volumeOf(world, app, source);
    return { data: id, sizeGb };
  }
  if (snapshot === undefined) return undefined;
  // A snapshot outlives its volume for as long as it is retained.
  for (const volume of Object.values(world.state.volumes)) {
    const found = volume.snapshots.find(({ id, status }) => id === snapshot && status === "created");
    if (found !== undefined && world.state.apps[volume.app]?.org === app.org)
      return { data: found.id, sizeGb: volume.sizeGb };
  }
  throw refuse(404, `snapshot not found, id: ${snapshot}`);
}

export const createVolume: Handler = async ({ world, token, values, body }) => {
  const app = appOf(world, token, values["app_name"]!);
  const wanted = body as CreateVolume;
  const region = world.state.regions.find((one) => one.code === wanted.region);
  // No lists and no aliases here, unlike for machines.
  if (region === undefined) throw refuse(400, `invalid_argument: region ${wanted.region} not found`);
  // 3 GB without a size; 500 GB at most: https://fly.io/docs/machines/api/volumes-resource/
  const size = wanted.size_gb ?? 3;
  if (size < 1 || size > 500) throw refuse(400, "invalid_argument: size_gb is to be 1 to 500");
  if (region.capacity <= 0 || world.faults.happens("noCapacity", `${app.name}/${region.code}`))
    throw refuse(503, "insufficient volume capacity in this region", "insufficient_capacity");
  const origin = originOf(world, app, wanted);
  const memory = wanted.compute?.memory_mb;
  const volume: Volume = {
    id: volumeId(),
    app: app.name,
    name: wanted.name,
    region: region.code,
    zone: (nextNumber(world) % 65536).toString(16).padStart(4, "0"),
    encrypted: wanted.encrypted ?? true,
    fstype: wanted.fstype ?? "ext4",
    createdAt: world.clock.now(),
    ...(memory === undefined ? {} : { roomMb: memory }),
    state: "created",
    sizeGb: Math.max(size, origin?.sizeGb ?? 0),
    snapshotRetention: wanted.snapshot_retention ?? 5,
    autoBackup: wanted.auto_backup_enabled ?? true,
    snapshots: [],
  };
  if (origin !== undefined) await world.runtime.copyVolume(origin.data, volume.id);
  world.state.volumes[volume.id] = volume;
  world.store.save();
  return { status: 200, body: view(volume) };
};

export const getVolume: Handler = (request) => ({ status: 200, body: view(target(request)) });

const present = (world: World, volume: Volume): boolean =>
  volume.state !== "destroyed" && world.clock.now() >= volume.createdAt + world.timings.listed;

export const listVolumes: Handler = ({ world, token, values }) => {
  const app = appOf(world, token, values["app_name"]!);
  const volumes = Object.values(world.state.volumes).filter(
    (volume) => volume.app === app.name && present(world, volume),
  );
  return { status: 200, body: volumes.map(view) };
};

export const listOrgVolumes: Handler = ({ world, token, values }) => {
  const slug = authenticateOrg(world, token, values["org_slug"]);
  const volumes = Object.values(world.state.volumes).filter(
    (volume) => world.state.apps[volume.app]?.org === slug && present(world, volume),
  );
  const shown = volumes.map((volume) => ({ ...view(volume), app_name: volume.app }));
  return { status: 200, body: { volumes: shown, next_cursor: "", last_updated: "" } };
};

export const updateVolume: Handler = (request) => {
  const volume = target(request);
  const wanted = request.body as { snapshot_retention?: number; auto_backup_enabled?: boolean };
  const { snapshot_retention: days = volume.snapshotRetention } = wanted;
  if (days < 1 || days > 60) throw refuse(400, "invalid_argument: snapshot_retention is to be 1 to 60 days");
  volume.snapshotRetention = days;
  volume.autoBackup = wanted.auto_backup_enabled ?? volume.autoBackup;
  request.world.store.save();
  return { status: 200, body: view(volume) };
};

export const extendVolume: Handler = (request) => {
  const { world } = request;
  const volume = target(request);
  const { size_gb: size } = request.body as { size_gb: number };
  if (size < volume.sizeGb)
    throw refuse(
      422,
      `volume ${volume.id} can only be extended: it has ${volume.sizeGb} GB, and ${size} were asked for`,
    );
  if (size > 500) throw refuse(422, "volumes have 500 GB at most");
  const isGrown = size > volume.sizeGb;
  volume.sizeGb = size;
  world.store.save();
  const machine = world.state.machines[volume.machine ?? ""];
  return { status: 200, body: { volume: view(volume), needs_restart: isGrown && machine?.isUp === true } };
};

export const deleteVolume: Handler = async (request) => {
  const { world } = request;
  const volume = target(request);
  if (volume.machine !== undefined)
    throw refuse(412, `failed_precondition: volume ${volume.id} is attached to machine ${volume.machine}`);
  volume.state = "destroyed";
  world.store.save();
  await world.runtime.removeVolume(volume.id);
  return { status: 200, body: view(volume) };
};

export const listSnapshots: Handler = (request) => ({
  status: 200,
  body: target(request).snapshots.map(({ id, createdAt, size, status, retentionDays }) => ({
    id,
    size,
    volume_size: size,
    digest: id,
    status,
    created_at: new Date(createdAt).toISOString(),
    retention_days: retentionDays,
  })),
});

export const createSnapshot: Handler = (request) => {
  const { world } = request;
  const volume = target(request);
  const snapshot: Snapshot = {
    id: `vs_${nextNumber(world).toString(36).padStart(16, "0")}`,
    createdAt: world.clock.now(),
    size: volume.sizeGb * 2 ** 30,
    retentionDays: volume.snapshotRetention,
    status: "creating",
  };
  volume.snapshots.unshift(snapshot);
  world.store.save();
  // The answer comes first: https://fly.io/docs/machines/api/volumes-resource/#create-a-volume-snapshot
  void world.runtime
    .copyVolume(volume.id, snapshot.id)
    .then(() => {
      snapshot.status = "created";
    })
    .catch((error: unknown) => {
      process.stderr.write(`${volume.id} gets no snapshot: ${String(error)}\n`);
      volume.snapshots = volume.snapshots.filter((one) => one !== snapshot);
    })
    .finally(() => {
      world.store.save();
    });
  return { status: 200, body: {} };
};
