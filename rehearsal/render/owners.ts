import { without } from "../platform/without";
import { asked, found, page, requireOwner, type Handler, type Request } from "./operation";
import type { Environment, Project } from "./state";
import type { World } from "./world";
import { isListed, isoTime, newId, present, refuse } from "./world";

interface EnvironmentInput {
  readonly name: string;
  readonly protectedStatus?: string;
  readonly networkIsolationEnabled?: boolean;
}

/** A workspace as other things show it. */
export const ownerView = (world: World, id: string): unknown => world.state.owners.find((owner) => owner.id === id);

export const listOwners: Handler = ({ world, ownerIds, query }) =>
  page(
    query,
    "owner",
    world.state.owners.filter(
      ({ id, name, email }) => ownerIds.includes(id) && asked(query, "name", name) && asked(query, "email", email),
    ),
  );

export const retrieveOwner: Handler = (request) => {
  const id = request.values["ownerId"]!;
  requireOwner(request, id);
  return { status: 200, body: ownerView(request.world, id) };
};

export const getUser: Handler = ({ world }) => ({
  status: 200,
  body: { email: world.state.owners[0]!.email, name: world.state.owners[0]!.name },
});

const environmentsOf = (world: World, projectId: string): Environment[] =>
  Object.values(world.state.environments).filter((environment) => environment.projectId === projectId);

const projectView = (world: World, project: Project): { id: string } & Record<string, unknown> => ({
  id: project.id,
  name: project.name,
  createdAt: isoTime(project.createdAt),
  updatedAt: isoTime(project.createdAt),
  owner: ownerView(world, project.ownerId),
  environmentIds: environmentsOf(world, project.id).map(({ id }) => id),
});

/** Empty lists are null, as Render's are. */
const orNull = (ids: string[]): string[] | null => (ids.length === 0 ? null : ids);

function environmentView(world: World, environment: Environment): { id: string } & Record<string, unknown> {
  const { services, postgres, keyValues } = world.state;
  const inside = (things: Readonly<Record<string, { id: string; environmentId?: string | undefined }>>): string[] =>
    Object.values(things)
      .filter((thing) => thing.environmentId === environment.id)
      .map(({ id }) => id);
  return {
    ...environment,
    serviceIds: orNull(inside(services)),
    databasesIds: orNull(inside(postgres)),
    redisIds: orNull(inside(keyValues)),
    envGroupIds: null,
    ipAllowList: [{ cidrBlock: "0.0.0.0/0", description: "everywhere" }],
  };
}

function makeEnvironment(world: World, projectId: string, input: EnvironmentInput): Environment {
  const { name, protectedStatus = "unprotected", networkIsolationEnabled = false } = input;
  const createdAt = world.clock.now();
  const made = { id: newId("evm"), name, projectId, protectedStatus, networkIsolationEnabled, createdAt };
  world.state.environments[made.id] = made;
  return made;
}

export const createProject: Handler = (request) => {
  const { world } = request;
  const body = request.body as { name: string; ownerId: string; environments: readonly EnvironmentInput[] };
  requireOwner(request, body.ownerId);
  if (body.environments.length === 0) throw refuse(400, "a project needs at least one environment");
  // Nothing keeps a workspace from having two projects of one name.
  const project = { id: newId("prj"), name: body.name, ownerId: body.ownerId, createdAt: world.clock.now() };
  world.state.projects[project.id] = project;
  for (const input of body.environments) makeEnvironment(world, project.id, input);
  world.store.save();
  return { status: 201, body: projectView(world, project) };
};

export const listProjects: Handler = ({ world, ownerIds, query }) =>
  page(
    query,
    "project",
    Object.values(world.state.projects)
      .filter(
        ({ ownerId, name, createdAt }) =>
          isListed(world, createdAt) &&
          ownerIds.includes(ownerId) &&
          asked(query, "ownerId", ownerId) &&
          asked(query, "name", name),
      )
      .map((project) => projectView(world, project)),
  );

const projectOf = (request: Request): Project =>
  found(request, request.world.state.projects, request.values["projectId"]!);

export const retrieveProject: Handler = (request) => ({
  status: 200,
  body: projectView(request.world, projectOf(request)),
});

export const updateProject: Handler = (request) => {
  const project = projectOf(request);
  project.name = (request.body as { name: string }).name;
  request.world.store.save();
  return { status: 200, body: projectView(request.world, project) };
};

/** Refused while anything is in it. */
function requireEmpty(world: World, environment: Environment): void {
  const { serviceIds, databasesIds, redisIds } = environmentView(world, environment);
  if ([serviceIds, databasesIds, redisIds].some((ids) => ids !== null))
    throw refuse(400, `environment ${environment.name} is not empty`);
}

export const deleteProject: Handler = (request) => {
  const { world } = request;
  const project = projectOf(request);
  const inside = environmentsOf(world, project.id);
  for (const environment of inside) requireEmpty(world, environment);
  world.state.environments = without(world.state.environments, ...inside.map(({ id }) => id));
  world.state.projects = without(world.state.projects, project.id);
  world.store.save();
  return { status: 204 };
};

/** The environment of an id, if the key sees its project. */
export function environmentOf(request: Request, id: string): Environment {
  const environment = request.world.state.environments[id];
  const project = environment === undefined ? undefined : request.world.state.projects[environment.projectId];
  if (environment === undefined || project === undefined || !request.ownerIds.includes(project.ownerId))
    throw refuse(404, `not found: ${id}`);
  return environment;
}

export const createEnvironment: Handler = (request) => {
  const body = request.body as EnvironmentInput & { projectId: string };
  found(request, request.world.state.projects, body.projectId);
  const made = makeEnvironment(request.world, body.projectId, body);
  request.world.store.save();
  return { status: 201, body: environmentView(request.world, made) };
};

export const listEnvironments: Handler = ({ world, ownerIds, query }) =>
  page(
    query,
    "environment",
    Object.values(world.state.environments)
      .filter(({ id, name, projectId, createdAt }) => {
        if (!isListed(world, createdAt)) return false;
        const ownerId = world.state.projects[projectId]?.ownerId ?? "";
        const isMeant = asked(query, "name", name) && asked(query, "environmentId", id);
        return ownerIds.includes(ownerId) && asked(query, "projectId", projectId) && isMeant;
      })
      .map((environment) => environmentView(world, environment)),
  );

export const retrieveEnvironment: Handler = (request) => ({
  status: 200,
  body: environmentView(request.world, environmentOf(request, request.values["environmentId"]!)),
});

export const updateEnvironment: Handler = (request) => {
  const environment = environmentOf(request, request.values["environmentId"]!);
  const { name, protectedStatus, networkIsolationEnabled } = request.body as Partial<EnvironmentInput>;
  Object.assign(environment, present({ name, protectedStatus, networkIsolationEnabled }));
  request.world.store.save();
  return { status: 200, body: environmentView(request.world, environment) };
};

export const deleteEnvironment: Handler = (request) => {
  const { world } = request;
  const environment = environmentOf(request, request.values["environmentId"]!);
  requireEmpty(world, environment);
  world.state.environments = without(world.state.environments, environment.id);
  world.store.save();
  return { status: 204 };
};

function place(request: Request, ids: readonly string[], environmentId: string | undefined): void {
  const { services, postgres, keyValues } = request.world.state;
  for (const id of ids) {
    found<{ ownerId: string; environmentId?: string | undefined }>(
      request,
      { ...services, ...postgres, ...keyValues },
      id,
    ).environmentId = environmentId;
  }
  request.world.store.save();
}

export const addResourcesToEnvironment: Handler = (request) => {
  const environment = environmentOf(request, request.values["environmentId"]!);
  place(request, (request.body as { resourceIds: string[] }).resourceIds, environment.id);
  return { status: 200, body: environmentView(request.world, environment) };
};

export const removeResourcesFromEnvironment: Handler = (request) => {
  environmentOf(request, request.values["environmentId"]!);
  place(
    request,
    request.query.getAll("resourceIds").flatMap((text) => text.split(",")),
    undefined,
  );
  return { status: 204 };
};
