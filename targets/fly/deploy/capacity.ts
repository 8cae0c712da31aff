import { DriverError } from "../../../drivers/error";
import { ApiError } from "../../../drivers/http";
import { lacksCapacity } from "../api/explain";
import { configOf, type Machine, type Volume } from "../api/types";
import type { FlyAppPlan } from "../plan";

/**
 * Returns where a machine that can't be changed for want of room can be had on another host, as it has no volume.
 * @throws the error, where that wouldn't help
 */
export function crowdedOut(error: unknown, app: string, machine: Machine): void {
  if (!(error instanceof ApiError) || !lacksCapacity(error.failure)) throw error;
  const [mount] = configOf(machine)?.mounts ?? [];
  if (mount !== undefined) throw volumeBound(error, app, machine, mount.volume);
}

/** For a machine whose host is full while its volume, which can't leave that host, keeps it there. */
function volumeBound(error: ApiError, app: string, machine: Machine, volume: string): DriverError {
  return new DriverError({
    what: `The host of machine ${machine.id} has no room for its new version, and its volume ties it to that host.`,
    where: `volume ${volume} of Fly app ${app} in ${machine.region}`,
    why: `${error.failure.message}; what ran before runs on`,
    fix:
      `pulumi up again later; or move the data to a host with room: fly volumes fork ${volume} --app ${app}, then ` +
      `fly machine destroy --force ${machine.id} --app ${app}, fly volumes destroy ${volume}, and pulumi up, which takes the copy`,
  });
}

/** For a machine that is to be made with a volume whose host has no room for it. */
export function explainTied(error: unknown, app: string, { id, region }: Volume): unknown {
  if (!(error instanceof ApiError) || !lacksCapacity(error.failure)) return error;
  return new DriverError({
    what: `The host of volume ${id} has no room for a machine, and no other has the volume.`,
    where: `Fly app ${app} in ${region}`,
    why: `${error.failure.message}; what ran before runs on`,
    fix:
      `pulumi up again later; or move the data to a host with room: fly volumes fork ${id} --app ${app}, then ` +
      `fly volumes destroy ${id}, and pulumi up, which takes the copy`,
  });
}

/** Adds to a refusal for want of room what it was about, and what becomes of the app. */
export function explainCapacity(error: unknown, app: FlyAppPlan): unknown {
  if (!(error instanceof ApiError) || !lacksCapacity(error.failure)) return error;
  return new DriverError({
    what: `Fly has no room in ${app.region} for a machine or volume of ${app.name}.`,
    where: error.parts.where,
    why: `${error.failure.message}; what ran before runs on`,
    fix:
      "pulumi up again later; or another region, where none of the app's volumes holds data yet: " +
      "pulumi config set --path fly:regions.APP REGION",
  });
}
