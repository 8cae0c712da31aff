import { instancesOf } from "./instances";
import { found, type Handler, type Request } from "./operation";
import { diskOf } from "./serviceView";
import type { Disk, Service } from "./state";
import { isoTime, type World } from "./world";

const bytesInGb = 1e9;

/** One series of one value, that of now; none for what has no disk or hasn't run with it. */
async function series(
  request: Request,
  measure: (world: World, service: Service, disk: Disk) => Promise<number | undefined>,
): Promise<unknown[]> {
  const { world, query } = request;
  const service = found(request, world.state.services, query.get("resource") ?? "");
  const disk = diskOf(world, service);
  const value = disk === undefined ? undefined : await measure(world, service, disk);
  if (value === undefined) return [];
  const labels = [{ field: "resource", value: service.id }];
  return [{ labels, values: [{ timestamp: isoTime(world.clock.now()), value }], unit: "GB" }];
}

/** Kilobytes that a running instance sees in use. */
async function used(world: World, service: Service, { mountPath }: Disk): Promise<number | undefined> {
  const instance = instancesOf(world, service.id).find(({ isUp, isKept }) => isUp && isKept);
  if (instance === undefined) return undefined;
  const { stdout } = await world.runtime.exec(instance.id, ["du", "-sk", mountPath], "", 10_000);
  const kilobytes = /^\d+/.exec(stdout)?.[0];
  return kilobytes === undefined ? undefined : (Number(kilobytes) * 1024) / bytesInGb;
}

export const getDiskUsage: Handler = async (request) => ({ status: 200, body: await series(request, used) });

export const getDiskCapacity: Handler = async (request) => ({
  status: 200,
  body: await series(request, (_world, _service, { sizeGB }) => Promise.resolve(sizeGB)),
});
