import { randomBytes } from "node:crypto";
import type { Handler, Request } from "./operation";
import { authenticateOrg } from "./operation";
import type { Cluster } from "./state";
import { requireOrg } from "./tokens";
import { appOf, nextNumber, refuse } from "./world";
import type { World } from "./world";

interface CreateCluster {
  readonly org_slug: string;
  readonly region: string;
  readonly plan: string;
  readonly name?: string;
  readonly disk_size_gb?: number;
  readonly pg_major_version?: string;
  readonly pool_mode?: string;
}

const password = (): string => randomBytes(12).toString("hex");
/** One server holds all clusters: a cluster's databases and roles have its id in their names there. */
const real = (cluster: Cluster, name: string): string => `${cluster.id}_${name}`.replaceAll("-", "_");
const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

async function makeDatabase(world: World, cluster: Cluster, name: string): Promise<void> {
  const { postgres } = world.settings;
  cluster.databases.push({ name, extensions: [] });
  if (postgres === undefined) return;
  const owner = quoted(real(cluster, "fly-user"));
  await postgres.run("postgres", `CREATE DATABASE ${quoted(real(cluster, name))} OWNER ${owner}`);
}

async function makeUser(world: World, cluster: Cluster, name: string, role: string): Promise<void> {
  const user = { name, role, password: password() };
  cluster.users.push(user);
  await world.settings.postgres?.run(
    "postgres",
    `CREATE ROLE ${quoted(real(cluster, name))} LOGIN PASSWORD '${user.password}'`,
  );
}

function view(world: World, cluster: Cluster): Record<string, unknown> {
  const server = world.settings.postgres;
  const organization = world.state.organizations.find((one) => one.slug === cluster.org)!;
  const endpoint = (kind: string): Record<string, unknown> => ({
    host: server?.host ?? `${kind}.${cluster.id}.flympg.net`,
    port: server?.port ?? 5432,
  });
  const isReady = world.clock.now() >= cluster.readyAt;
  return {
    id: cluster.id,
    name: cluster.name,
    status: isReady ? "ready" : "creating",
    region: cluster.region,
    plan: cluster.plan,
    disk_size_gb: cluster.diskGb,
    cpus: 2,
    cpu_kind: "shared",
    memory_mb: 1024,
    replicas: 1,
    pg_major_version: cluster.version,
    postgis_enabled: false,
    ...(isReady ? { endpoints: { primary: { direct: endpoint("direct"), pooler: endpoint("pgbouncer") } } } : {}),
    organization: { name: organization.name, slug: organization.slug },
    created_at: new Date(cluster.createdAt).toISOString(),
    attached_apps: cluster.attachedApps.map((name) => ({ name })),
  };
}

function target({ world, token, values }: Request): Cluster {
  const cluster = world.state.clusters[values["cluster_id"]!];
  if (cluster === undefined) throw refuse(404, "Postgres cluster not found");
  requireOrg(world, token, cluster.org);
  return cluster;
}

/** The cluster, once it can be used. */
function ready(request: Request): Cluster {
  const cluster = target(request);
  if (request.world.clock.now() < cluster.readyAt) throw refuse(422, "Postgres cluster isn't ready");
  return cluster;
}

export const createPostgres: Handler = async ({ world, token, body }) => {
  const wanted = body as CreateCluster;
  requireOrg(world, token, wanted.org_slug);
  if (!world.state.regions.some((region) => region.code === wanted.region))
    throw refuse(422, `region ${wanted.region} isn't available for Managed Postgres`);
  const now = world.clock.now();
  const cluster: Cluster = {
    id: `pg${randomBytes(7).toString("hex")}`,
    org: wanted.org_slug,
    name: wanted.name ?? `postgres-${nextNumber(world)}`,
    region: wanted.region,
    plan: wanted.plan,
    diskGb: wanted.disk_size_gb ?? 10,
    version: wanted.pg_major_version ?? "16",
    poolMode: wanted.pool_mode ?? "transaction",
    createdAt: now,
    readyAt: now + world.timings.postgres,
    databases: [],
    users: [],
    backups: [],
    attachedApps: [],
  };
  world.state.clusters[cluster.id] = cluster;
  await makeUser(world, cluster, "fly-user", "schema_admin");
  await makeDatabase(world, cluster, "fly-db");
  world.store.save();
  return { status: 201, body: { data: view(world, cluster) } };
};

export const getPostgres: Handler = (request) => ({
  status: 200,
  body: { data: view(request.world, target(request)) },
});

export const listPostgres: Handler = ({ world, token, query }) => {
  const slug = authenticateOrg(world, token, query.get("org_slug") ?? undefined);
  const clusters = Object.values(world.state.clusters).filter((cluster) => cluster.org === slug);
  return { status: 200, body: { data: clusters.map((cluster) => view(world, cluster)) } };
};

export const deletePostgres: Handler = async (request) => {
  const { world } = request;
  const cluster = target(request);
  const { postgres } = world.settings;
  for (const { name } of cluster.databases)
    await postgres?.run("postgres", `DROP DATABASE IF EXISTS ${quoted(real(cluster, name))} WITH (FORCE)`);
  for (const { name } of cluster.users)
    await postgres?.run("postgres", `DROP ROLE IF EXISTS ${quoted(real(cluster, name))}`);
  world.state.clusters = Object.fromEntries(Object.entries(world.state.clusters).filter(([id]) => id !== cluster.id));
  world.store.save();
  return { status: 202, body: {} };
};

export const listPostgresDatabases: Handler = (request) => ({
  status: 200,
  body: { data: ready(request).databases.map(({ name }) => ({ name })) },
});

export const createPostgresDatabase: Handler = async (request) => {
  const { world } = request;
  const cluster = ready(request);
  const { name } = request.body as { name: string };
  if (!/^[a-z_][a-z0-9_-]{0,62}$/.test(name)) throw refuse(422, `invalid database name: ${name}`);
  if (cluster.databases.some((one) => one.name === name)) throw refuse(422, `database ${name} already exists`);
  await makeDatabase(world, cluster, name);
  world.store.save();
  return { status: 201, body: { data: { name } } };
};

function databaseOf(request: Request): Cluster["databases"][number] {
  const name = request.values["database"]!;
  const database = ready(request).databases.find((one) => one.name === name);
  if (database === undefined) throw refuse(404, `database not found: ${name}`);
  return database;
}

export const deletePostgresDatabase: Handler = async (request) => {
  const { world } = request;
  const cluster = ready(request);
  const { name } = databaseOf(request);
  await world.settings.postgres?.run("postgres", `DROP DATABASE IF EXISTS ${quoted(real(cluster, name))} WITH (FORCE)`);
  cluster.databases = cluster.databases.filter((one) => one.name !== name);
  world.store.save();
  return { status: 204 };
};

export const listPostgresExtensions: Handler = (request) => ({
  status: 200,
  body: { data: databaseOf(request).extensions.map((name) => ({ name })) },
});

/** What Managed Postgres offers, of which the rehearsal's server has pgvector: https://fly.io/docs/mpg/extensions/ */
const offered = ["vector", "pg_trgm", "hstore", "citext", "uuid-ossp", "pgcrypto", "unaccent"];

export const createPostgresExtension: Handler = async (request) => {
  const { world } = request;
  const database = databaseOf(request);
  const { name } = request.body as { name: string };
  if (!offered.includes(name)) throw refuse(422, `extension ${name} isn't available`);
  const inServer = real(target(request), database.name);
  await world.settings.postgres?.run(inServer, `CREATE EXTENSION IF NOT EXISTS ${quoted(name)}`);
  if (!database.extensions.includes(name)) database.extensions.push(name);
  world.store.save();
  return { status: 201, body: { data: { name } } };
};

export const listPostgresUsers: Handler = (request) => ({
  status: 200,
  body: { data: ready(request).users.map(({ name, role }) => ({ username: name, name, role })) },
});

export const createPostgresUser: Handler = async (request) => {
  const { world } = request;
  const cluster = ready(request);
  const { username, role } = request.body as { username: string; role: string };
  if (cluster.users.some((user) => user.name === username)) throw refuse(422, `user ${username} already exists`);
  await makeUser(world, cluster, username, role);
  // Members of fly-user's role may do in its databases what it may.
  const inherited = `GRANT ${quoted(real(cluster, "fly-user"))} TO ${quoted(real(cluster, username))}`;
  await world.settings.postgres?.run("postgres", inherited);
  world.store.save();
  return { status: 201, body: { data: { username, role } } };
};

function userOf(request: Request): Cluster["users"][number] {
  const name = request.values["username"]!;
  const user = ready(request).users.find((one) => one.name === name);
  if (user === undefined) throw refuse(404, `user not found: ${name}`);
  return user;
}

export const deletePostgresUser: Handler = async (request) => {
  const cluster = ready(request);
  const { name } = userOf(request);
  await request.world.settings.postgres?.run("postgres", `DROP ROLE IF EXISTS ${quoted(real(cluster, name))}`);
  cluster.users = cluster.users.filter((one) => one.name !== name);
  request.world.store.save();
  return { status: 204 };
};

export const getPostgresCredentials: Handler = (request) => {
  const user = userOf(request);
  const isReal = request.world.settings.postgres !== undefined;
  const username = isReal ? real(target(request), user.name) : user.name;
  return { status: 200, body: { data: { username, password: user.password } } };
};

export const rotatePostgresPassword: Handler = async (request) => {
  const { world } = request;
  const user = userOf(request);
  user.password = password();
  const role = quoted(real(target(request), user.name));
  await world.settings.postgres?.run("postgres", `ALTER ROLE ${role} PASSWORD '${user.password}'`);
  world.store.save();
  return getPostgresCredentials(request);
};

export const listPostgresBackups: Handler = (request) => ({
  status: 200,
  body: {
    data: ready(request).backups.map(({ id, type, createdAt }) => ({
      id,
      type,
      status: "completed",
      start: new Date(createdAt).toISOString(),
      stop: new Date(createdAt).toISOString(),
    })),
  },
});

export const createPostgresBackup: Handler = (request) => {
  const { world } = request;
  const cluster = ready(request);
  const { type } = request.body as { type: string };
  const backup = { id: `backup_${nextNumber(world)}`, type, createdAt: world.clock.now() };
  cluster.backups.unshift(backup);
  world.store.save();
  return { status: 201, body: { data: { id: backup.id, type, status: "completed" } } };
};

export const attachPostgres: Handler = (request) => {
  const cluster = target(request);
  const { app_name: name } = request.body as { app_name: string };
  appOf(request.world, request.token, name);
  // A note of which app uses it, and nothing more: the app's secrets are the caller's business.
  if (!cluster.attachedApps.includes(name)) cluster.attachedApps.push(name);
  request.world.store.save();
  return { status: 201, body: { data: { app_name: name } } };
};

export const detachPostgres: Handler = (request) => {
  const cluster = target(request);
  cluster.attachedApps = cluster.attachedApps.filter((name) => name !== request.values["app_name"]);
  request.world.store.save();
  return { status: 204 };
};
