import type { Handler, Request } from "./operation";
import { clusterOf, readyCluster } from "./postgres";
import { databaseSql, postgresPassword, quoted, roleSql, tellPooler } from "./postgresServers";
import type { Cluster } from "./state";
import { appOf, refuse } from "./world";

/** Runs SQL in a cluster's server, where it has one. */
async function run({ world }: Request, cluster: Cluster, sql: string, database = "postgres"): Promise<void> {
  await world.settings.postgres?.sql(cluster.id, database, sql);
}

const dropDatabase = (name: string): string => `DROP DATABASE IF EXISTS ${quoted(name)} WITH (FORCE)`;

export const listPostgresDatabases: Handler = (request) => ({
  status: 200,
  body: { data: readyCluster(request).databases.map(({ name }) => ({ name })) },
});

export const createPostgresDatabase: Handler = async (request) => {
  const cluster = readyCluster(request);
  const { name } = request.body as { name: string };
  if (!/^[a-z_][a-z0-9_-]{0,62}$/.test(name)) throw refuse(422, `invalid database name: ${name}`);
  if (cluster.databases.some((one) => one.name === name)) throw refuse(422, `database ${name} already exists`);
  cluster.databases.push({ name, extensions: [] });
  await run(request, cluster, databaseSql(name));
  request.world.store.save();
  return { status: 201, body: { data: { name } } };
};

function databaseOf(request: Request): Cluster["databases"][number] {
  const name = request.values["database"]!;
  const database = readyCluster(request).databases.find((one) => one.name === name);
  if (database === undefined) throw refuse(404, `database not found: ${name}`);
  return database;
}

export const deletePostgresDatabase: Handler = async (request) => {
  const cluster = readyCluster(request);
  const { name } = databaseOf(request);
  await run(request, cluster, dropDatabase(name));
  cluster.databases = cluster.databases.filter((one) => one.name !== name);
  request.world.store.save();
  return { status: 204 };
};

export const listPostgresExtensions: Handler = (request) => ({
  status: 200,
  body: { data: databaseOf(request).extensions.map((name) => ({ name })) },
});

/** What Managed Postgres offers, as far as the rehearsal's server has it: https://fly.io/docs/mpg/extensions/ */
const offered = ["vector", "pg_trgm", "hstore", "citext", "uuid-ossp", "pgcrypto", "unaccent"];

export const createPostgresExtension: Handler = async (request) => {
  const database = databaseOf(request);
  const { name } = request.body as { name: string };
  if (!offered.includes(name)) throw refuse(422, `extension ${name} isn't available`);
  await run(request, clusterOf(request), `CREATE EXTENSION IF NOT EXISTS ${quoted(name)}`, database.name);
  if (!database.extensions.includes(name)) database.extensions.push(name);
  request.world.store.save();
  return { status: 201, body: { data: { name } } };
};

export const listPostgresUsers: Handler = (request) => ({
  status: 200,
  body: { data: readyCluster(request).users.map(({ name, role }) => ({ username: name, name, role })) },
});

export const createPostgresUser: Handler = async (request) => {
  const { world } = request;
  const cluster = readyCluster(request);
  const { username, role } = request.body as { username: string; role: string };
  if (!/^[a-z_][a-z0-9_-]{0,62}$/.test(username)) throw refuse(422, `invalid username: ${username}`);
  if (cluster.users.some((user) => user.name === username)) throw refuse(422, `user ${username} already exists`);
  const user = { name: username, role, password: postgresPassword() };
  cluster.users.push(user);
  await run(request, cluster, roleSql(user));
  await tellPooler(world, cluster);
  world.store.save();
  return { status: 201, body: { data: { username, role } } };
};

function userOf(request: Request): Cluster["users"][number] {
  const name = request.values["username"]!;
  const user = readyCluster(request).users.find((one) => one.name === name);
  if (user === undefined) throw refuse(404, `user not found: ${name}`);
  return user;
}

export const deletePostgresUser: Handler = async (request) => {
  const { world } = request;
  const cluster = readyCluster(request);
  const { name } = userOf(request);
  // What it owns goes to the owner of all else.
  const handOver = `REASSIGN OWNED BY ${quoted(name)} TO ${quoted("fly-user")}; DROP OWNED BY ${quoted(name)};`;
  for (const database of cluster.databases) await run(request, cluster, handOver, database.name);
  await run(request, cluster, `DROP ROLE IF EXISTS ${quoted(name)}`);
  cluster.users = cluster.users.filter((one) => one.name !== name);
  await tellPooler(world, cluster);
  world.store.save();
  return { status: 204 };
};

export const getPostgresCredentials: Handler = (request) => {
  const { name, password } = userOf(request);
  return { status: 200, body: { data: { username: name, password } } };
};

export const rotatePostgresPassword: Handler = async (request) => {
  const { world } = request;
  const cluster = readyCluster(request);
  const user = userOf(request);
  const { kill_sessions: kills = false } = (request.body ?? {}) as { kill_sessions?: boolean };
  user.password = postgresPassword();
  await run(request, cluster, `ALTER ROLE ${quoted(user.name)} PASSWORD '${user.password}'`);
  if (kills)
    await run(
      request,
      cluster,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${user.name}'`,
    );
  await tellPooler(world, cluster);
  world.store.save();
  return getPostgresCredentials(request);
};

export const attachPostgres: Handler = (request) => {
  const cluster = clusterOf(request);
  const { app_name: name } = request.body as { app_name: string };
  appOf(request.world, request.token, name);
  // A note of which app uses it, and nothing more: the app's secrets are the caller's business.
  if (!cluster.attachedApps.includes(name)) cluster.attachedApps.push(name);
  request.world.store.save();
  return { status: 201, body: { data: { app_name: name } } };
};

export const detachPostgres: Handler = (request) => {
  const cluster = clusterOf(request);
  cluster.attachedApps = cluster.attachedApps.filter((name) => name !== request.values["app_name"]);
  request.world.store.save();
  return { status: 204 };
};
