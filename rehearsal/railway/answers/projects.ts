import type { Roots } from "../../platform/graphql";
import { environmentOf, issueToken, projectOf, requireBroad, workspaceOf, workspacesOf } from "../access";
import { addInstance, deployInstance, removeInstance } from "../instances";
import { viewRegions } from "../regions";
import type { VariableConfig } from "../serviceConfig";
import type { Environment, Project, Token } from "../state";
import { page } from "../views/pages";
import { viewEnvironment, viewProject, viewToken, viewWorkspace } from "../views/projects";
import { addVolumeInstance, mountsOf } from "../volumes";
import { listed, newId, notAuthorized, refuse, type World } from "../world";

/** Projects that are to be deleted go this long after: `projectScheduleDelete`. */
const graceMs = 48 * 3_600_000;

function addEnvironment(
  world: World,
  project: Project,
  name: string,
  source?: Environment,
  isEphemeral = false,
): Environment {
  const now = world.clock.now();
  const environment: Environment = {
    id: newId(),
    projectId: project.id,
    name,
    isEphemeral,
    ...(source === undefined ? {} : { sourceEnvironmentId: source.id }),
    sharedVariables: unsealed(source?.sharedVariables ?? {}),
    buckets: {},
    patches: [],
    createdAt: now,
    updatedAt: now,
  };
  world.state.environments[environment.id] = environment;
  return environment;
}

/** What is sealed isn't copied. */
const unsealed = (variables: Readonly<Record<string, VariableConfig>>): Record<string, VariableConfig> =>
  Object.fromEntries(Object.entries(variables).filter(([, { isSealed }]) => isSealed !== true));

/** Gives a new environment what another one has: services, volumes without their data, variables that aren't sealed. */
async function clone(world: World, from: Environment, to: Environment, isSilent: boolean): Promise<void> {
  const instances = Object.values(world.state.instances).filter((one) => one.environmentId === from.id);
  for (const { serviceId, config } of instances) {
    const made = addInstance(world, serviceId, to.id, {
      ...structuredClone(config),
      variables: unsealed(config.variables),
    });
    for (const mount of mountsOf(world, serviceId, from.id))
      addVolumeInstance(world, mount.volumeId, to.id, mount.mountPath, mount.region).serviceId = serviceId;
    const { image, repo } = config.source ?? {};
    if (!isSilent && (image !== undefined || repo !== undefined)) await deployInstance(world, made, { latest: true });
  }
}

/** Ends a project or an environment with all that is in it. */
function removeEnvironment(world: World, environment: Environment): void {
  const { state } = world;
  for (const instance of Object.values(state.instances))
    if (instance.environmentId === environment.id) removeInstance(world, instance);
  for (const volume of Object.values(state.volumeInstances))
    if (volume.environmentId === environment.id) volume.deletedAt ??= world.clock.now();
  state.tokens = state.tokens.filter((one) => one.environmentId !== environment.id);
  Reflect.deleteProperty(state.environments, environment.id);
}

function removeProject(world: World, project: Project): void {
  const { state } = world;
  for (const environment of Object.values(state.environments))
    if (environment.projectId === project.id) removeEnvironment(world, environment);
  for (const kind of ["services", "volumes", "buckets"] as const) {
    const left = Object.entries<{ readonly projectId: string }>(state[kind]).filter(
      ([, one]) => one.projectId !== project.id,
    );
    Object.assign(state, { [kind]: Object.fromEntries(left) });
  }
  Reflect.deleteProperty(state.projects, project.id);
  world.store.save();
}

interface EnvironmentWanted {
  readonly projectId: string;
  readonly name: string;
  readonly sourceEnvironmentId?: string | null;
  readonly ephemeral?: boolean | null;
  readonly skipInitialDeploys?: boolean | null;
  readonly stageInitialChanges?: boolean | null;
}

interface ProjectWanted {
  readonly name?: string | null;
  readonly description?: string | null;
  readonly workspaceId?: string | null;
  readonly defaultEnvironmentName?: string | null;
  readonly isPublic?: boolean | null;
  readonly prDeploys?: boolean | null;
}

/** Workspaces, projects, environments and their tokens. */
export function projects(world: World, token: Token): Roots {
  const { state } = world;
  const environmentsOf = (projectId: string): Environment[] =>
    Object.values(state.environments).filter(
      (one) => one.projectId === projectId && (token.kind !== "project" || token.environmentId === one.id),
    );
  return {
    me: () => {
      // A workspace's token is nobody: https://docs.railway.com/integrations/api
      if (token.kind !== "account") throw notAuthorized();
      return {
        ...{
          __typename: "User",
          id: token.id,
          email: "rehearsal@example.com",
          name: "Rehearsal",
          username: "rehearsal",
        },
        createdAt: new Date(token.createdAt).toISOString(),
        workspaces: workspacesOf(world, token).map((one) => viewWorkspace(world, one)),
      };
    },
    apiToken: () => {
      requireBroad(token);
      return { workspaces: workspacesOf(world, token).map(({ id, name }) => ({ id, name })) };
    },
    projectToken: () => {
      if (token.kind !== "project") throw refuse("Project Token not found", 404);
      return viewToken(world, token);
    },
    workspace: ({ workspaceId }: { workspaceId: string }) =>
      viewWorkspace(world, workspaceOf(world, token, workspaceId)),
    regions: () => viewRegions(),
    project: ({ id }: { id: string }) => viewProject(world, projectOf(world, token, id)),
    projects: ({ workspaceId, ...args }: { workspaceId?: string | null }) => {
      requireBroad(token);
      const open = workspaceId == null ? workspacesOf(world, token) : [workspaceOf(world, token, workspaceId)];
      const found = listed<Project>(world, Object.values(state.projects)).filter((one) =>
        open.some(({ id }) => id === one.workspaceId),
      );
      return page(
        found.map((one) => viewProject(world, one)),
        args,
        world.settings.pageSize,
      );
    },
    environment: ({ id }: { id: string }) => viewEnvironment(world, environmentOf(world, token, id)),
    environments: ({ projectId, isEphemeral, ...args }: { projectId: string; isEphemeral?: boolean | null }) =>
      page(
        listed<Environment>(world, environmentsOf(projectOf(world, token, projectId).id))
          .filter((one) => isEphemeral == null || one.isEphemeral === isEphemeral)
          .map((one) => viewEnvironment(world, one)),
        args,
        world.settings.pageSize,
      ),

    projectCreate: ({ input }: { input: ProjectWanted }) => {
      requireBroad(token);
      const workspace = workspaceOf(world, token, input.workspaceId);
      const now = world.clock.now();
      const id = newId();
      const project: Project = {
        id,
        name: (input.name ?? `project-${id.slice(0, 4)}`).toLowerCase(),
        ...(input.description == null ? {} : { description: input.description }),
        workspaceId: workspace.id,
        isPublic: input.isPublic ?? false,
        prDeploys: input.prDeploys ?? false,
        createdAt: now,
        updatedAt: now,
      };
      state.projects[id] = project;
      project.baseEnvironmentId = addEnvironment(world, project, input.defaultEnvironmentName ?? "production").id;
      world.store.save();
      return viewProject(world, project);
    },
    projectUpdate: ({ id, input }: { id: string; input: ProjectWanted & { baseEnvironmentId?: string | null } }) => {
      requireBroad(token);
      const project = projectOf(world, token, id);
      const given = Object.entries(input).filter(([, value]) => value !== null && value !== undefined);
      Object.assign(project, Object.fromEntries(given), { updatedAt: world.clock.now() });
      world.store.save();
      return viewProject(world, project);
    },
    projectDelete: ({ id }: { id: string }) => {
      requireBroad(token);
      removeProject(world, projectOf(world, token, id));
      return true;
    },
    projectScheduleDelete: ({ id }: { id: string }) => {
      requireBroad(token);
      projectOf(world, token, id).deletedAt = world.clock.now() + graceMs;
      world.store.save();
      return true;
    },
    projectScheduleDeleteCancel: ({ id }: { id: string }) => {
      requireBroad(token);
      delete projectOf(world, token, id).deletedAt;
      world.store.save();
      return true;
    },
    projectTokenCreate: ({ input }: { input: { projectId: string; environmentId: string; name: string } }) => {
      requireBroad(token);
      const environment = environmentOf(world, token, input.environmentId);
      if (environment.projectId !== input.projectId) throw notAuthorized();
      const { name, projectId, environmentId } = input;
      return issueToken(world, { kind: "project", name, projectId, environmentId }).token;
    },
    projectTokenDelete: ({ id }: { id: string }) => {
      requireBroad(token);
      const found = state.tokens.find((one) => one.id === id && one.kind === "project");
      if (found === undefined) throw notAuthorized();
      projectOf(world, token, found.projectId!);
      state.tokens = state.tokens.filter((one) => one !== found);
      world.store.save();
      return true;
    },
    environmentCreate: async ({ input }: { input: EnvironmentWanted }) => {
      requireBroad(token);
      const project = projectOf(world, token, input.projectId);
      if (environmentsOf(project.id).some((one) => one.name === input.name))
        throw refuse(`Environment with name ${input.name} already exists`);
      const from =
        input.sourceEnvironmentId == null ? undefined : environmentOf(world, token, input.sourceEnvironmentId);
      const environment = addEnvironment(world, project, input.name, from, input.ephemeral ?? false);
      if (from !== undefined) await clone(world, from, environment, input.skipInitialDeploys ?? false);
      world.store.save();
      return viewEnvironment(world, environment);
    },
    environmentRename: ({ id, input }: { id: string; input: { name: string } }) => {
      requireBroad(token);
      const environment = environmentOf(world, token, id);
      environment.name = input.name;
      world.store.save();
      return viewEnvironment(world, environment);
    },
    environmentDelete: ({ id }: { id: string }) => {
      requireBroad(token);
      const environment = environmentOf(world, token, id);
      if (environmentsOf(environment.projectId).length === 1) throw refuse("Cannot delete the only environment");
      removeEnvironment(world, environment);
      world.store.save();
      return true;
    },
  };
}
