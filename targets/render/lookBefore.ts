import type { Problem } from "../../components/problems";
import { ProblemReport } from "../../components/report";
import type { ResolvedApp } from "../../components/resolvedApp";
import { DriverError } from "../../drivers/error";
import type { World } from "../../drivers/http";
import { buildPlan } from "./buildPlan";
import { look } from "./deploy/find";
import { Run } from "./deploy/run";
import type { RenderSettings } from "./settings";

/** Longer than this a preview doesn't wait for Render. */
const patienceMs = 30_000;

/**
 * Looks, without changing anything, whether what is there can become what is planned: fields that Render can't change, names
 * that are another's. So a preview tells it, and not an `up` in its middle.
 * @throws ProblemReport with what keeps the apps from being deployed
 */
export async function lookBefore(
  apps: readonly ResolvedApp[],
  settings: RenderSettings,
  stack: string,
  world?: World,
): Promise<void> {
  const problems = (await Promise.all(apps.map((app) => problemsOf(app, settings, world)))).flat();
  if (problems.length > 0) throw new ProblemReport(problems, stack);
}

async function problemsOf(app: ResolvedApp, settings: RenderSettings, world?: World): Promise<Problem[]> {
  const names = app.declaration.buckets.map(({ name }) => [name, { bucket: name, region: "" }] as const);
  const spec = buildPlan(app, settings, { buckets: Object.fromEntries(names) }, "");
  const signal = AbortSignal.timeout(patienceMs);
  try {
    await look(new Run(spec, { progress: () => undefined, signal }, world));
    return [];
  } catch (error) {
    if (signal.aborted)
      return [{ where: "render:apiUrl", what: "Render doesn't answer.", fix: "pulumi up again later" }];
    if (!(error instanceof DriverError)) throw error;
    const { what, where, why, fix } = error.parts;
    return [{ where: `${app.declaration.name} on Render (${where})`, what, why, fix }];
  }
}
