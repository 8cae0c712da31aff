import { configOf, etagOf } from "../config";
import type { Environment, Patch, Project, Token, Workspace } from "../state";
import { listed, newId, type World } from "../world";
import { connection, date, dateOrNull, page, type PageArgs, type View } from "./pages";
import { viewDeployment, viewInstance, viewService, viewTrigger } from "./services";
import { viewBucket, viewVolume, viewVolumeInstance } from "./storage";
import { isGone } from "../volumes";

export function viewWorkspace(world: World, workspace: Workspace): View {
  const projects = (): Project[] =>
    Object.values(world.state.projects).filter((one) => one.workspaceId === workspace.id);
  return {
    __typename: "Workspace",
    id: workspace.id,
    name: workspace.name,
    plan: workspace.plan,
    preferredRegion: null,
    subscriptionPlanLimit: null,
    createdAt: date(workspace.createdAt),
    updatedAt: date(workspace.createdAt),
    projectCount: () => projects().length,
    projects: connection(projects, (one) => viewProject(world, one)),
  };
}

export function viewProject(world: World, project: Project): View {
  const { state } = world;
  const { pageSize } = world.settings;
  const of =
    <Item extends { readonly projectId: string; readonly createdAt: number }>(items: Readonly<Record<string, Item>>) =>
    (): Item[] =>
      listed(world, Object.values(items)).filter((one) => one.projectId === project.id);
  const environments = of(state.environments);
  return {
    __typename: "Project",
    id: project.id,
    name: project.name,
    description: project.description ?? null,
    workspaceId: project.workspaceId,
    workspace: () =>
      viewWorkspace(
        world,
        state.workspaces.find((one) => one.id === project.workspaceId)!,
      ),
    isPublic: project.isPublic,
    prDeploys: project.prDeploys,
    baseEnvironmentId: project.baseEnvironmentId ?? null,
    baseEnvironment: () =>
      project.baseEnvironmentId === undefined
        ? null
        : viewEnvironment(world, state.environments[project.baseEnvironmentId]!),
    primaryEnvironmentId: environments().find((one) => !one.isEphemeral)?.id ?? null,
    subscriptionPlanLimit: {},
    createdAt: date(project.createdAt),
    updatedAt: date(project.updatedAt),
    deletedAt: dateOrNull(project.deletedAt),
    environments: ({ isEphemeral, ...args }: PageArgs & { isEphemeral?: boolean | null }) =>
      page(
        environments()
          .filter((one) => isEphemeral == null || one.isEphemeral === isEphemeral)
          .map((one) => viewEnvironment(world, one)),
        args,
        pageSize,
      ),
    services: connection(of(state.services), (one) => viewService(world, one), pageSize),
    volumes: connection(
      () => of(state.volumes)().filter(({ deletedAt }) => deletedAt === undefined),
      (one) => viewVolume(world, one),
      pageSize,
    ),
    buckets: connection(of(state.buckets), (one) => viewBucket(world, one), pageSize),
  };
}

/** How many changes wait to be committed, by service, volume, bucket and shared variable. */
export function countChanges({ patch }: Patch): number {
  return Object.values(patch).reduce<number>(
    (sum, part) => sum + (typeof part === "object" && part !== null ? Object.keys(part).length : 1),
    0,
  );
}

export function viewEnvironment(world: World, environment: Environment): View {
  const { state } = world;
  const { id, sourceEnvironmentId, staged } = environment;
  const { pageSize } = world.settings;
  const here =
    <Item extends { readonly environmentId: string }>(items: Readonly<Record<string, Item>>) =>
    (): Item[] =>
      Object.values(items).filter((one) => one.environmentId === id);
  const source = sourceEnvironmentId === undefined ? undefined : state.environments[sourceEnvironmentId];
  const config = (): Record<string, unknown> => configOf(world, environment);
  return {
    __typename: "Environment",
    id,
    name: environment.name,
    projectId: environment.projectId,
    canAccess: true,
    isEphemeral: environment.isEphemeral,
    meta: null,
    sourceEnvironment: () => (source === undefined ? null : viewEnvironment(world, source)),
    unmergedChangesCount: staged === undefined ? 0 : countChanges(staged),
    config: ({ decryptVariables }: { decryptVariables?: boolean | null }) =>
      decryptVariables === true ? config() : withoutValues(config()),
    configEtag: () => etagOf(config()),
    createdAt: date(environment.createdAt),
    updatedAt: date(environment.updatedAt),
    deletedAt: null,
    serviceInstances: connection(
      () => listed(world, here(state.instances)()),
      (one) => viewInstance(world, one),
      pageSize,
    ),
    // Deleted ones stay on the list until their data goes.
    volumeInstances: connection(
      () => listed(world, here(state.volumeInstances)()).filter((one) => !isGone(world, one)),
      (one) => viewVolumeInstance(world, one),
      pageSize,
    ),
    deployments: connection(
      () => here(state.deployments)().reverse(),
      (one) => viewDeployment(world, one),
    ),
    deploymentTriggers: connection(
      () => here(state.instances)().filter((one) => one.triggerId !== undefined),
      (one) => viewTrigger(world, one),
    ),
  };
}

/** The configuration without variables' values. */
function withoutValues(config: Record<string, unknown>): Record<string, unknown> {
  const bare = (variables: unknown): object =>
    Object.fromEntries(Object.keys(variables as object).map((name) => [name, { value: "*****" }]));
  const services = Object.entries(config["services"] as Record<string, { variables: unknown }>);
  return {
    ...config,
    services: Object.fromEntries(services.map(([id, one]) => [id, { ...one, variables: bare(one.variables) }])),
    sharedVariables: bare(config["sharedVariables"]),
  };
}

export function viewPatch(world: World, environment: Environment, patch: Patch | undefined): View {
  const now = world.clock.now();
  const one = patch ?? { id: newId(), patch: {}, status: "STAGED", createdAt: now, updatedAt: now };
  return {
    __typename: "EnvironmentPatch",
    id: one.id,
    environmentId: environment.id,
    environment: () => viewEnvironment(world, environment),
    patch: one.patch,
    status: one.status,
    message: patch?.message ?? null,
    lastAppliedError: null,
    createdAt: date(one.createdAt),
    updatedAt: date(one.updatedAt),
    appliedAt: dateOrNull(patch?.appliedAt),
  };
}

export function viewToken(world: World, token: Token): View {
  return {
    __typename: "ProjectToken",
    id: token.id,
    name: token.name,
    displayToken: `${token.token.slice(0, 4)}…`,
    projectId: token.projectId,
    environmentId: token.environmentId,
    createdAt: date(token.createdAt),
    project: () => viewProject(world, world.state.projects[token.projectId!]!),
    environment: () => viewEnvironment(world, world.state.environments[token.environmentId!]!),
  };
}
