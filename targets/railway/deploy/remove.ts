import type { Connection, Instance, Named, VolumeInstance } from "../api/types";
import type { RailwaySpec } from "../plan";
import { leftBehind } from "./choose";
import { commitPatch, refuseStaged } from "./environment";
import { findPlace, type Place } from "./find";
import { look, type Found } from "./look";
import { allOf, pageInfo } from "./pages";
import type { Run } from "./run";
import { stateVariable, writeState } from "./state";

/** Takes the app away from its environment; its data only where the spec says so. What is gone already is left alone. */
export async function removeApp(run: Run): Promise<void> {
  const { spec, railway } = run;
  const place = await findPlace(run);
  if (place === undefined) return;
  const found = await look(run, place);
  if (found.state?.app !== spec.id) {
    run.tell(`environment ${spec.environment} of project ${spec.project} isn't ${spec.id}'s: it is left alone`);
    return;
  }
  const entries = Object.entries(found.state.services).map(([name, { id }]): [string, string] => [name, id]);
  const there = entries.filter(([, id]) => found.instances.has(id));
  refuseStaged(run, found, [], there.length > 0);
  await removeServices(run, place, there);
  const volumes = ownVolumes(spec, found);
  for (const { volumeId, volume } of [...volumes.values()].flat()) {
    if (spec.onDelete === "delete data") {
      await railway.ask("mutation DeleteVolume($id: String!) { volumeDelete(volumeId: $id) }", { id: volumeId });
      run.changed(`volume ${volume.name} is deleted; Railway keeps it for 48 hours`);
    } else run.tell(`volume ${volume.name} stays, with its data; it is attached again when the app comes back`);
  }
  if (volumes.size > 0 && spec.onDelete === "keep data") {
    const left = Object.fromEntries([...volumes].map(([name, [own]]) => [name, own?.volumeId ?? ""]));
    await writeState(railway, place, { app: spec.id, services: {}, volumes: left });
    return;
  }
  await railway.ask("mutation ForgetState($input: VariableDeleteInput!) { variableDelete(input: $input) }", {
    input: { ...place, name: stateVariable },
  });
}

/**
 * The volumes of each service, by its name, the one with its data first: what is mounted, as a copy that was put back is in a
 * volume of another name, then what is written down, or called after it.
 */
function ownVolumes(spec: RailwaySpec, found: Found): Map<string, readonly VolumeInstance[]> {
  const { services = {}, volumes = {} } = found.state ?? {};
  const names = new Set([...Object.keys(services), ...Object.keys(volumes)]);
  return new Map(
    [...names].flatMap((name) => {
      const mounted = found.volumes.filter(({ serviceId }) => (serviceId ?? "") === services[name]?.id);
      const own = [...mounted, ...leftBehind(spec, found, name)];
      return own.length === 0 ? [] : [[name, own] as const];
    }),
  );
}

/** Takes services out of the environment, and out of the project where no environment has them any more. */
export async function removeServices(
  run: Run,
  place: Place,
  services: readonly (readonly [string, string])[],
): Promise<void> {
  if (services.length === 0) return;
  const patch = { services: Object.fromEntries(services.map(([, id]) => [id, { isDeleted: true }])) };
  await commitPatch(run, place.environmentId, patch, "Take services away");
  for (const [name] of services) run.changed(`service ${name} is taken out of environment ${run.spec.environment}`);
  if (run.railway.connection.kind === "project") return;
  const homes = await idsElsewhere(run, place);
  for (const [name, id] of services.filter(([, one]) => !homes.has(one))) {
    await run.railway
      .ask("mutation DeleteService($id: String!) { serviceDelete(id: $id) }", { id })
      .catch((error: unknown) => {
        // Railway has taken it away itself with its last environment.
        if (!(error instanceof Error) || !/not (found|authorized)/i.test(error.message)) throw error;
      });
    run.changed(`service ${name} is deleted`);
  }
}

interface Home extends Named {
  readonly serviceInstances: Connection<Pick<Instance, "serviceId">>;
}

/**
 * Ids of the services that are in other environments of the project, every page of them: one that were left out would be
 * deleted there, too.
 */
async function idsElsewhere(run: Run, { projectId, environmentId }: Place): Promise<Set<string>> {
  const instances = `edges { node { serviceId } } ${pageInfo}`;
  const homes = `query Homes($projectId: String!, $after: String) {
    environments(projectId: $projectId, after: $after) {
      edges { node { id name serviceInstances { ${instances} } } } ${pageInfo}
    }
  }`;
  const more = `query MoreHomes($id: String!, $after: String) {
    environment(id: $id) { serviceInstances(after: $after) { ${instances} } }
  }`;
  const ask = async (page: Readonly<Record<string, string>>) =>
    (await run.railway.ask<{ environments: Connection<Home> }>(homes, { projectId, ...page })).environments;
  const all = await allOf(await ask({}), (after) => ask({ after }));
  const ids = new Set<string>();
  for (const { id, serviceInstances } of all.filter((home) => home.id !== environmentId)) {
    const there = await allOf(serviceInstances, async (after) => {
      return (await run.railway.ask<{ environment: Home }>(more, { id, after })).environment.serviceInstances;
    });
    for (const { serviceId } of there) ids.add(serviceId);
  }
  return ids;
}
