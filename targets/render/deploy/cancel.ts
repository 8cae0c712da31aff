import { hasStatus } from "../../../drivers/http";
import { deployEnded, type Deploy } from "../api/types";
import type { RenderService } from "../plan";
import type { Run } from "./run";

/** Seconds within which canceled deploys end. */
const endSeconds = 300;
const shownDeploys = 20;

/** A service's deploys, newest first: those since a time, and those from before it. */
export interface Deploys {
  readonly own: readonly Deploy[];
  readonly older: readonly Deploy[];
}

/**
 * The deploys that a run began, and the older ones.
 * @param newest the newest deploy before the run's first one
 */
export async function deploysSince({ render }: Run, id: string, newest: Deploy | undefined): Promise<Deploys> {
  const all = await render.deploys(id, shownDeploys);
  const at = all.findIndex((deploy) => deploy.id === newest?.id);
  const since = at === -1 ? all : all.slice(0, at);
  // What somebody began by hand meanwhile is theirs.
  const own = since.filter(({ trigger }) => trigger === undefined || /^(api|rollback|service_resumed)$/.test(trigger));
  return { own, older: at === -1 ? [] : all.slice(at) };
}

/**
 * Ends the deploys that a run began and that aren't through: one that is late would get live behind everybody's back.
 * @returns whether all have ended; where not, it was told
 */
export async function endDeploys(
  run: Run,
  service: RenderService,
  id: string,
  newest: Deploy | undefined,
): Promise<boolean> {
  const { render } = run;
  const deadline = render.deadline(endSeconds, `the deploy of ${service.name} to be canceled`);
  const open = async (): Promise<Deploy[]> =>
    (await deploysSince(run, id, newest)).own.filter(({ status }) => !deployEnded(status));
  try {
    const found = await open();
    if (found.length === 0) return true;
    if (service.type === "cron_job") throw new Error("Render cancels no deploy of a cron job");
    for (const { id: deploy } of found) {
      const path = `/services/${id}/deploys/${deploy}/cancel`;
      const refused = await render.call("POST", path, { deadline, idempotent: true }).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (refused === undefined) continue;
      // It may have ended in between.
      const isOver = hasStatus(refused, 400, 404, 409) && !(await open()).some((one) => one.id === deploy);
      if (!isOver) throw refused as Error;
    }
    await run.poll(deadline, async () => ((await open()).length === 0 ? true : undefined));
    return true;
  } catch (error) {
    if (run.isEnding()) throw error;
    const why = error instanceof Error ? error.message : String(error);
    run.tell(`${service.name}: its deploy isn't ended, and may get live yet: ${why}`);
    return false;
  }
}
