import type { Named, Project } from "../api/types";
import type { Found } from "./find";
import type { Place } from "./requests";
import type { Run } from "./run";
import { makeSeconds, makeSingle } from "./single";

/** Makes the project and its environment where they lack, and brings in what was taken over. */
export async function ensurePlace(run: Run, found: Found): Promise<Place> {
  const { render, spec } = run;
  const { ownerId } = found;
  const settings = { name: spec.environment, protectedStatus: spec.isProtected ? "protected" : "unprotected" };
  const deadline = render.deadline(makeSeconds, `the project ${spec.project} to be made`);
  let { projectId, environmentId } = found;
  if (projectId === undefined) {
    const body = { name: spec.project, ownerId, environments: [settings] };
    const project = await makeSingle(run, `the project ${spec.project}`, {
      create: () => render.call<Project>("POST", "/projects", { body, deadline }),
      find: async () => (await render.projects(ownerId, spec.project))[0],
      deadline,
    });
    projectId = project.id;
    run.changed(`project ${spec.project}: made`);
    // It was made with this one.
    environmentId = project.environmentIds[0];
  }
  if (environmentId === undefined) {
    const parent = projectId;
    const environment = await makeSingle(run, `the environment ${spec.environment} of ${spec.project}`, {
      create: () => render.call<Named>("POST", "/environments", { body: { ...settings, projectId: parent }, deadline }),
      find: async () => (await render.environments(parent, spec.environment))[0],
      deadline,
    });
    environmentId = environment.id;
    run.changed(`environment ${spec.environment}: made`);
  }
  await bringIn(run, found, environmentId);
  return { ownerId, environmentId };
}

async function bringIn(run: Run, found: Found, environmentId: string): Promise<void> {
  const all = [
    ...[...found.services.values()].map(({ service }) => service),
    ...found.postgres.values(),
    ...found.keyValues.values(),
  ];
  const outside = all.filter((one) => one.environmentId !== environmentId);
  if (outside.length === 0) return;
  const resourceIds = outside.map(({ id }) => id);
  const body = { resourceIds };
  await run.render.call("POST", `/environments/${environmentId}/resources`, { body, idempotent: true });
  for (const { name } of outside) run.changed(`${name}: taken over`);
}
