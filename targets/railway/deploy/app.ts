import type { Problem } from "../../../components/problems";
import type { RailwayResult, RailwayServiceResult } from "../plan";
import { ensureBuckets, withBuckets } from "./buckets";
import { bucketName } from "./choose";
import { configure, ensureServices } from "./configure";
import { ensureDomains, type Addresses } from "./domains";
import { refuseNewByProjectToken, refuseStaged } from "./environment";
import { ensurePlace, type Place } from "./find";
import { Ledger } from "./ledger";
import { refuseHeld } from "./lease";
import { lookVariables, type Found } from "./look";
import { removeServices } from "./remove";
import { Rollout } from "./rollout";
import type { Run } from "./run";
import { lookSettled } from "./settle";
import { partOf, type RecordedService } from "./state";
import { doubts, planSteps, refusals, surplus, type Step } from "./steps";
import { ensureVolume } from "./volumes";

const holder = "pulumi up";
/** Seconds that a deploy may take between two of its notes: a build, and the time to start. */
const holdSeconds = 30 * 60;

/**
 * Makes Railway match an app's plan, with calls that change something only where something differs.
 * @throws DriverError; what ran before runs on
 */
export async function deployApp(run: Run): Promise<RailwayResult> {
  const place = await ensurePlace(run);
  const found = await lookSettled(run, place);
  refuseForeign(run, found);
  refuseProblems(run, doubts(run.spec, found), "it could be another app's, or without the data");
  // Pulumi lets one at a time run; one that was cut off left its lease.
  refuseHeld(run, found.state, holder);
  const ledger = new Ledger(run, place, found.state);
  ledger.release();
  const credentials = await prepare(run, place, found, ledger);
  const spec = { ...run.spec, services: run.spec.services.map((service) => withBuckets(service, credentials)) };
  const known = spec.services.flatMap(({ name }) => {
    const id = found.services.get(name);
    return id !== undefined && found.instances.has(id) ? [id] : [];
  });
  const steps = planSteps(spec, found, await lookVariables(run, place, known));
  const gone = surplus(spec, found);
  refuse(run, found, steps, gone.length > 0);
  const parts = partsToMake(steps);
  if (parts.length > 0 || steps.some(({ act }) => act.deploy !== "none")) ledger.hold(holder, holdSeconds);
  if (parts.length > 0) await ledger.intend(parts);

  const ids = await ensureServices(run, place, found, steps);
  const results: Record<string, RailwayServiceResult> = {};
  for (const step of steps) {
    const { name } = step.service;
    const id = ids.get(name);
    if (id === undefined) throw new Error(`${name} wasn't made.`);
    const { volume, addresses } = await setUp(run, place, step, id);
    ledger.services[name] = recordOf(step, id);
    if (volume !== undefined) ledger.volumes[name] = volume;
    results[name] = { id, deployment: "", ...addresses, ...(volume === undefined ? {} : { volume }) };
  }
  ledger.making = {};
  await new Rollout(run, place, ids, ledger).go(steps);
  await removeServices(run, place, gone);
  for (const [name] of gone) Reflect.deleteProperty(ledger.services, name);
  ledger.release();
  await ledger.write();
  const services = await withDeployments(run, place, steps, results, ledger.services);
  const buckets = Object.fromEntries(Object.entries(credentials).map(([name, made]) => [name, made.bucketName]));
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
async function prepare(run: Run, place: Place, found: Found, ledger: Ledger) {
  const { spec } = run;
  if (spec.buckets.length > 0) refuseStaged(run, found, [], false);
  const lacking = spec.buckets.filter((bucket) =>
    found.buckets.every(({ name }) => name !== bucketName(spec, bucket.name)),
  );
  if (lacking.length > 0) await ledger.intend(lacking.map(({ name }) => partOf("bucket", name)));
  return ensureBuckets(run, place, found);
}

/** What a second one could be made of, should this run be cut off. */
const partsToMake = (steps: readonly Step[]): string[] =>
  steps.flatMap(({ service: { name, volume: wanted }, id, volume, left }) => [
    ...(id === undefined ? [name] : []),
    ...(wanted !== undefined && volume === undefined && left.length === 0 ? [partOf("volume", name)] : []),
  ]);

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

function refuseProblems(run: Run, problems: readonly Pick<Problem, "what" | "fix">[], why: string): void {
  if (problems.length === 0) return;
  throw run.error(
    problems.map(({ what }) => what).join(" "),
    `${why}; nothing was changed`,
    problems.map(({ fix }) => fix).join("; "),
  );
}

function refuse(run: Run, found: Found, steps: readonly Step[], removes: boolean): void {
  refuseProblems(run, refusals(steps), "it would cost data");
  refuseNewByProjectToken(run, found, steps);
  refuseStaged(run, found, steps, removes);
}

/** All of a service but its deploy. */
async function setUp(
  run: Run,
  place: Place,
  step: Step,
  id: string,
): Promise<{ volume?: string; addresses: Addresses }> {
  const volume = await ensureVolume(run, place, step, id);
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
