import type { Deploy } from "../api/types";
import type { RenderService } from "../plan";
import { deploysSince, endDeploys } from "./cancel";
import { restoreDisk } from "./disk";
import type { FoundService } from "./find";
import { domainsMark, mark, ownDomains, unproven } from "./marks";
import { filesOf, listOf, patchBack } from "./requests";
import type { Run } from "./run";
import { restoreScale } from "./scale";
import { awaitLive } from "./wait";

/** What a service was before a run changed it. */
export interface Undo {
  readonly service: RenderService;
  readonly before: FoundService;
  /** Whether any of its settings was touched. */
  isNeeded: boolean;
  /** Once a deploy was begun, which may be live or get so: the newest one of before. */
  began: { readonly after: Deploy | undefined } | undefined;
}

/** Notes how a service is, before it is changed. */
export function undoLater(service: RenderService, before: FoundService, undos: Undo[]): Undo {
  const undo: Undo = { service, before, isNeeded: false, began: undefined };
  undos.push(undo);
  return undo;
}

/**
 * Puts the versions from before back. A deploy that fails leaves the old version running, but with the new settings for its
 * next start; one that is under way yet is canceled; one that got live, beside another that failed, is rolled back.
 */
export async function undoAll(run: Run, undos: readonly Undo[]): Promise<void> {
  for (const undo of [...undos].reverse()) {
    if (!undo.isNeeded && undo.began === undefined) continue;
    try {
      await putBack(run, undo);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      run.tell(`${undo.service.name}: can't be put back: ${why}`);
    }
  }
}

async function putBack(run: Run, { service, before, began }: Undo): Promise<void> {
  const { render } = run;
  const { id } = before.service;
  const path = `/services/${id}`;
  const hasEnded = began === undefined || (await endDeploys(run, service, id, began.after));
  // What was suspended before has nothing live to go back to.
  const wasSuspended = before.service.suspended === "suspended";
  const { isNew, previous } = began === undefined ? { isNew: false } : await liveOne(run, id, began.after);
  await render.call("PATCH", path, { body: patchBack(service, before.service), idempotent: true });
  // Its domains stay as they are by now, and so does what is known of them.
  const domains = domainsMark(ownDomains(await render.variables(id)));
  // Of what isn't sure to be live nothing is said to be: the next run deploys it.
  const proven = wasSuspended || isNew || !hasEnded ? { [mark.proven]: unproven(before.env) } : {};
  await render.call("PUT", `${path}/env-vars`, { body: listOf({ ...before.env, ...domains, ...proven }) });
  await render.call("PUT", `${path}/secret-files`, { body: filesOf(before.files) });
  await restoreDisk(run, service, before.service);
  await restoreScale(run, service, before.service);
  if (!hasEnded) {
    run.tell(`${service.name}: its settings from before are back; the next up deploys it, whatever is live by then`);
    return;
  }
  if (!isNew || wasSuspended || previous === undefined) {
    run.tell(`${service.name}: the version ${isNew ? "of now" : "from before"} stays`);
    return;
  }
  const body = { deployId: previous.id };
  const back = await render.call<Deploy>("POST", `${path}/rollback`, { body, idempotent: true });
  await awaitLive(run, service, before.service, back.id);
  const value = before.env[mark.proven];
  if (value !== undefined) await render.call("PUT", `${path}/env-vars/${mark.proven}`, { body: { value } });
  run.tell(`${service.name}: the version from before is back`);
}

/** Whether a deploy of the run's is live, and the one that was so before. */
async function liveOne(
  run: Run,
  id: string,
  after: Deploy | undefined,
): Promise<{ readonly isNew: boolean; readonly previous?: Deploy | undefined }> {
  const { own, older } = await deploysSince(run, id, after);
  const isNew = own.some(({ status }) => status === "live");
  return { isNew, previous: older.find(({ status }) => status === "deactivated") };
}
