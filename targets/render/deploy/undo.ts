import type { Deploy } from "../api/types";
import type { RenderService } from "../plan";
import type { FoundService } from "./find";
import { domainsMark, mark, ownDomains } from "./marks";
import { filesOf, listOf, patchBack } from "./requests";
import type { Run } from "./run";
import { awaitLive } from "./wait";

/** What a service was before a run changed it. */
export interface Undo {
  readonly service: RenderService;
  readonly before: FoundService;
  /** Whether any of its settings was touched. */
  isNeeded: boolean;
  /** Whether a deploy was begun, which may be live. */
  deploys: boolean;
}

/** Notes how a service is, before it is changed. */
export function undoLater(service: RenderService, before: FoundService, undos: Undo[]): Undo {
  const undo = { service, before, isNeeded: false, deploys: false };
  undos.push(undo);
  return undo;
}

/**
 * Puts the versions from before back. A deploy that fails leaves the old version running, but with the new settings for its
 * next start; one that got live, beside another that failed, is rolled back.
 */
export async function undoAll(run: Run, undos: readonly Undo[]): Promise<void> {
  for (const undo of [...undos].reverse()) {
    if (!undo.isNeeded && !undo.deploys) continue;
    try {
      await putBack(run, undo);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      run.tell(`${undo.service.name}: can't be put back: ${why}`);
    }
  }
}

async function putBack(run: Run, { service, before, deploys }: Undo): Promise<void> {
  const { render } = run;
  const { id, serviceDetails } = before.service;
  const path = `/services/${id}`;
  await render.call("PATCH", path, { body: patchBack(service, before.service), idempotent: true });
  // Its domains stay as they are by now, and so does what is known of them.
  const domains = domainsMark(ownDomains(await render.variables(id)));
  // What was suspended before has nothing live to go back to.
  const proven = before.service.suspended === "suspended" ? { [mark.proven]: "none" } : {};
  await render.call("PUT", `${path}/env-vars`, { body: listOf({ ...before.env, ...domains, ...proven }) });
  await render.call("PUT", `${path}/secret-files`, { body: filesOf(before.files) });
  const { numInstances, autoscaling } = serviceDetails;
  if (service.instances !== undefined && autoscaling?.enabled !== true && numInstances !== undefined) {
    const body = { numInstances };
    if (numInstances !== service.instances.min) await render.call("POST", `${path}/scale`, { body, idempotent: true });
  }
  const [live, previous] = await liveOnes(run, id, deploys);
  if (live === undefined || previous === undefined) {
    run.tell(`${service.name}: the version from before stays`);
    return;
  }
  const body = { deployId: previous.id };
  const back = await render.call<Deploy>("POST", `${path}/rollback`, { body, idempotent: true });
  await awaitLive(run, service, before.service, back.id);
  run.tell(`${service.name}: the version from before is back`);
}

/** The live deploy and the one before it, where this run's got live. */
async function liveOnes({ render }: Run, id: string, deploys: boolean): Promise<Deploy[]> {
  if (!deploys) return [];
  const [newest, ...older] = await render.deploys(id, 20);
  if (newest?.status !== "live") return [];
  const previous = older.find(({ status }) => status === "deactivated");
  return previous === undefined ? [] : [newest, previous];
}
