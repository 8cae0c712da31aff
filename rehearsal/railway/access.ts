import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { type Answer, Refusal } from "../platform/http";
import type {
  Deployment,
  Environment,
  Instance,
  Project,
  Service,
  Token,
  Volume,
  VolumeInstance,
  Workspace,
} from "./state";
import { instanceOf, newId, notAuthorized, type World } from "./world";

const failed = (message: string): Answer => ({ status: 200, body: { data: null, errors: [{ message }] } });

/** Makes a token and writes it down. */
export function issueToken(world: World, wanted: Omit<Token, "id" | "token" | "createdAt">): Token {
  const token = { ...wanted, id: newId(), token: randomUUID(), createdAt: world.clock.now() };
  world.state.tokens.push(token);
  world.store.save();
  return token;
}

/**
 * Who asks: accounts and workspaces by `Authorization: Bearer`, projects by `Project-Access-Token` and by that alone. Throws
 * what Railway says, which is HTTP 200 with an error: https://docs.railway.com/integrations/api
 */
export function authenticate(world: World, headers: IncomingHttpHeaders): Token {
  const own = headers["project-access-token"];
  if (typeof own === "string") {
    const found = world.state.tokens.find((one) => one.kind === "project" && one.token === own);
    if (found === undefined) throw new Refusal(failed("Project Token not found"));
    return found;
  }
  const [, text] = /^Bearer (\S+)$/i.exec(headers.authorization ?? "") ?? [];
  const found = world.state.tokens.find((one) => one.kind !== "project" && one.token === text);
  if (found === undefined) throw new Refusal(failed("Not Authorized"));
  return found;
}

/** The workspaces that a token opens. */
export function workspacesOf(world: World, token: Token): Workspace[] {
  if (token.kind === "project") return [];
  return world.state.workspaces.filter((one) => token.workspaceId === undefined || one.id === token.workspaceId);
}

/** The workspace of that id; without one, the account's first. A project's token has none. */
export function workspaceOf(world: World, token: Token, id: string | null | undefined): Workspace {
  const all = workspacesOf(world, token);
  const found = id == null ? all[0] : all.find((one) => one.id === id);
  if (found === undefined) throw notAuthorized();
  return found;
}

/** Throws for a project's token: what isn't its environment's is closed to it. */
export function requireBroad(token: Token): void {
  if (token.kind === "project") throw notAuthorized();
}

/** The project of that id, if the token may see it. */
export function projectOf(world: World, token: Token, id: string): Project {
  const project = world.state.projects[id];
  if (project === undefined) throw notAuthorized();
  const isOpen =
    token.kind === "project"
      ? token.projectId === id
      : token.workspaceId === undefined || token.workspaceId === project.workspaceId;
  if (!isOpen) throw notAuthorized();
  return project;
}

/** The environment of that id, if the token may act in it. */
export function environmentOf(world: World, token: Token, id: string): Environment {
  const environment = world.state.environments[id];
  if (environment === undefined) throw notAuthorized();
  projectOf(world, token, environment.projectId);
  if (token.kind === "project" && token.environmentId !== id) throw notAuthorized();
  return environment;
}

/** The service of that id, if the token may see its project. */
export function serviceOf(world: World, token: Token, id: string): Service {
  const service = world.state.services[id];
  if (service === undefined) throw notAuthorized();
  projectOf(world, token, service.projectId);
  return service;
}

/** A service in an environment, if the token may act there. */
export function findInstance(world: World, token: Token, serviceId: string, environmentId: string): Instance {
  serviceOf(world, token, serviceId);
  environmentOf(world, token, environmentId);
  const found = instanceOf(world, serviceId, environmentId);
  if (found === undefined) throw notAuthorized();
  return found;
}

export function deploymentOf(world: World, token: Token, id: string): Deployment {
  const deployment = world.state.deployments[id];
  if (deployment === undefined) throw notAuthorized();
  environmentOf(world, token, deployment.environmentId);
  return deployment;
}

export function volumeOf(world: World, token: Token, id: string): Volume {
  const volume = world.state.volumes[id];
  if (volume === undefined || volume.deletedAt !== undefined) throw notAuthorized();
  projectOf(world, token, volume.projectId);
  return volume;
}

export function volumeInstanceOf(world: World, token: Token, id: string): VolumeInstance {
  const instance = world.state.volumeInstances[id];
  if (instance === undefined || instance.deletedAt !== undefined) throw notAuthorized();
  environmentOf(world, token, instance.environmentId);
  return instance;
}
