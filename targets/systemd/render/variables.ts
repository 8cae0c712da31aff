import type { HostPlan, PlannedService } from "../plan";
import { rewrittenPath } from "./names";

/** A service's variables, with the paths of the secret files that lie on its volume. */
export function serviceVariables(plan: HostPlan, service: PlannedService): Record<string, string> {
  const rewritten = service.secretFiles
    .filter((file) => file.rewritten)
    .map(({ variable }) => [variable, rewrittenPath(plan, service, variable)] as const);
  return { ...service.env, ...Object.fromEntries(rewritten) };
}
