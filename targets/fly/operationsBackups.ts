import { hostName } from "../../components/values/names";
import { DriverError } from "../../drivers/error";
import { createOnce } from "../../drivers/http";
import type { BackupCopy, BackupList, PlacedApp } from "../operations";
import type { Fly } from "./api/fly";

interface Listed {
  readonly id: string;
  readonly name?: string;
  readonly status?: string;
  readonly start?: string;
  readonly stop?: string;
}

/** Seconds that a backup of a database may take. */
const backupSeconds = 3600;

async function clusterOf(fly: Fly, app: PlacedApp, database: string): Promise<string | undefined> {
  const query = { org_slug: fly.connection.org };
  const { data } = await fly.call<{ data?: Listed[] | null }>("GET", "/postgres", { query });
  const name = `${hostName(app.declaration.name, app.stack)}-${database}`;
  return (data ?? []).find((cluster) => cluster.name === name && cluster.status !== "deleted")?.id;
}

const list = async (fly: Fly, cluster: string): Promise<Listed[]> =>
  (await fly.call<{ data?: Listed[] | null }>("GET", `/postgres/${cluster}/backups`)).data ?? [];

/** Backs a Managed Postgres up, to where Fly keeps its backups. @returns false where there is no such cluster */
export async function backUp(
  fly: Fly,
  app: PlacedApp,
  database: string,
  tell: (line: string) => void,
): Promise<boolean> {
  const cluster = await clusterOf(fly, app, database);
  if (cluster === undefined) return false;
  const before = new Set((await list(fly, cluster)).map(({ id }) => id));
  const deadline = fly.deadline(backupSeconds, `the backup of ${database}`);
  const made = await createOnce<Listed | undefined>(fly.client, {
    deadline,
    create: async () => {
      const options = { body: { type: "full" }, deadline };
      return (await fly.call<{ data?: Listed }>("POST", `/postgres/${cluster}/backups`, options)).data;
    },
    find: async () => (await list(fly, cluster)).find(({ id }) => !before.has(id)),
  });
  tell(`${database}: backup ${made?.id ?? ""} is begun`);
  for (;;) {
    const now = (await list(fly, cluster)).find(({ id }) => (made === undefined ? !before.has(id) : id === made.id));
    if (now?.status === "completed") return true;
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

/** What Fly keeps of the app's databases. */
export async function listBackups(fly: Fly, app: PlacedApp): Promise<BackupList> {
  const copies: BackupCopy[] = [];
  const problems: string[] = [];
  for (const { name } of app.declaration.databases.filter(({ engine }) => engine === "postgres")) {
    const cluster = await clusterOf(fly, app, name);
    if (cluster === undefined) {
      problems.push(`${name}: its cluster isn't there.`);
      continue;
    }
    for (const { id, start, stop } of await list(fly, cluster)) {
      // Fly tells no size.
      copies.push({ database: name, kept: "place", key: id, bytes: 0, time: stop ?? start ?? "" });
    }
  }
  return { copies, problems };
}
