import type { Bucket, Volume, VolumeInstance } from "../state";
import { refuse, type World } from "../world";
import { connection, date, type View } from "./pages";
import { viewEnvironment, viewProject } from "./projects";
import { viewService } from "./services";

export function viewVolume(world: World, volume: Volume): View {
  return {
    __typename: "Volume",
    id: volume.id,
    name: volume.name,
    projectId: volume.projectId,
    project: () => viewProject(world, world.state.projects[volume.projectId]!),
    createdAt: date(volume.createdAt),
    volumeInstances: connection(
      () =>
        Object.values(world.state.volumeInstances).filter(
          (one) => one.volumeId === volume.id && one.deletedAt === undefined,
        ),
      (one) => viewVolumeInstance(world, one),
    ),
  };
}

export function viewVolumeInstance(world: World, instance: VolumeInstance): View {
  const { state } = world;
  return {
    __typename: "VolumeInstance",
    id: instance.id,
    volumeId: instance.volumeId,
    environmentId: instance.environmentId,
    serviceId: instance.serviceId ?? null,
    externalId: instance.id,
    mountPath: instance.mountPath,
    region: instance.region,
    sizeMB: instance.sizeMB,
    currentSizeMB: 0,
    state: instance.state,
    isPendingDeletion: instance.deletedAt !== undefined,
    createdAt: date(instance.createdAt),
    // It is set once it is gone, and then it is on no list.
    deletedAt: null,
    environment: () => viewEnvironment(world, state.environments[instance.environmentId]!),
    service: () => {
      if (instance.serviceId === undefined) throw refuse("Service not found", 404);
      return viewService(world, state.services[instance.serviceId]!);
    },
    volume: () => viewVolume(world, state.volumes[instance.volumeId]!),
  };
}

export function viewBucket(world: World, bucket: Bucket): View {
  return {
    __typename: "Bucket",
    id: bucket.id,
    name: bucket.name,
    projectId: bucket.projectId,
    groupId: null,
    project: () => viewProject(world, world.state.projects[bucket.projectId]!),
    createdAt: date(bucket.createdAt),
    updatedAt: date(bucket.createdAt),
  };
}
