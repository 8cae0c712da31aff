import { createOnce } from "../../../drivers/http";
import type { Named } from "../api/types";
import type { RailwayService } from "../plan";
import { bringIn, commitPatch, keepApart } from "./environment";
import type { Place } from "./find";
import { servicesOf, type Found } from "./look";
import { lookSeconds } from "./lost";
import type { Run } from "./run";
import { setVariables } from "./state";
import type { Step } from "./steps";

/** Makes the services that lack, without a source, so that nothing is deployed yet. @returns all services' ids by name */
export async function ensureServices(
  run: Run,
  place: Place,
  found: Found,
  steps: readonly Step[],
): Promise<Map<string, string>> {
  const ids = new Map<string, string>();
  const fresh: string[] = [];
  const made: string[] = [];
  for (const { service, id, recorded } of steps) {
    const known = id ?? (await createService(run, place, service.name));
    ids.set(service.name, known);
    if (id === undefined) made.push(known);
    // A run that was cut off may have made it, and not kept it apart.
    if (recorded === undefined) fresh.push(known);
  }
  await keepApart(run, found, fresh, made);
  const elsewhere = steps.filter(({ id, instance }) => id !== undefined && instance === undefined);
  await bringIn(
    run,
    place,
    elsewhere.flatMap(({ id }) => (id === undefined ? [] : [id])),
  );
  return ids;
}

async function createService(run: Run, place: Place, name: string): Promise<string> {
  const { railway } = run;
  const deadline = railway.deadline(240, `service ${name} to be created`);
  const made = await createOnce<Named>(railway.client, {
    deadline,
    create: async () => {
      const answer = await railway.make<{ serviceCreate: Named }>(
        "mutation CreateService($input: ServiceCreateInput!) { serviceCreate(input: $input) { id name } }",
        { input: { ...place, name } },
        { deadline },
      );
      return answer.serviceCreate;
    },
    find: async () => (await servicesOf(run, place.projectId)).find((service) => service.name === name),
    lookSeconds,
  });
  run.changed(`service ${name} is created`);
  return made.id;
}

/** Gives a service its variables, settings, limits and TCP proxy, with calls where something differs. Nothing is deployed. */
export async function configure(run: Run, place: Place, step: Step, serviceId: string): Promise<void> {
  const { railway } = run;
  const { service, act } = step;
  const { environmentId } = place;
  if (act.variables) {
    await setVariables(railway, place, serviceId, service.variables);
    run.changed(`${service.name}: ${Object.keys(service.variables).length} variables are set`);
  }
  if (act.settings || act.unread) {
    await railway.ask(
      `mutation SetUp($serviceId: String!, $environmentId: String!, $input: ServiceInstanceUpdateInput!) {
        serviceInstanceUpdate(serviceId: $serviceId, environmentId: $environmentId, input: $input)
      }`,
      { serviceId, environmentId, input: inputOf(service) },
    );
    run.changed(`${service.name}: settings are set`);
    if ("repo" in service.source) await stopAutoDeploys(run, place, serviceId);
  }
  if (!act.unread) return;
  await railway.ask(
    "mutation SetLimits($input: ServiceInstanceLimitsUpdateInput!) { serviceInstanceLimitsUpdate(input: $input) }",
    { input: { serviceId, environmentId, ...service.limits } },
  );
  const [was, wanted] = [step.recorded?.tcpPort, service.tcpPort];
  if (was === wanted) return;
  const tcpProxies = {
    ...(was === undefined ? {} : { [String(was)]: null }),
    ...(wanted === undefined ? {} : { [String(wanted)]: {} }),
  };
  await commitPatch(run, environmentId, { services: { [serviceId]: { networking: { tcpProxies } } } }, "TCP proxy");
  run.changed(
    `${service.name}: ${wanted === undefined ? `port ${was ?? ""} is closed` : `port ${wanted} is opened`} to the world`,
  );
}

/** Railway deploys what is pushed to a repository by itself; a stack's services have the commit that it says. */
async function stopAutoDeploys(run: Run, place: Place, serviceId: string): Promise<void> {
  await run.railway.ask(
    `mutation StopAutoDeploys($input: ServiceInstanceAutoDeployUpdateInput!) {
      serviceInstanceAutoDeployUpdate(input: $input) { enabled }
    }`,
    { input: { ...place, serviceId, enabled: false } },
  );
}

function inputOf({ source, settings }: RailwayService): Record<string, unknown> {
  return { ...settings, source: "image" in source ? { image: source.image } : { repo: source.repo } };
}
