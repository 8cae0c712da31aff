import { without } from "../platform/without";
import { removeData, startData } from "./dataServers";
import { asked, found, page, requireOwner, type Handler, type Request } from "./operation";
import { environmentOf, ownerView } from "./owners";
import type { Postgres } from "./state";
import { chance, isListed, isoTime, newId, pause, present, refuse, type World } from "./world";

interface PostgresInput {
  readonly name: string;
  readonly ownerId: string;
  readonly plan: string;
  readonly version: string;
  readonly region?: string;
  readonly environmentId?: string;
  readonly databaseName?: string;
  readonly databaseUser?: string;
  readonly diskSizeGB?: number;
  readonly enableHighAvailability?: boolean;
  readonly ipAllowList?: Postgres["ipAllowList"];
}

/** Plans that new databases can't have any more. */
const oldPlans = ["starter", "standard", "pro", "pro_plus"];

function view(world: World, postgres: Postgres): { id: string } & Record<string, unknown> {
  const { id, name, plan, version, region, databaseName, databaseUser, status, environmentId, suspended } = postgres;
  return {
    ...{ id, name, plan, version, region, databaseName, databaseUser, status, diskSizeGB: postgres.diskSizeGB },
    ...present({ environmentId }),
    // Nothing allowed is null, as it is answered.
    ipAllowList: postgres.ipAllowList.length === 0 ? null : postgres.ipAllowList,
    highAvailabilityEnabled: postgres.highAvailability,
    diskAutoscalingEnabled: false,
    readReplicas: [],
    role: "primary",
    owner: ownerView(world, postgres.ownerId),
    suspended: suspended ? "suspended" : "not_suspended",
    suspenders: suspended ? ["user"] : [],
    createdAt: isoTime(postgres.createdAt),
    updatedAt: isoTime(postgres.updatedAt),
    dashboardUrl: `https://dashboard.render.com/d/${id}`,
  };
}

async function bringUp(world: World, postgres: Postgres): Promise<void> {
  await pause(world, world.timings.database);
  if (world.faults.happens("databaseFailure", `${postgres.name}/${postgres.id}`)) postgres.status = "unavailable";
  else {
    await startData(world, postgres);
    postgres.status = "available";
  }
  world.store.save();
}

/** Makes what isn't available yet so, in the background. */
export function bringUpPostgres(world: World, postgres: Postgres): void {
  bringUp(world, postgres).catch((error: unknown) => {
    if (!world.isClosed) process.stderr.write(`${String(error)}\n`);
  });
}

const word = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]+/g, "_");

export const createPostgres: Handler = (request) => {
  const { world } = request;
  const body = request.body as PostgresInput;
  requireOwner(request, body.ownerId);
  if (body.environmentId !== undefined) environmentOf(request, body.environmentId);
  if (oldPlans.includes(body.plan)) throw refuse(400, `plan ${body.plan} is not available for new databases`);
  // Nothing keeps a workspace from having two databases of one name.
  const { databaseName = word(body.name), databaseUser } = body;
  const now = world.clock.now();
  const postgres: Postgres = {
    ...{ id: `${newId("dpg")}-a`, name: body.name, ownerId: body.ownerId, environmentId: body.environmentId },
    ...{ plan: body.plan, version: body.version, region: body.region ?? "oregon" },
    // What is asked for is the name's beginning only.
    databaseName: `${databaseName}_${chance(4)}`,
    databaseUser: databaseUser ?? `${databaseName}_user`,
    password: chance(32),
    diskSizeGB: body.diskSizeGB ?? 15,
    highAvailability: body.enableHighAvailability ?? false,
    ipAllowList: body.ipAllowList ?? [{ cidrBlock: "0.0.0.0/0", description: "everywhere" }],
    ...{ status: "creating", suspended: false, exports: [], createdAt: now, updatedAt: now },
  };
  world.state.postgres[postgres.id] = postgres;
  world.store.save();
  bringUpPostgres(world, postgres);
  return { status: 201, body: view(world, postgres) };
};

const postgresOf = (request: Request): Postgres =>
  found(request, request.world.state.postgres, request.values["postgresId"]!);

export const listPostgres: Handler = ({ world, ownerIds, query }) =>
  page(
    query,
    "postgres",
    Object.values(world.state.postgres)
      .filter(({ ownerId, name, environmentId, region, createdAt }) => {
        if (!isListed(world, createdAt)) return false;
        const isOwn = ownerIds.includes(ownerId) && asked(query, "ownerId", ownerId) && asked(query, "name", name);
        return isOwn && asked(query, "environmentId", environmentId) && asked(query, "region", region);
      })
      .map((postgres) => view(world, postgres)),
  );

export const retrievePostgres: Handler = (request) => ({
  status: 200,
  body: view(request.world, postgresOf(request)),
});

export const updatePostgres: Handler = (request) => {
  const { world } = request;
  const postgres = postgresOf(request);
  const { name, plan, diskSizeGB, ipAllowList, enableHighAvailability } = request.body as Partial<PostgresInput>;
  if (diskSizeGB !== undefined && diskSizeGB < postgres.diskSizeGB)
    throw refuse(400, "disk size can only be increased");
  const highAvailability = enableHighAvailability;
  const isResized = plan !== undefined && plan !== postgres.plan;
  Object.assign(postgres, present({ name, plan, diskSizeGB, ipAllowList, highAvailability }));
  postgres.updatedAt = world.clock.now();
  if (isResized) {
    postgres.status = "updating_instance";
    void world.clock.sleep(world.timings.database).then(() => {
      postgres.status = "available";
      world.store.save();
    });
  }
  world.store.save();
  return { status: 200, body: view(world, postgres) };
};

export const deletePostgres: Handler = async (request) => {
  const { world } = request;
  const postgres = postgresOf(request);
  world.state.postgres = without(world.state.postgres, postgres.id);
  world.store.save();
  await removeData(world, postgres);
  return { status: 204 };
};

/** Inside of the region a host name without a domain; outside of it one of the region's. */
export const retrievePostgresConnectionInfo: Handler = (request) => {
  const postgres = postgresOf(request);
  const { id, databaseName, databaseUser, password, region } = postgres;
  const outside = `${id}.${region}-postgres.render.com`;
  return {
    status: 200,
    body: {
      password,
      internalConnectionString: `postgresql://${databaseUser}:${password}@${id}/${databaseName}`,
      externalConnectionString: `postgresql://${databaseUser}:${password}@${outside}/${databaseName}`,
      psqlCommand: `PGPASSWORD=${password} psql -h ${outside} -U ${databaseUser} ${databaseName}`,
    },
  };
};

/** Paid databases can go back to any time of the last days. */
export const retrievePostgresRecoveryInfo: Handler = (request) => {
  const { plan, createdAt } = postgresOf(request);
  if (plan === "free") return { status: 200, body: { recoveryStatus: "NOT_AVAILABLE" } };
  return { status: 200, body: { recoveryStatus: "AVAILABLE", startsAt: isoTime(createdAt) } };
};

/** Makes another database, with credentials of its own. */
export const recoverPostgres: Handler = (request) => {
  const { world } = request;
  const source = postgresOf(request);
  const { restoreName, plan, environmentId } = request.body as Record<string, string | undefined>;
  if (source.plan === "free") throw refuse(400, "recovery is not available for free databases");
  const now = world.clock.now();
  const made: Postgres = {
    ...source,
    ...{ id: `${newId("dpg")}-a`, name: restoreName ?? `${source.name}-recovery`, plan: plan ?? source.plan },
    ...{ environmentId: environmentId ?? source.environmentId, databaseName: `${source.databaseName}_${chance(4)}` },
    ...{ password: chance(32), status: "recovery_in_progress", exports: [], createdAt: now, updatedAt: now },
  };
  world.state.postgres[made.id] = made;
  world.store.save();
  bringUpPostgres(world, made);
  return { status: 200, body: view(world, made) };
};

export const listPostgresExport: Handler = (request) => ({
  status: 200,
  body: postgresOf(request)
    .exports.filter(({ readyAt }) => readyAt <= request.world.clock.now())
    .map(({ id, createdAt }) => ({
      id,
      createdAt: isoTime(createdAt),
      url: `https://exports.render.com/${id}.dir.tar.gz`,
    })),
});

export const createPostgresExport: Handler = (request) => {
  const { world } = request;
  const now = world.clock.now();
  postgresOf(request).exports.unshift({ id: newId("exp"), createdAt: now, readyAt: now + world.timings.database });
  world.store.save();
  return { status: 202 };
};
