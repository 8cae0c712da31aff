import { randomBytes } from "node:crypto";
import type { PoolMode } from "../platform/postgres";
import { postgresName } from "./names";
import type { Handler, Request } from "./operation";
import { authenticateOrg } from "./operation";
import { buildCluster, postgresPassword } from "./postgresServers";
import type { Cluster } from "./state";
import { requireOrg } from "./tokens";
import { nextNumber, refuse } from "./world";
import type { World } from "./world";

interface CreateCluster {
  readonly org_slug: string;
  readonly region: string;
  readonly plan: string;
  readonly name?: string;
  readonly disk_size_gb?: number;
  readonly pg_major_version?: string;
  readonly pool_mode?: PoolMode;
}

/** https://fly.io/docs/mpg/: asynchronous, and reached by the private network alone. */
function statusOf(world: World, cluster: Cluster): "creating" | "ready" | "failed" {
  if (cluster.failure !== undefined) return "failed";
  const isMade = world.settings.postgres === undefined || cluster.ports !== undefined;
  return isMade && world.clock.now() >= cluster.readyAt ? "ready" : "creating";
}

export function viewCluster(world: World, cluster: Cluster): Record<string, unknown> {
  const organization = world.state.organizations.find((one) => one.slug === cluster.org)!;
  const status = statusOf(world, cluster);
  const endpoint = (kind: "direct" | "pooler"): Record<string, unknown> => ({
    host: postgresName(cluster, kind),
    port: 5432,
  });
  return {
    id: cluster.id,
    name: cluster.name,
    status,
    region: cluster.region,
    plan: cluster.plan,
    disk_size_gb: cluster.diskGb,
    cpus: 2,
    cpu_kind: "shared",
    memory_mb: 1024,
    replicas: 1,
    pg_major_version: cluster.version,
    postgis_enabled: false,
    ...(status === "ready"
      ? { endpoints: { primary: { direct: endpoint("direct"), pooler: endpoint("pooler") } } }
      : {}),
    organization: { name: organization.name, slug: organization.slug },
    created_at: new Date(cluster.createdAt).toISOString(),
    attached_apps: cluster.attachedApps.map((name) => ({ name })),
  };
}

/** The cluster that a call means. */
export function clusterOf({ world, token, values }: Request): Cluster {
  const cluster = world.state.clusters[values["cluster_id"]!];
  if (cluster === undefined) throw refuse(404, "Postgres cluster not found");
  requireOrg(world, token, cluster.org);
  return cluster;
}

/** The same, once it can be used. */
export function readyCluster(request: Request): Cluster {
  const cluster = clusterOf(request);
  if (statusOf(request.world, cluster) !== "ready") throw refuse(422, "Postgres cluster isn't ready");
  return cluster;
}

/** Writes a new cluster down and begins to make it. */
export function addCluster(
  world: World,
  wanted: Pick<Cluster, "org" | "name" | "region" | "plan" | "diskGb" | "version" | "poolMode"> &
    Partial<Pick<Cluster, "source" | "databases" | "users">>,
): Cluster {
  const now = world.clock.now();
  const cluster: Cluster = {
    ...wanted,
    id: `pg${randomBytes(7).toString("hex")}`,
    createdAt: now,
    readyAt: now + world.timings.postgres,
    numbers: { direct: nextNumber(world), pooler: nextNumber(world) },
    databases: wanted.databases ?? [{ name: "fly-db", extensions: [] }],
    users: wanted.users ?? [{ name: "fly-user", role: "schema_admin", password: postgresPassword() }],
    backups: [],
    attachedApps: [],
  };
  world.state.clusters[cluster.id] = cluster;
  world.store.save();
  buildCluster(world, cluster);
  return cluster;
}

export const createPostgres: Handler = ({ world, token, body }) => {
  const wanted = body as CreateCluster;
  requireOrg(world, token, wanted.org_slug);
  if (!world.state.regions.some((region) => region.code === wanted.region))
    throw refuse(422, `region ${wanted.region} isn't available for Managed Postgres`);
  const cluster = addCluster(world, {
    org: wanted.org_slug,
    name: wanted.name ?? `postgres-${nextNumber(world)}`,
    region: wanted.region,
    plan: wanted.plan,
    diskGb: wanted.disk_size_gb ?? 10,
    version: wanted.pg_major_version ?? "16",
    poolMode: wanted.pool_mode ?? "transaction",
  });
  return { status: 201, body: { data: viewCluster(world, cluster) } };
};

export const getPostgres: Handler = (request) => ({
  status: 200,
  body: { data: viewCluster(request.world, clusterOf(request)) },
});

export const listPostgres: Handler = ({ world, token, query }) => {
  const slug = authenticateOrg(world, token, query.get("org_slug") ?? undefined);
  const clusters = Object.values(world.state.clusters).filter((cluster) => cluster.org === slug);
  return { status: 200, body: { data: clusters.map((cluster) => viewCluster(world, cluster)) } };
};

export const deletePostgres: Handler = async (request) => {
  const { world } = request;
  const { id } = clusterOf(request);
  world.state.clusters = Object.fromEntries(Object.entries(world.state.clusters).filter(([other]) => other !== id));
  world.store.save();
  world.changes.emit("network");
  await world.tasks.get(id);
  await world.settings.postgres?.remove(id);
  return { status: 202, body: {} };
};
