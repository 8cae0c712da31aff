import type { DriverIo } from "../../drivers/driver";
import type { World } from "../../drivers/http";
import type { FlyConnection } from "./api/connection";
import { findApp, look, makeApp, strange } from "./deploy/claim";
import { Run } from "./deploy/run";
import type { FlySpec } from "./plan";

/** The app of Fly that images are pushed to, before anything else of the app is made. Secret as a whole. */
export interface FlyClaim {
  readonly connection: FlyConnection;
  /** Whose it is, `hotrod-prod`. */
  readonly id: string;
  /** Its name on Fly. */
  readonly name: string;
  /** Names that the deploy is going to need besides: one that somebody else has is told before an image is built. */
  readonly others: readonly string[];
}

/** What the driver prints; holds no secret. */
export interface FlyClaimed {
  readonly name: string;
  readonly changes: readonly string[];
}

/**
 * Makes the app, unless it is there.
 * @throws DriverError where one of the names is somebody else's; nothing was changed then
 */
export async function claim(
  spec: FlyClaim,
  io: Pick<DriverIo, "progress" | "signal">,
  world?: World,
): Promise<FlyClaimed> {
  const run = new Run(wholeSpec(spec), io, [spec.connection.token], world);
  const looked = run.spec.apps.map(async (plan) => ({ plan, there: await findApp(run, plan) }));
  const [own] = await Promise.all(looked);
  if (own !== undefined && own.there === undefined) await makeApp(run, own.plan);
  return { name: spec.name, changes: run.changes };
}

/** Removes the app where nothing but images ever came into it: else it goes, or stays, with what was deployed. */
export async function unclaim(
  spec: FlyClaim,
  io: Pick<DriverIo, "progress" | "signal">,
  world?: World,
): Promise<FlyClaimed> {
  const { name } = spec;
  const run = new Run(wholeSpec(spec), io, [spec.connection.token], world);
  if ((await run.fly.app(name)) !== undefined) {
    const found = await look(run, name);
    const isEmpty = [found.machines, found.volumes, found.secrets, found.ips].every(({ length }) => length === 0);
    if (isEmpty && (await strange(run, name, found)) === undefined) {
      await run.fly.deleteApp(name);
      run.changed(`${name}: app deleted`);
    }
  }
  return { name, changes: run.changes };
}

/** The claim as a deploy's spec: apps without anything in them, its own first. */
const wholeSpec = ({ connection, id, name, others }: FlyClaim): FlySpec => ({
  connection,
  id,
  pepper: "",
  apps: [name, ...others].map((one) => ({ name: one, region: "", ips: [], groups: [], secrets: {}, domains: [] })),
  postgres: [],
  propagationSeconds: 0,
  onDelete: "keep data",
});
