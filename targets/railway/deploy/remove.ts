import { nodes, type Connection, type Instance, type Named } from "../api/types";
import { commitPatch, refuseStaged } from "./environment";
import { findPlace, type Place } from "./find";
import { look } from "./look";
import type { Run } from "./run";
import { stateVariable, writeState } from "./state";
import { volumeName } from "./volumes";

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
  const own = new Set(entries.map(([name]) => volumeName(run, name)));
  const volumes = found.volumes.filter(({ volume }) => own.has(volume.name));
  for (const { volumeId, volume } of volumes) {
    if (spec.onDelete === "delete data") {
      await railway.ask("mutation DeleteVolume($id: String!) { volumeDelete(volumeId: $id) }", { id: volumeId });
      run.changed(`volume ${volume.name} is deleted; Railway keeps it for 48 hours`);
    } else run.tell(`volume ${volume.name} stays, with its data; it is attached again when the app comes back`);
  }
  if (volumes.length > 0 && spec.onDelete === "keep data") {
    await writeState(railway, place, { app: spec.id, services: {} });
    return;
  }
  await railway.ask("mutation ForgetState($input: VariableDeleteInput!) { variableDelete(input: $input) }", {
    input: { ...place, name: stateVariable },
  });
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
  interface Told {
    readonly environments: Connection<Named & { readonly serviceInstances: Connection<Pick<Instance, "serviceId">> }>;
  }
  const answer = await run.railway.ask<Told>(
    `query Homes($projectId: String!) {
      environments(projectId: $projectId) {
        edges { node { id name serviceInstances { edges { node { serviceId } } } } }
      }
    }`,
    { projectId: place.projectId },
  );
  const homes = new Set(
    nodes(answer.environments).flatMap(({ id, serviceInstances }) =>
      id === place.environmentId ? [] : nodes(serviceInstances).map(({ serviceId }) => serviceId),
    ),
  );
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
