import type { VariableConfig } from "./serviceConfig";
import type { Deployment, Environment, Instance, Service } from "./state";
import { instanceOf, slug, type World } from "./world";

/** Where variables are rendered: in a service of an environment, for a deployment where there is one. */
export interface Scope {
  readonly environment: Environment;
  readonly service: Service;
  readonly deployment?: Deployment;
}

/** The port that a service is told to listen on, unless it has a PORT of its own. */
export const standardPort = "8080";

/** A service's name in the private network. */
export const privateDomain = (service: Service): string => `${slug(service.name)}.railway.internal`;

/** https://docs.railway.com/reference/variables#railway-provided-variables */
export function provided(world: World, { environment, service, deployment }: Scope): Record<string, string> {
  const { state } = world;
  const project = state.projects[service.projectId]!;
  const here = (one: { serviceId?: string; environmentId: string }): boolean =>
    one.serviceId === service.id && one.environmentId === environment.id;
  const domains = Object.values(state.domains).filter(here);
  const domain = domains.find(({ kind }) => kind === "custom") ?? domains[0];
  const proxy = Object.values(state.tcpProxies).find(here);
  const mounted = Object.values(state.volumeInstances).find((one) => here(one) && one.deletedAt === undefined);
  const commit = deployment?.commit;
  const repo = deployment?.config.source?.repo;
  return {
    RAILWAY_PROJECT_ID: project.id,
    RAILWAY_PROJECT_NAME: project.name,
    RAILWAY_ENVIRONMENT: environment.name,
    RAILWAY_ENVIRONMENT_ID: environment.id,
    RAILWAY_ENVIRONMENT_NAME: environment.name,
    RAILWAY_SERVICE_ID: service.id,
    RAILWAY_SERVICE_NAME: service.name,
    RAILWAY_PRIVATE_DOMAIN: privateDomain(service),
    ...(domain === undefined ? {} : { RAILWAY_PUBLIC_DOMAIN: domain.domain, RAILWAY_STATIC_URL: domain.domain }),
    ...(proxy === undefined
      ? {}
      : {
          RAILWAY_TCP_PROXY_DOMAIN: world.host,
          RAILWAY_TCP_PROXY_PORT: String(state.edges[proxy.id] ?? 0),
          RAILWAY_TCP_APPLICATION_PORT: String(proxy.applicationPort),
        }),
    ...(mounted === undefined
      ? {}
      : {
          RAILWAY_VOLUME_NAME: state.volumes[mounted.volumeId]!.name,
          RAILWAY_VOLUME_MOUNT_PATH: mounted.mountPath,
        }),
    ...(commit === undefined || repo === undefined
      ? {}
      : {
          RAILWAY_GIT_COMMIT_SHA: commit.sha,
          RAILWAY_GIT_COMMIT_MESSAGE: commit.message,
          RAILWAY_GIT_BRANCH: commit.branch,
          RAILWAY_GIT_REPO_OWNER: repo.split("/")[0]!,
          RAILWAY_GIT_REPO_NAME: repo.split("/")[1] ?? "",
        }),
    ...(deployment === undefined
      ? {}
      : { RAILWAY_DEPLOYMENT_ID: deployment.id, RAILWAY_SNAPSHOT_ID: deployment.snapshotId }),
  };
}

/** `${{Service.NAME}}`, `${{shared.NAME}}` or `${{NAME}}`; the name of a service may hold blanks and be quoted. */
const reference = /\$\{\{\s*(?:"?([^"{}]+?)"?\.)?([A-Za-z_]\w*)\s*\}\}/g;

/** What a variable's text refers to: a service's name, `shared`, or undefined for the same service. */
export function referencesOf(text: string): { readonly space: string | undefined; readonly name: string }[] {
  return [...text.matchAll(reference)].map(([, space, name]) => ({ space: space?.trim(), name: name! }));
}

function findService(world: World, environment: Environment, name: string): Service | undefined {
  return Object.values(world.state.services).find(
    (one) =>
      one.projectId === environment.projectId &&
      one.name.toLowerCase() === name.toLowerCase() &&
      instanceOf(world, one.id, environment.id) !== undefined,
  );
}

/** One variable's value. A reference that leads nowhere, or back to itself, is nothing. */
function valueOf(
  world: World,
  scope: Scope,
  name: string,
  variables: Readonly<Record<string, VariableConfig>>,
  seen: readonly string[],
): string {
  const place = `${scope.service.id}.${name}`;
  const own = variables[name];
  if (own === undefined) return provided(world, scope)[name] ?? "";
  if (seen.includes(place)) return "";
  return fill(world, scope, own.value, variables, [...seen, place]);
}

function fill(
  world: World,
  scope: Scope,
  text: string,
  variables: Readonly<Record<string, VariableConfig>>,
  seen: readonly string[],
): string {
  const { environment } = scope;
  return text.replace(reference, (_whole, space: string | undefined, name: string) => {
    if (space === undefined) return valueOf(world, scope, name, variables, seen);
    if (space.trim() === "shared") {
      const shared = environment.sharedVariables[name];
      const place = `shared.${name}`;
      if (shared === undefined || seen.includes(place)) return "";
      return fill(world, scope, shared.value, environment.sharedVariables, [...seen, place]);
    }
    const service = findService(world, environment, space.trim());
    if (service === undefined) return "";
    const of = instanceOf(world, service.id, environment.id)!;
    return valueOf(world, { environment, service }, name, of.config.variables, seen);
  });
}

/** A service's own variables with their references resolved. `given`: those of a deployment. */
export function rendered(world: World, scope: Scope, given?: Instance["config"]["variables"]): Record<string, string> {
  const variables = given ?? instanceOf(world, scope.service.id, scope.environment.id)?.config.variables ?? {};
  return Object.fromEntries(Object.keys(variables).map((name) => [name, valueOf(world, scope, name, variables, [])]));
}

/** Shared variables with their references resolved. */
export function renderedShared(world: World, environment: Environment): Record<string, string> {
  const [service] = Object.values(world.state.services).filter((one) => one.projectId === environment.projectId);
  const { sharedVariables } = environment;
  return Object.fromEntries(
    Object.entries(sharedVariables).map(([name, { value }]) => [
      name,
      service === undefined ? value : fill(world, { environment, service }, value, sharedVariables, [`shared.${name}`]),
    ]),
  );
}
