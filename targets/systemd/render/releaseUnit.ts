import type { HostPlan, PlannedService } from "../plan";
import { oneShotSettings } from "./oneshot";
import type { Slot } from "./names";
import { slotPlace } from "./place";
import { shellWord } from "./quote";
import { wants } from "./serviceUnit";
import { description, unitText } from "./unitText";
import { serviceVariables } from "./variables";

/** Seconds that a release step may take: a migration of a large table is slow, one that waits for a lock for ever is stuck. */
const timeoutSeconds = 1800;

/** `<id>-release-<service>-<slot>.service`: the release step with the version that is about to start in the slot. */
export function releaseUnitText(plan: HostPlan, service: PlannedService, slot: Slot, step: string): string {
  const shot = {
    shell: `exec /bin/bash -c ${shellWord(step)}`,
    name: `${plan.id}-release-${service.name}-${slot}`,
    variables: Object.keys(serviceVariables(plan, service)).sort(),
    timeoutSeconds,
  };
  // A deploy waits for it and reports its failure, so that no alert is sent.
  return unitText(`Release step of ${service.name} of ${plan.id}.`, [
    ["Unit", [description(`${plan.id} release step of ${service.name}`), ...wants(plan)]],
    ["Service", oneShotSettings(plan, slotPlace(plan, service, slot), shot)],
  ]);
}
