import { DriverError } from "../../drivers/error";
import { createOnce } from "../../drivers/http";
import type { BackupCopy } from "../operations";
import type { Fly } from "./api/fly";
import { listClusters, type Cluster } from "./deploy/postgres";

/** A backup as `/v1/postgres/{id}/backups` answers it. */
interface Listed {
  readonly id: string;
  readonly status?: string;
  readonly start?: string;
  readonly stop?: string;
}

/** Seconds that a backup or a restore of a cluster may take. */
const workSeconds = 3600;

const list = async (fly: Fly, cluster: string): Promise<Listed[]> =>
  (await fly.call<{ data?: Listed[] | null }>("GET", `/postgres/${cluster}/backups`)).data ?? [];

/** What Fly itself keeps of a cluster, the newest first. It tells no sizes. */
export async function listClusterBackups(fly: Fly, cluster: string): Promise<Omit<BackupCopy, "database">[]> {
  const all = (await list(fly, cluster)).filter(({ status }) => status === undefined || status === "completed");
  return all
    .map(({ id, start, stop }) => ({ kept: "place" as const, key: id, bytes: 0, time: stop ?? start ?? "" }))
    .sort((a, b) => (a.time < b.time ? 1 : -1));
}

/** Has Fly back a cluster up, to where it keeps its own backups. @throws DriverError where that doesn't come to a good end */
export async function makeClusterBackup(fly: Fly, cluster: string, tell: (line: string) => void): Promise<void> {
  const before = new Set((await list(fly, cluster)).map(({ id }) => id));
  const deadline = fly.deadline(workSeconds, `a backup of the Postgres cluster ${cluster}`);
  const made = await createOnce<Listed | undefined>(fly.client, {
    deadline,
    create: async () => {
      const options = { body: { type: "full" }, deadline };
      return (await fly.call<{ data?: Listed }>("POST", `/postgres/${cluster}/backups`, options)).data;
    },
    find: async () => (await list(fly, cluster)).find(({ id }) => !before.has(id)),
  });
  tell(`backup ${made?.id ?? ""} is begun`);
  for (;;) {
    const now = (await list(fly, cluster)).find(({ id }) => (made === undefined ? !before.has(id) : id === made.id));
    if (now?.status === "completed") return;
    if (now?.status === "failed" || now?.status === "error" || !(await fly.client.pause(5000, deadline))) {
      throw new DriverError({
        what: "The backup didn't come to a good end.",
        where: `backup ${made?.id ?? ""} of Postgres cluster ${cluster}`,
        why: `its status is ${now?.status ?? "unknown"}`,
        fix: `fly mpg backup list ${cluster}`,
      });
    }
  }
}

/** Restores one of Fly's own backups into a new cluster, and waits for that. */
export async function restoreCluster(
  fly: Fly,
  { id, name }: Pick<Cluster, "id" | "name">,
  backup: string,
  tell: (line: string) => void,
): Promise<Cluster> {
  const deadline = fly.deadline(workSeconds, `the backup ${backup} to be restored`);
  const base = name.replace(/-r\d{12}$/, "");
  const wanted = `${base}-r${new Date(fly.client.world.now()).toISOString().replace(/\D/g, "").slice(0, 12)}`;
  const find = async (): Promise<Cluster | undefined> => (await listClusters(fly)).find((one) => one.name === wanted);
  await createOnce<unknown>(fly.client, {
    deadline,
    create: () => fly.call("POST", `/postgres/${id}/restore`, { body: { backup_id: backup, name: wanted }, deadline }),
    find,
  });
  tell(`${backup} is being restored into the new cluster ${wanted}`);
  for (;;) {
    const cluster = await find();
    if (cluster?.status === "ready") return cluster;
    if (cluster?.status === "failed" || cluster?.status === "error" || !(await fly.client.pause(5000, deadline))) {
      throw new DriverError({
        what: "The backup couldn't be restored.",
        where: `Postgres cluster ${wanted}`,
        why: `its status is ${cluster?.status ?? "unknown"}; the present one is as it was`,
        fix: `fly mpg status ${cluster?.id ?? wanted}`,
      });
    }
  }
}
