import { randomBytes } from "node:crypto";
import type { PostgresSource } from "../platform/postgres";
import type { Cluster } from "./state";
import type { World } from "./world";

export const postgresPassword = (): string => randomBytes(12).toString("hex");

/** A name in SQL. */
export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A statement that is run where a query finds nothing: a cluster whose making was cut off is made again. */
const unless = (found: string, statement: string): string =>
  `SELECT '${statement.replaceAll("'", "''")}' WHERE NOT EXISTS (${found}) \\gexec\n`;

/** What a role may do: https://fly.io/docs/mpg/manage-users/. Who may change the schema is one with its owner. */
const granted: Readonly<Record<string, string>> = {
  schema_admin: quoted("fly-user"),
  writer: "pg_read_all_data, pg_write_all_data",
  reader: "pg_read_all_data",
};

export const roleSql = ({ name, role, password }: Cluster["users"][number]): string =>
  unless(`SELECT FROM pg_roles WHERE rolname = '${name}'`, `CREATE ROLE ${quoted(name)} LOGIN PASSWORD '${password}'`) +
  (name === "fly-user" ? "" : `GRANT ${granted[role] ?? "pg_read_all_data"} TO ${quoted(name)};\n`);

/** Databases are fly-user's, which is a cluster's first one. */
export const databaseSql = (name: string): string =>
  unless(
    `SELECT FROM pg_database WHERE datname = '${name}'`,
    `CREATE DATABASE ${quoted(name)} OWNER ${quoted("fly-user")}`,
  );

/** Lets the cluster's users through its pooler. */
export async function tellPooler(world: World, cluster: Cluster): Promise<void> {
  const users = Object.fromEntries(cluster.users.map(({ name, password }) => [name, password]));
  await world.settings.postgres?.setUsers(cluster.id, users);
}

async function build(world: World, cluster: Cluster): Promise<void> {
  const { postgres } = world.settings;
  if (postgres === undefined) return;
  const { id, source, users, databases } = cluster;
  const from: PostgresSource | undefined = source && {
    cluster: source.cluster,
    backup: source.backup,
    ...(source.until === undefined ? {} : { until: new Date(source.until) }),
  };
  const ports = await postgres.create(id, cluster.poolMode, from);
  await postgres.sql(
    id,
    "postgres",
    [...users.map(roleSql), ...databases.map(({ name }) => databaseSql(name))].join(""),
  );
  await tellPooler(world, cluster);
  cluster.ports = ports;
}

/** Makes a cluster's server while calls go on. What becomes of it is written down with the cluster. */
export function buildCluster(world: World, cluster: Cluster): void {
  const done = build(world, cluster)
    .catch((error: unknown) => {
      cluster.failure = String(error);
      process.stderr.write(`${cluster.name}: ${cluster.failure}\n`);
    })
    .finally(() => {
      world.tasks.delete(cluster.id);
      world.store.save();
      world.changes.emit("network");
    });
  world.tasks.set(cluster.id, done);
}
