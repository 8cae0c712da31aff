import type { Roots } from "../../platform/graphql";
import { environmentOf, findInstance, projectOf, volumeInstanceOf, volumeOf } from "../access";
import { makeBackup, removeBackup, restoreBackup } from "../backups";
import type { BackupKind, Bucket, BucketCredentials, Token, VolumeInstance } from "../state";
import { date, type View } from "../views/pages";
import { viewBucket, viewVolume, viewVolumeInstance } from "../views/storage";
import { checkMount, createVolume, removeVolumeInstance, volumeIn } from "../volumes";
import { requestWorkflow, viewWorkflow } from "../workflows";
import { newId, notAuthorized, refuse, type World } from "../world";

/** https://docs.railway.com/reference/backups: when, and for how many days each is kept. */
const schedules: Readonly<Record<BackupKind, { readonly cron: string; readonly days: number; readonly name: string }>> =
  {
    DAILY: { cron: "0 0 * * *", days: 6, name: "Daily" },
    WEEKLY: { cron: "0 0 * * 0", days: 30, name: "Weekly" },
    MONTHLY: { cron: "0 0 1 * *", days: 89, name: "Monthly" },
  };

interface VolumeWanted {
  readonly projectId: string;
  readonly mountPath: string;
  readonly environmentId?: string | null;
  readonly serviceId?: string | null;
  readonly region?: string | null;
}

const viewCredentials = ({ createdAt, ...rest }: BucketCredentials): View => ({ ...rest, createdAt: date(createdAt) });

/** Volumes with their backups, and buckets. */
export function storage(world: World, token: Token): Roots {
  const { state } = world;
  const bucketOf = (id: string): Bucket => {
    const bucket = state.buckets[id];
    if (bucket === undefined) throw notAuthorized();
    projectOf(world, token, bucket.projectId);
    return bucket;
  };
  const volumeInstance = (id: string): VolumeInstance => volumeInstanceOf(world, token, id);
  return {
    volumeInstance: ({ id }: { id: string }) => viewVolumeInstance(world, volumeInstance(id)),
    volumeInstanceBackupList: ({ volumeInstanceId }: { volumeInstanceId: string }) =>
      volumeInstance(volumeInstanceId).backups.map(({ id, name, createdAt, expiresAt, sizeMB, scheduleKind }) => ({
        ...{ id, name: name ?? null, externalId: id, creatorId: null, scheduleId: scheduleKind ?? null },
        createdAt: date(createdAt),
        expiresAt: expiresAt === undefined ? null : date(expiresAt),
        ...{ referencedMB: 0, usedMB: 0, volumeInstanceSizeMB: sizeMB },
      })),
    volumeInstanceBackupScheduleList: ({ volumeInstanceId }: { volumeInstanceId: string }) => {
      const { id, createdAt, schedules: kinds } = volumeInstance(volumeInstanceId);
      return kinds.map((kind) => ({
        ...{ __typename: "VolumeInstanceBackupSchedule", id: `${id}-${kind}`, kind, name: schedules[kind].name },
        ...{ cron: schedules[kind].cron, retentionSeconds: schedules[kind].days * 86_400, createdAt: date(createdAt) },
      }));
    },
    workflowStatus: ({ workflowId }: { workflowId: string }) => viewWorkflow(world, workflowId),
    bucketS3Credentials: ({
      projectId,
      environmentId,
      bucketId,
    }: {
      projectId: string;
      environmentId: string;
      bucketId: string;
    }) => {
      environmentOf(world, token, environmentId);
      const bucket = bucketOf(bucketId);
      if (bucket.projectId !== projectId) throw notAuthorized();
      const credentials = bucket.credentials[environmentId];
      return credentials === undefined ? [] : [viewCredentials(credentials)];
    },

    volumeCreate: ({ input }: { input: VolumeWanted }) => {
      const { projectId, mountPath, environmentId, serviceId, region } = input;
      projectOf(world, token, projectId);
      if (environmentId != null) environmentOf(world, token, environmentId);
      else if (token.kind === "project") throw notAuthorized();
      if (serviceId != null && environmentId != null)
        checkMount(world, findInstance(world, token, serviceId, environmentId), "", mountPath);
      const { volumeId, instance } = createVolume(world, projectId, {
        mountPath,
        ...(environmentId == null ? {} : { environmentId }),
        ...(region == null ? {} : { region }),
      });
      if (instance !== undefined && serviceId != null) instance.serviceId = serviceId;
      world.store.save();
      return viewVolume(world, state.volumes[volumeId]!);
    },
    volumeUpdate: ({ volumeId, input }: { volumeId: string; input: { name?: string | null } }) => {
      const volume = volumeOf(world, token, volumeId);
      volume.name = input.name ?? volume.name;
      world.store.save();
      return viewVolume(world, volume);
    },
    volumeInstanceUpdate: ({
      volumeId,
      environmentId,
      input,
    }: {
      volumeId: string;
      environmentId?: string | null;
      input: { mountPath?: string | null; serviceId?: string | null };
    }) => {
      volumeOf(world, token, volumeId);
      if (environmentId != null) environmentOf(world, token, environmentId);
      const all = Object.values(state.volumeInstances).filter(
        (one) =>
          one.volumeId === volumeId &&
          one.deletedAt === undefined &&
          (environmentId == null || one.environmentId === environmentId),
      );
      for (const one of all) {
        one.mountPath = input.mountPath ?? one.mountPath;
        // A service that isn't named again loses its volume.
        if (input.serviceId == null) delete one.serviceId;
        else {
          const instance = findInstance(world, token, input.serviceId, one.environmentId);
          checkMount(world, instance, volumeId, one.mountPath);
          one.serviceId = input.serviceId;
        }
      }
      world.store.save();
      return true;
    },
    volumeDelete: ({ volumeId }: { volumeId: string }) => {
      const volume = volumeOf(world, token, volumeId);
      if (token.kind === "project" && volumeIn(world, volumeId, token.environmentId!) === undefined)
        throw notAuthorized();
      for (const environment of Object.values(state.environments))
        removeVolumeInstance(world, volume.id, environment.id);
      volume.deletedAt = world.clock.now();
      world.store.save();
      return true;
    },
    volumeInstanceBackupScheduleUpdate: ({
      volumeInstanceId,
      kinds,
    }: {
      volumeInstanceId: string;
      kinds: BackupKind[];
    }) => {
      volumeInstance(volumeInstanceId).schedules = [...new Set(kinds)];
      world.store.save();
      return true;
    },
    volumeInstanceBackupCreate: ({ volumeInstanceId, name }: { volumeInstanceId: string; name?: string | null }) => {
      const of = volumeInstance(volumeInstanceId);
      return requestWorkflow(world, () => makeBackup(world, of, name ?? undefined));
    },
    volumeInstanceBackupDelete: ({
      volumeInstanceId,
      volumeInstanceBackupId,
    }: {
      volumeInstanceId: string;
      volumeInstanceBackupId: string;
    }) => {
      const of = volumeInstance(volumeInstanceId);
      return requestWorkflow(world, () => removeBackup(world, of, volumeInstanceBackupId));
    },
    volumeInstanceBackupLock: ({
      volumeInstanceId,
      volumeInstanceBackupId,
    }: {
      volumeInstanceId: string;
      volumeInstanceBackupId: string;
    }) => {
      const backup = volumeInstance(volumeInstanceId).backups.find(({ id }) => id === volumeInstanceBackupId);
      if (backup === undefined) throw refuse("Backup not found", 404);
      delete backup.expiresAt;
      world.store.save();
      return true;
    },
    volumeInstanceBackupRestore: ({
      volumeInstanceId,
      volumeInstanceBackupId,
    }: {
      volumeInstanceId: string;
      volumeInstanceBackupId: string;
    }) => {
      const of = volumeInstance(volumeInstanceId);
      if (!of.backups.some(({ id }) => id === volumeInstanceBackupId)) throw refuse("Backup not found", 404);
      return requestWorkflow(world, () => restoreBackup(world, of, volumeInstanceBackupId));
    },

    bucketCreate: ({ input }: { input: { projectId: string; name?: string | null } }) => {
      projectOf(world, token, input.projectId);
      const id = newId();
      // It is in no environment yet: that takes a patch of `buckets`.
      const bucket = {
        id,
        projectId: input.projectId,
        name: input.name ?? `bucket-${id.slice(0, 4)}`,
        createdAt: world.clock.now(),
        credentials: {},
      };
      state.buckets[id] = bucket;
      world.store.save();
      return viewBucket(world, bucket);
    },
    bucketUpdate: ({ id, input }: { id: string; input: { name: string } }) => {
      const bucket = bucketOf(id);
      bucket.name = input.name;
      world.store.save();
      return viewBucket(world, bucket);
    },
    bucketCredentialsReset: ({ bucketId, environmentId }: { bucketId: string; environmentId: string }) => {
      environmentOf(world, token, environmentId);
      const credentials = bucketOf(bucketId).credentials[environmentId];
      if (credentials === undefined) throw refuse("Bucket instance not found", 404);
      const made = {
        ...credentials,
        secretAccessKey: `tsec_${newId().replaceAll("-", "")}`,
        createdAt: world.clock.now(),
      };
      bucketOf(bucketId).credentials[environmentId] = made;
      world.store.save();
      return viewCredentials(made);
    },
  };
}
