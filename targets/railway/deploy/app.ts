import { canonical } from "../../hashes";
import type { RailwayResult, RailwayServiceResult } from "../plan";
import { ensureBuckets, withBuckets } from "./buckets";
import { configure, ensureServices } from "./configure";
import { ensureDomains, type Addresses } from "./domains";
import { refuseNewByProjectToken, refuseStaged } from "./environment";
import { ensurePlace, type Place } from "./find";
import { look, lookVariables, type Found } from "./look";
import { removeServices } from "./remove";
import { Rollout } from "./rollout";
import type { Run } from "./run";
import { writeState, type RecordedService, type State } from "./state";
import { planSteps, refusals, surplus, type Step } from "./steps";
import { ensureVolume } from "./volumes";

/**
 * Makes Railway match an app's plan, with calls that change something only where something differs.
 * @throws DriverError; what ran before runs on
 */
export async function deployApp(run: Run): Promise<RailwayResult> {
  const place = await ensurePlace(run);
  const found = await look(run, place);
  refuseForeign(run, found);
  const credentials = await prepare(run, place, found);
  const spec = { ...run.spec, services: run.spec.services.map((service) => withBuckets(service, credentials)) };
  const known = spec.services.flatMap(({ name }) => {
    const id = found.services.get(name);
    return id !== undefined && found.instances.has(id) ? [id] : [];
  });
  const steps = planSteps(spec, found, await lookVariables(run, place, known));
  const gone = surplus(spec, found);
  refuse(run, found, steps, gone.length > 0);
  if (found.state === undefined) await writeState(run.railway, place, { app: spec.id, services: {} });

  const ids = await ensureServices(run, place, found, steps);
  const book: Record<string, RecordedService> = {};
  const results: Record<string, RailwayServiceResult> = {};
  for (const step of steps) {
    const id = ids.get(step.service.name);
    if (id === undefined) throw new Error(`${step.service.name} wasn't made.`);
    const { volume, addresses } = await setUp(run, place, found, step, id);
    book[step.service.name] = recordOf(step, id);
    results[step.service.name] = { id, deployment: "", ...addresses, ...(volume === undefined ? {} : { volume }) };
  }
  await new Rollout(run, place, ids, book).go(steps);
  await removeServices(run, place, gone);
  const state: State = { app: spec.id, services: book };
  const isDeployed = steps.some(({ act }) => act.deploy !== "none");
  if (gone.length > 0 || (!isDeployed && changesRecord(found, book))) await writeState(run.railway, place, state);
  const services = await withDeployments(run, place, steps, results, book);
  const buckets = Object.fromEntries(Object.entries(credentials).map(([name, { bucketName }]) => [name, bucketName]));
  return {
    project: place.projectId,
    environment: place.environmentId,
    services,
    buckets,
    changes: run.changes,
    calls: run.railway.client.calls,
  };
}

/** Buckets come first, as services' variables hold their keys; nothing of it is made before what may be refused is. */
async function prepare(run: Run, place: Place, found: Found) {
  if (run.spec.buckets.length > 0) refuseStaged(run, found, [], false);
  return ensureBuckets(run, place, found);
}

/** Services that somebody else made aren't touched. */
function refuseForeign(run: Run, { state, instances }: Found): void {
  const { spec } = run;
  if (state?.app === spec.id || (state === undefined && (instances.size === 0 || spec.adopt))) return;
  const [app] = spec.id.split("-");
  throw run.error(
    state === undefined
      ? `The environment has ${instances.size} services that Homeport didn't make.`
      : `The environment belongs to ${state.app}.`,
    "nothing was changed, so that nothing of theirs is replaced",
    state === undefined
      ? `pulumi config set railway:environment ANOTHER-NAME, or pulumi config set --path 'railway:adopt[0]' ${app ?? ""} to take them over`
      : "pulumi config set railway:environment ANOTHER-NAME",
  );
}

function refuse(run: Run, found: Found, steps: readonly Step[], removes: boolean): void {
  const problems = refusals(steps);
  if (problems.length > 0) {
    throw run.error(
      problems.map(({ what }) => what).join(" "),
      "it would cost data; nothing was changed",
      problems.map(({ fix }) => fix).join("; "),
    );
  }
  refuseNewByProjectToken(run, found, steps);
  refuseStaged(run, found, steps, removes);
}

/** All of a service but its deploy. */
async function setUp(
  run: Run,
  place: Place,
  found: Found,
  step: Step,
  id: string,
): Promise<{ volume?: string; addresses: Addresses }> {
  const volume = await ensureVolume(run, place, step, id, found.volumes);
  await configure(run, place, step, id);
  const addresses = await ensureDomains(run, place, step, id);
  return volume === undefined ? { addresses } : { volume: volume.volumeId, addresses };
}

function recordOf({ service, recorded, settings }: Step, id: string): RecordedService {
  const { volume, domain, tcpPort } = service;
  const { spec, deployment, pending, previous } = recorded ?? {};
  return {
    id,
    ...(spec === undefined ? {} : { spec }),
    ...(deployment === undefined ? {} : { deployment }),
    ...(pending === undefined ? {} : { pending }),
    ...(previous === undefined ? {} : { previous }),
    settings,
    ...(volume === undefined ? {} : { volumeMb: volume.sizeMb }),
    ...(domain === undefined ? {} : { domain }),
    ...(tcpPort === undefined ? {} : { tcpPort }),
  };
}

const changesRecord = (found: Found, book: Readonly<Record<string, RecordedService>>): boolean =>
  canonical(found.state?.services ?? {}) !== canonical(book);

/** The result's deployments, and the addresses of TCP proxies where there are any. */
async function withDeployments(
  run: Run,
  { environmentId }: Place,
  steps: readonly Step[],
  results: Readonly<Record<string, RailwayServiceResult>>,
  book: Readonly<Record<string, RecordedService>>,
): Promise<Record<string, RailwayServiceResult>> {
  const services: Record<string, RailwayServiceResult> = {};
  for (const { service } of steps) {
    const result = results[service.name];
    if (result === undefined) continue;
    const tcp = service.tcpPort === undefined ? undefined : await tcpAddress(run, environmentId, result.id);
    const deployment = book[service.name]?.deployment ?? "";
    services[service.name] = { ...result, deployment, ...(tcp === undefined ? {} : { tcp }) };
  }
  return services;
}

async function tcpAddress(run: Run, environmentId: string, serviceId: string): Promise<string | undefined> {
  interface Told {
    readonly tcpProxies: readonly { readonly domain: string; readonly proxyPort: number }[];
  }
  const query =
    "query TcpProxies($environmentId: String!, $serviceId: String!) { tcpProxies(environmentId: $environmentId, serviceId: $serviceId) { domain proxyPort } }";
  const [proxy] = (await run.railway.ask<Told>(query, { environmentId, serviceId })).tcpProxies;
  return proxy === undefined ? undefined : `${proxy.domain}:${proxy.proxyPort}`;
}
