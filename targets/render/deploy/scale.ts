import type { Service } from "../api/types";
import type { RenderService } from "../plan";
import { autoscaling } from "./requests";
import type { Run } from "./run";

/** Brings the number of instances to the plan. It takes no deploy. */
export async function applyScale(
  run: Run,
  service: RenderService,
  found: Service,
  undo: { isNeeded: boolean },
): Promise<void> {
  const { render } = run;
  const { instances, name } = service;
  if (instances === undefined) return;
  const { autoscaling: has, numInstances } = found.serviceDetails;
  const wanted = autoscaling(service);
  const path = `/services/${found.id}`;
  const isAuto = has?.enabled === true;
  if (wanted !== undefined) {
    if (isAuto && has.min === wanted.min && has.max === wanted.max) return;
    undo.isNeeded = true;
    await render.call("PUT", `${path}/autoscaling`, { body: wanted });
    run.changed(`${name}: ${wanted.min} to ${wanted.max} instances`);
    return;
  }
  // Under autoscaling the number that is told isn't the one that was set.
  if (!isAuto && numInstances === instances.min) return;
  undo.isNeeded = true;
  if (isAuto) await render.remove(`${path}/autoscaling`);
  const body = { numInstances: instances.min };
  await render.call("POST", `${path}/scale`, { body, idempotent: true });
  run.changed(`${name}: ${instances.min} instances`);
}

/** Brings the number of instances back to what it was before the plan was applied. */
export async function restoreScale({ render }: Run, service: RenderService, before: Service): Promise<void> {
  const { instances } = service;
  if (instances === undefined) return;
  const { autoscaling: had, numInstances } = before.serviceDetails;
  const wanted = autoscaling(service);
  const path = `/services/${before.id}`;
  if (had?.enabled === true) {
    const isSame = wanted !== undefined && wanted.min === had.min && wanted.max === had.max;
    if (!isSame) await render.call("PUT", `${path}/autoscaling`, { body: had });
    return;
  }
  if (wanted !== undefined) await render.remove(`${path}/autoscaling`);
  if (numInstances === undefined || (wanted === undefined && numInstances === instances.min)) return;
  await render.call("POST", `${path}/scale`, { body: { numInstances }, idempotent: true });
}
