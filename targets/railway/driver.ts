import type { Driver, DriverIo } from "../../drivers/driver";
import type { World } from "../../drivers/http";
import { deployApp } from "./deploy/app";
import { removeApp } from "./deploy/remove";
import { Run } from "./deploy/run";
import type { RailwayResult, RailwaySpec } from "./plan";

/** Platform `railway`: kind `app` is one app of one stack, `RailwaySpec` in, `RailwayResult` out. */
export const railway: Readonly<Record<"app", Driver>> = {
  app: {
    apply: (spec, io) => deploy(spec as RailwaySpec, io),
    delete: (spec, io) => remove(spec as RailwaySpec, io),
  },
};

/**
 * Makes Railway be as a spec says. It can be cut off at any point; the next run takes up what was begun.
 * @throws DriverError; ApiError, which is one; Interrupted
 */
export function deploy(
  spec: RailwaySpec,
  io: Pick<DriverIo, "progress" | "signal">,
  world?: World,
): Promise<RailwayResult> {
  return deployApp(new Run(spec, io, world));
}

/** Takes the app away, and its data only where the spec says so. */
export async function remove(
  spec: RailwaySpec,
  io: Pick<DriverIo, "progress" | "signal">,
  world?: World,
): Promise<RailwayResult> {
  const run = new Run(spec, io, world);
  await removeApp(run);
  const { project, environment } = spec;
  return { project, environment, services: {}, buckets: {}, changes: run.changes, calls: run.railway.client.calls };
}
