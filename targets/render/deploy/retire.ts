import { dropAllDomains } from "./domains";
import { look, type Found, type FoundService } from "./find";
import { mark } from "./marks";
import type { Run } from "./run";

/** Ends services that the app doesn't have any more. One with a disk is suspended: its data would go with it. */
export async function retire(run: Run, { retired }: Found): Promise<void> {
  for (const one of retired) await end(run, one, "keep data");
}

type Ended = Pick<FoundService, "service" | "env">;

async function end(run: Run, ended: Ended, data: "keep data" | "delete data"): Promise<void> {
  const { render } = run;
  const { service } = ended;
  const { id, name, serviceDetails } = service;
  if (serviceDetails.disk === undefined || data === "delete data") {
    await render.remove(`/services/${id}`);
    run.changed(`${name}: deleted`);
  } else {
    // What isn't served keeps no domain from whoever has it next.
    await dropAllDomains(run, ended);
    if (service.suspended === "suspended") return;
    await render.call("POST", `/services/${id}/suspend`, { idempotent: true });
    run.changed(`${name}: suspended; its disk stays. Delete it at dashboard.render.com with its data`);
  }
}

/** Takes the app away, and its data only where the spec says so. */
export async function removeApp(run: Run): Promise<void> {
  const { render, spec } = run;
  const found = await look(run);
  const own = [...found.services.values()].filter(({ env }) => env[mark.owner] === spec.id);
  for (const one of [...own, ...found.retired]) await end(run, one, spec.onDelete);
  for (const [path, all] of [
    ["/postgres", found.postgres],
    ["/key-value", found.keyValues],
  ] as const) {
    for (const { id, name } of all.values()) {
      if (spec.onDelete === "keep data") run.tell(`${name}: stays, with its data`);
      else {
        await render.remove(`${path}/${id}`);
        run.changed(`${name}: deleted`);
      }
    }
  }
  if (spec.onDelete === "delete data") await removePlace(run, found);
}

/** An environment and a project that hold nothing any more go, too. */
async function removePlace(run: Run, { projectId, environmentId }: Found): Promise<void> {
  const { render, spec } = run;
  if (environmentId === undefined || projectId === undefined) return;
  interface Holding {
    readonly serviceIds: unknown;
    readonly databasesIds: unknown;
    readonly redisIds: unknown;
  }
  const held = await render.find<Holding>(`/environments/${environmentId}`);
  const isEmpty = (ids: unknown): boolean => ids === null || (Array.isArray(ids) && ids.length === 0);
  if (held === undefined || ![held.serviceIds, held.databasesIds, held.redisIds].every(isEmpty)) return;
  const project = await render.find<{ environmentIds: readonly string[] }>(`/projects/${projectId}`);
  const isOnly = project?.environmentIds.length === 1;
  await render.remove(isOnly ? `/projects/${projectId}` : `/environments/${environmentId}`);
  run.changed(isOnly ? `project ${spec.project}: deleted` : `environment ${spec.environment}: deleted`);
}
