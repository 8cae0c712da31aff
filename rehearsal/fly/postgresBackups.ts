import type { Handler } from "./operation";
import { addCluster, readyCluster, viewCluster } from "./postgres";
import type { Cluster } from "./state";
import { nextNumber, refuse } from "./world";

const viewBackup = ({ id, type, createdAt, completedAt }: Cluster["backups"][number]): Record<string, unknown> => ({
  id,
  type,
  status: completedAt === undefined ? "in_progress" : "completed",
  start: new Date(createdAt).toISOString(),
  stop: completedAt === undefined ? null : new Date(completedAt).toISOString(),
});

export const listPostgresBackups: Handler = (request) => ({
  status: 200,
  body: { data: readyCluster(request).backups.map(viewBackup) },
});

export const createPostgresBackup: Handler = (request) => {
  const { world } = request;
  const cluster = readyCluster(request);
  const { type } = request.body as { type: string };
  const backup: Cluster["backups"][number] = { id: `backup_${nextNumber(world)}`, type, createdAt: world.clock.now() };
  cluster.backups.unshift(backup);
  world.store.save();
  void (async (): Promise<void> => {
    try {
      backup.size = (await world.settings.postgres?.backup(cluster.id, backup.id)) ?? 0;
      backup.completedAt = world.clock.now();
    } catch (error) {
      process.stderr.write(`${cluster.name}: the backup fails: ${String(error)}\n`);
      cluster.backups = cluster.backups.filter((one) => one !== backup);
    }
    world.store.save();
  })();
  return { status: 201, body: { data: viewBackup(backup) } };
};

interface Restore {
  readonly backup_id?: string;
  /** RFC 3339. */
  readonly pitr_time?: string;
  readonly name?: string;
}

/** A new cluster with what a backup has, or with what the cluster had at a time: the old one stays as it is. */
export const restorePostgres: Handler = (request) => {
  const { world } = request;
  const cluster = readyCluster(request);
  const { backup_id: id, pitr_time: time, name } = request.body as Restore;
  if ((id === undefined) === (time === undefined)) throw refuse(422, "give either backup_id or pitr_time");
  const until = time === undefined ? undefined : Date.parse(time);
  if (Number.isNaN(until)) throw refuse(422, `pitr_time isn't a time: ${time!}`);
  const backup = cluster.backups.find(
    (one) => one.completedAt !== undefined && (until === undefined ? one.id === id : one.completedAt <= until),
  );
  if (backup === undefined)
    throw refuse(404, id === undefined ? "no backup before that time" : `backup not found: ${id}`);
  const { org, region, plan, diskGb, version, poolMode } = cluster;
  const made = addCluster(world, {
    ...{ org, region, plan, diskGb, version, poolMode },
    name: name ?? `${cluster.name}-restored`,
    source: { cluster: cluster.id, backup: backup.id, ...(until === undefined ? {} : { until }) },
    databases: cluster.databases.map((one) => ({ ...one, extensions: [...one.extensions] })),
    users: cluster.users.map((one) => ({ ...one, password: one.password })),
  });
  return { status: 201, body: { data: viewCluster(world, made) } };
};
