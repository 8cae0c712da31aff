import { without } from "../platform/without";
import { removeData, startData } from "./dataServers";
import { asked, found, page, requireOwner, type Handler, type Request } from "./operation";
import { environmentOf, ownerView } from "./owners";
import type { KeyValue } from "./state";
import { chance, isListed, isoTime, newId, pause, present, type World } from "./world";

interface KeyValueInput {
  readonly name: string;
  readonly ownerId: string;
  readonly plan: string;
  readonly region?: string;
  readonly environmentId?: string;
  readonly maxmemoryPolicy?: string;
  readonly ipAllowList?: KeyValue["ipAllowList"];
}

function view(world: World, keyValue: KeyValue): { id: string } & Record<string, unknown> {
  const { id, name, plan, region, status, environmentId, maxmemoryPolicy, ipAllowList } = keyValue;
  return {
    ...{ id, name, plan, region, status, options: { maxmemoryPolicy }, version: "8.1.4" },
    ...present({ environmentId }),
    ipAllowList: ipAllowList.length === 0 ? null : ipAllowList,
    owner: ownerView(world, keyValue.ownerId),
    createdAt: isoTime(keyValue.createdAt),
    updatedAt: isoTime(keyValue.updatedAt),
  };
}

/** Makes one that isn't available yet so, in the background. */
export function bringUpKeyValue(world: World, keyValue: KeyValue): void {
  pause(world, world.timings.database)
    .then(() => startData(world, keyValue))
    .then(() => {
      keyValue.status = "available";
      world.store.save();
    })
    .catch((error: unknown) => {
      if (!world.isClosed) process.stderr.write(`${String(error)}\n`);
    });
}

export const createKeyValue: Handler = (request) => {
  const { world } = request;
  const body = request.body as KeyValueInput;
  requireOwner(request, body.ownerId);
  if (body.environmentId !== undefined) environmentOf(request, body.environmentId);
  const now = world.clock.now();
  const keyValue: KeyValue = {
    ...{ id: newId("red"), name: body.name, ownerId: body.ownerId, environmentId: body.environmentId },
    ...{ plan: body.plan, region: body.region ?? "oregon", maxmemoryPolicy: body.maxmemoryPolicy ?? "allkeys_lru" },
    ipAllowList: body.ipAllowList ?? [],
    ...{ password: chance(32), status: "creating", createdAt: now, updatedAt: now },
  };
  world.state.keyValues[keyValue.id] = keyValue;
  world.store.save();
  bringUpKeyValue(world, keyValue);
  return { status: 201, body: view(world, keyValue) };
};

const keyValueOf = (request: Request): KeyValue =>
  found(request, request.world.state.keyValues, request.values["keyValueId"]!);

export const listKeyValue: Handler = ({ world, ownerIds, query }) =>
  page(
    query,
    "keyValue",
    Object.values(world.state.keyValues)
      .filter(({ ownerId, name, environmentId, region, createdAt }) => {
        if (!isListed(world, createdAt)) return false;
        const isOwn = ownerIds.includes(ownerId) && asked(query, "ownerId", ownerId) && asked(query, "name", name);
        return isOwn && asked(query, "environmentId", environmentId) && asked(query, "region", region);
      })
      .map((keyValue) => view(world, keyValue)),
  );

export const retrieveKeyValue: Handler = (request) => ({
  status: 200,
  body: view(request.world, keyValueOf(request)),
});

export const updateKeyValue: Handler = (request) => {
  const keyValue = keyValueOf(request);
  const { name, plan, maxmemoryPolicy, ipAllowList } = request.body as Partial<KeyValueInput>;
  Object.assign(keyValue, present({ name, plan, maxmemoryPolicy, ipAllowList }), {
    updatedAt: request.world.clock.now(),
  });
  request.world.store.save();
  return { status: 200, body: view(request.world, keyValue) };
};

export const deleteKeyValue: Handler = async (request) => {
  const { world } = request;
  const keyValue = keyValueOf(request);
  world.state.keyValues = without(world.state.keyValues, keyValue.id);
  world.store.save();
  await removeData(world, keyValue);
  return { status: 204 };
};

/** Inside of the region it asks for no password. */
export const retrieveKeyValueConnectionInfo: Handler = (request) => {
  const { id, password, region } = keyValueOf(request);
  const outside = `rediss://${id}:${password}@${region}-keyvalue.render.com:6379`;
  return {
    status: 200,
    body: {
      internalConnectionString: `redis://${id}:6379`,
      externalConnectionString: outside,
      cliCommand: `redis-cli --tls -u ${outside}`,
    },
  };
};
