import type { Driver, DriverIo } from "../../drivers/driver";
import type { World } from "../../drivers/http";
import { resultBefore } from "../../drivers/resultBefore";
import type { FlyConnection } from "./api/connection";
import { deleteToken, explainDelete } from "./api/explain";
import { claim, unclaim, type FlyClaim } from "./claim";
import { claimApps } from "./deploy/claim";
import { deployApp } from "./deploy/app";
import { deleteApps } from "./deploy/remove";
import { ensurePostgres, withUrls } from "./deploy/postgres";
import { Run } from "./deploy/run";
import type { FlyAppResult, FlyResult, FlySpec } from "./plan";
import { applyTigris, deleteTigris, type TigrisResult, type TigrisSpec } from "./tigris/driver";

/**
 * Platform `fly`. Kind `app` is one app of one stack, `FlySpec` in, `FlyResult` out; `claim` is the app of Fly that images are
 * pushed to, `FlyClaim` in, `FlyClaimed` out; `tigris` is a bucket, `TigrisSpec` in, `TigrisResult` out.
 */
export const fly: Readonly<Record<"app" | "claim" | "tigris", Driver>> = {
  app: {
    apply: (spec, io) => deploy(spec as FlySpec, io),
    delete: (spec, io) => deleting(spec as FlySpec, (now) => remove(now, io)),
  },
  tigris: {
    apply: (spec, io) => applyTigris(spec as TigrisSpec, resultBefore<TigrisResult>(), io),
    delete: (spec, io) => deleting(spec as TigrisSpec, (now) => deleteTigris(now, io)),
  },
  claim: {
    apply: (spec, io) => claim(spec as FlyClaim, io),
    delete: (spec, io) => deleting(spec as FlyClaim, (now) => unclaim(now, io)),
  },
};

/**
 * What is deleted is deleted with the inputs that it was made with, whose token may have expired since, and which no setting
 * changes any more: so the environment's token comes before theirs.
 */
async function deleting<Spec extends { readonly connection: FlyConnection }, Result>(
  spec: Spec,
  act: (spec: Spec) => Promise<Result>,
): Promise<Result> {
  const token = process.env[deleteToken];
  try {
    return await act(token === undefined ? spec : { ...spec, connection: { ...spec.connection, token } });
  } catch (error) {
    throw explainDelete(error);
  }
}

/**
 * Makes Fly be as a spec says. It can be cut off at any point; the next run takes up or undoes what was begun.
 * @throws DriverError; ApiError, which is one; Interrupted
 */
export async function deploy(
  spec: FlySpec,
  io: Pick<DriverIo, "progress" | "signal">,
  world?: World,
): Promise<FlyResult> {
  const run = new Run(spec, io, secretsOf(spec), world);
  const found = await claimApps(run);
  const urls = await ensurePostgres(run);
  const apps: Record<string, FlyAppResult> = {};
  for (const app of spec.apps) {
    const there = found.get(app.name);
    if (there === undefined) throw new Error(`${app.name} wasn't claimed.`);
    apps[app.name] = await deployApp(run, withUrls(app, urls), there);
  }
  return { apps, changes: run.changes, calls: run.fly.client.calls };
}

/** Takes the app away, and its data only where the spec says so. */
export async function remove(
  spec: FlySpec,
  io: Pick<DriverIo, "progress" | "signal">,
  world?: World,
): Promise<FlyResult> {
  const run = new Run(spec, io, secretsOf(spec), world);
  await deleteApps(run);
  return { apps: {}, changes: run.changes, calls: run.fly.client.calls };
}

const secretsOf = (spec: FlySpec): string[] => [
  spec.connection.token,
  spec.pepper,
  ...spec.apps.flatMap((app) => Object.values(app.secrets)),
];
