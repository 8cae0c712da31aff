import { without } from "../platform/without";
import { instancesOf, launch, removeInstance } from "./instances";
import { asked, found, page, type Handler, type Request } from "./operation";
import { enqueueDeploy, liveDeploy } from "./rollout";
import { removeDiskData, snapshotsOf } from "./snapshots";
import type { Disk, Service } from "./state";
import { isoTime, newId, present, refuse, type World } from "./world";

interface DiskInput {
  readonly name: string;
  readonly mountPath: string;
  readonly sizeGB: number;
}

function view(disk: Disk): { id: string } & Record<string, unknown> {
  const { id, name, sizeGB, mountPath, serviceId, createdAt, updatedAt } = disk;
  return { id, name, sizeGB, mountPath, serviceId, createdAt: isoTime(createdAt), updatedAt: isoTime(updatedAt) };
}

/** Gives a service a disk. It is mounted by the next deploy. */
export function addDiskTo(world: World, service: Service, input: DiskInput): Disk {
  const { name, mountPath, sizeGB } = input;
  if (service.type === "cron_job") throw refuse(400, "cron jobs cannot have disks");
  if (!mountPath.startsWith("/") || mountPath === "/") throw refuse(400, `invalid mount path: ${mountPath}`);
  if (Object.values(world.state.disks).some(({ serviceId }) => serviceId === service.id))
    throw refuse(400, "the service already has a disk");
  if (service.details.numInstances > 1) throw refuse(400, "services with several instances cannot have disks");
  const now = world.clock.now();
  const disk = { id: newId("dsk"), serviceId: service.id, name, mountPath, sizeGB };
  const made: Disk = { ...disk, createdAt: now, updatedAt: now };
  world.state.disks[made.id] = made;
  return made;
}

const serviceFor = (request: Request, disk: Disk): Service =>
  found(request, request.world.state.services, disk.serviceId);

function diskOf(request: Request): Disk {
  const id = request.values["diskId"]!;
  const disk = request.world.state.disks[id];
  if (disk === undefined) throw refuse(404, `not found: ${id}`);
  serviceFor(request, disk);
  return disk;
}

export const addDisk: Handler = (request) => {
  const { serviceId, ...input } = request.body as DiskInput & { serviceId: string };
  const service = found(request, request.world.state.services, serviceId);
  const disk = addDiskTo(request.world, service, input);
  request.world.store.save();
  return { status: 201, body: view(disk) };
};

export const listDisks: Handler = ({ world, ownerIds, query }) =>
  page(
    query,
    "disk",
    Object.values(world.state.disks)
      .filter(({ id, name, serviceId }) => {
        const ownerId = world.state.services[serviceId]?.ownerId ?? "";
        const isMeant =
          asked(query, "diskId", id) && asked(query, "name", name) && asked(query, "serviceId", serviceId);
        return ownerIds.includes(ownerId) && asked(query, "ownerId", ownerId) && isMeant;
      })
      .map(view),
  );

export const retrieveDisk: Handler = (request) => ({ status: 200, body: view(diskOf(request)) });

export const updateDisk: Handler = (request) => {
  const disk = diskOf(request);
  const { name, mountPath, sizeGB } = request.body as Partial<DiskInput>;
  if (sizeGB !== undefined && sizeGB < disk.sizeGB) throw refuse(400, "disk size can only be increased");
  Object.assign(disk, present({ name, mountPath, sizeGB }), { updatedAt: request.world.clock.now() });
  request.world.store.save();
  return { status: 200, body: view(disk) };
};

/** Its data goes with it. */
export const deleteDisk: Handler = async (request) => {
  const { world } = request;
  const disk = diskOf(request);
  world.state.disks = without(world.state.disks, disk.id);
  world.store.save();
  await removeDiskData(world, disk);
  return { status: 204 };
};

/** What the list gives is a key for so long, as the contract says. */
const keyMs = 24 * 3_600_000;

/** Keys say when they were given. */
const keyOf = (id: string, now: number): string => Buffer.from(`${id} ${now}`).toString("base64url");

/** Newest first; answered with 201, as the contract says. */
export const listSnapshots: Handler = (request) => {
  const { world } = request;
  const now = world.clock.now();
  return {
    status: 201,
    body: snapshotsOf(world, diskOf(request))
      .reverse()
      .map(({ id, createdAt }) => ({ createdAt: isoTime(createdAt), snapshotKey: keyOf(id, now) })),
  };
};

/** Puts a snapshot in the place of the disk's data, while nothing runs; then what ran is started again. */
export const restoreSnapshot: Handler = async (request) => {
  const { world } = request;
  const disk = diskOf(request);
  const { snapshotKey } = request.body as { snapshotKey: string };
  const [id = "", given = ""] = Buffer.from(snapshotKey, "base64url").toString().split(" ");
  const snapshot = snapshotsOf(world, disk).find((one) => one.id === id);
  if (snapshot === undefined) throw refuse(400, "invalid snapshot key");
  if (world.clock.now() - Number(given) > keyMs) throw refuse(400, "the snapshot key has expired");
  const service = serviceFor(request, disk);
  const live = service.suspended ? undefined : liveDeploy(world, service.id);
  await Promise.all(instancesOf(world, service.id).map((instance) => removeInstance(world, instance)));
  await world.runtime.copyVolume(snapshot.id, disk.id);
  if (live !== undefined && world.settings.restoreDeploys)
    enqueueDeploy(world, service, "other", { artifactOf: live.id });
  else if (live !== undefined) (await launch(world, service, live)).isKept = true;
  return { status: 200, body: { id: disk.id, name: disk.name, sizeGB: disk.sizeGB, mountPath: disk.mountPath } };
};
