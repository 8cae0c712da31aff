import type { Driver, DriverIo } from "../../drivers/driver";
import type { World } from "../../drivers/http";
import { createsPerHour } from "./api/limits";
import type { Service } from "./api/types";
import { ensureData } from "./deploy/data";
import { dropDomains, ensureDomains } from "./deploy/domains";
import { look, type Found } from "./deploy/find";
import { cutOffRun } from "./deploy/marks";
import { ensurePlace } from "./deploy/place";
import type { Place } from "./deploy/requests";
import { removeApp, retire } from "./deploy/retire";
import { Run } from "./deploy/run";
import { applyService } from "./deploy/service";
import { undoAll, type Undo } from "./deploy/undo";
import type { RenderResult, RenderService, RenderServiceResult, RenderSpec } from "./plan";
import { fillTokens, token } from "./tokens";

/** Platform `render`: kind `app` is one app of one stack, `RenderSpec` in, `RenderResult` out. */
export const render: Readonly<Record<"app", Driver>> = {
  app: {
    apply: (spec, io) => deploy(spec as RenderSpec, io),
    delete: (spec, io) => remove(spec as RenderSpec, io),
  },
};

/**
 * Makes Render be as a spec says. It can be cut off at any point; the next run takes up what was begun.
 * @throws DriverError; ApiError, which is one; Interrupted
 */
export async function deploy(
  spec: RenderSpec,
  io: Pick<DriverIo, "progress" | "signal">,
  world?: World,
): Promise<RenderResult> {
  const run = new Run(spec, io, world);
  const found = await look(run);
  run.id = cutOffRun([...found.services.values(), ...found.retired].map(({ env }) => env)) ?? run.id;
  tellCreates(run, found);
  const place = await ensurePlace(run, found);
  const { values, ids } = await ensureData(run, found, place);
  for (const { part, name } of spec.services) {
    const there = found.services.get(name)?.service;
    if (there !== undefined) values.set(token("host", part), there.slug);
  }
  const services: Record<string, RenderServiceResult> = {};
  const undos: Undo[] = [];
  try {
    for (const stage of [...new Set(spec.services.map((service) => service.stage))]) {
      const together = spec.services.filter((service) => service.stage === stage);
      const applied = await settleAll(
        together.map((service) => deployOne(run, filled(service, values), place, found, undos)),
      );
      for (const { part, slug, result } of applied) {
        services[part] = result;
        values.set(token("host", part), slug);
      }
    }
  } catch (error) {
    if (!run.isEnding()) await undoAll(run, undos);
    throw error;
  }
  for (const service of spec.services) {
    const before = found.services.get(service.name);
    if (before !== undefined) await dropDomains(run, service, before);
  }
  await retire(run, found);
  return { services, data: ids, changes: run.changes, calls: run.render.client.calls };
}

/** A deploy that makes more services than Render lets it in an hour stops in its middle, and goes on with the next one. */
function tellCreates(run: Run, { services }: Found): void {
  const count = run.spec.services.filter(({ name }) => !services.has(name)).length;
  if (count > createsPerHour)
    run.tell(
      `${run.spec.id}: ${count} services and jobs are to be made, and Render makes ${createsPerHour} in an hour: what is made ` +
        "before it refuses stays, and another pulumi up an hour later goes on",
    );
}

async function deployOne(run: Run, service: RenderService, place: Place, found: Found, undos: Undo[]) {
  const made = await applyService(run, service, place, found.services.get(service.name), undos);
  const dns = await ensureDomains(run, service, made, found);
  return { part: service.part, slug: made.slug, result: resultOf(service, made, dns) };
}

function resultOf(
  service: RenderService,
  { id, slug, dashboardUrl }: Service,
  dns: RenderServiceResult["dns"],
): RenderServiceResult {
  const host = service.domains[0] ?? `${slug}.onrender.com`;
  return { id, dashboard: dashboardUrl, dns, ...(service.type === "web_service" ? { url: `https://${host}` } : {}) };
}

/** Waits for all, also where one fails: what the others do is to be undone afterwards, and not while they do it. */
async function settleAll<T>(all: readonly Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(all);
  const failed = settled.find((one) => one.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  return settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
}

/** A service with what the driver has come to know in its tokens' places. */
function filled(service: RenderService, values: ReadonlyMap<string, string>): RenderService {
  const fill = (all: Readonly<Record<string, string>>): Record<string, string> =>
    Object.fromEntries(Object.entries(all).map(([name, value]) => [name, fillTokens(value, values)]));
  return { ...service, env: fill(service.env), files: fill(service.files) };
}

/** Takes the app away, and its data only where the spec says so. */
export async function remove(
  spec: RenderSpec,
  io: Pick<DriverIo, "progress" | "signal">,
  world?: World,
): Promise<RenderResult> {
  const run = new Run(spec, io, world);
  await removeApp(run);
  return { services: {}, data: {}, changes: run.changes, calls: run.render.client.calls };
}
