import type { Roots } from "../../platform/graphql";
import { environmentOf, findInstance, projectOf, serviceOf } from "../access";
import { checkService } from "../checking";
import { addInstance, deployInstance, removeInstance } from "../instances";
import { patchConfig } from "../patches";
import type { SourceConfig } from "../serviceConfig";
import type { Environment, Instance, Service, Token } from "../state";
import { page } from "../views/pages";
import { viewInstance, viewService, viewTrigger } from "../views/services";
import { mountsOf } from "../volumes";
import { instanceOf, newId, nextNumber, notAuthorized, refuse, type World } from "../world";
import { readVariables } from "./variables";

interface Wanted {
  readonly projectId: string;
  readonly environmentId?: string | null;
  readonly name?: string | null;
  readonly icon?: string | null;
  readonly source?: { readonly image?: string | null; readonly repo?: string | null } | null;
  readonly branch?: string | null;
  readonly variables?: unknown;
  readonly registryCredentials?: { readonly username: string; readonly password: string } | null;
}

type Update = Readonly<Record<string, unknown>>;

const present = <Whole extends object>(whole: Whole): Partial<Whole> =>
  Object.fromEntries(
    Object.entries(whole).filter(([, value]) => value !== null && value !== undefined),
  ) as Partial<Whole>;

/** The settings of `ServiceInstanceUpdateInput`, each where the environment's configuration has it. */
function patchOf(input: Update): Parameters<typeof patchConfig>[1] {
  const places: Readonly<Record<string, string>> = {
    ...{
      builder: "build",
      buildCommand: "build",
      dockerfilePath: "build",
      watchPatterns: "build",
      nixpacksPlan: "build",
    },
    ...{ rootDirectory: "source", source: "", railwayConfigFile: "" },
  };
  const patch: Record<string, Record<string, unknown>> = {};
  for (const [name, value] of Object.entries(input)) {
    const place = places[name] ?? "deploy";
    if (place !== "") (patch[place] ??= {})[name] = value;
  }
  const { source, railwayConfigFile } = input as { source?: SourceConfig | null; railwayConfigFile?: string | null };
  if (source != null) patch["source"] = { ...patch["source"], ...present(source) };
  return { ...patch, ...(railwayConfigFile === undefined ? {} : { configFile: railwayConfigFile }) };
}

/** Lets commits on a repository's branch deploy an instance. */
function connect(instance: Instance): void {
  if (instance.config.source?.repo === undefined) delete instance.triggerId;
  else instance.triggerId ??= newId();
}

async function requireRepository(world: World, repo: string | null | undefined, branch = "main"): Promise<void> {
  if (repo == null) return;
  if ((await world.repositories.head(repo, branch)) === undefined)
    throw refuse(`Repository ${repo} not found or its branch ${branch} is missing`);
}

/** The environments that a new service is made in: a fork alone, or all that aren't forks. */
function placesFor(world: World, projectId: string, environment: Environment | undefined): Environment[] {
  if (environment?.sourceEnvironmentId !== undefined) return [environment];
  return Object.values(world.state.environments).filter(
    (one) => one.projectId === projectId && one.sourceEnvironmentId === undefined,
  );
}

/** Services, and their settings in each environment. */
export function services(world: World, token: Token): Roots {
  const { state } = world;
  const everywhere = (serviceId: string, environmentId: string | null | undefined): Instance[] => {
    if (environmentId != null) return [findInstance(world, token, serviceId, environmentId)];
    serviceOf(world, token, serviceId);
    if (token.kind === "project") throw notAuthorized();
    return Object.values(state.instances).filter((one) => one.serviceId === serviceId);
  };
  const change = (instance: Instance, update: Parameters<typeof patchConfig>[1]): void => {
    const hasVolume = mountsOf(world, instance.serviceId, instance.environmentId).length > 0;
    const config = patchConfig(instance.config, update);
    checkService(world, instance, config, hasVolume);
    instance.config = config;
    instance.updatedAt = world.clock.now();
    connect(instance);
    world.store.save();
  };
  return {
    service: ({ id }: { id: string }) => viewService(world, serviceOf(world, token, id)),
    serviceInstance: ({ serviceId, environmentId }: { serviceId: string; environmentId: string }) =>
      viewInstance(world, findInstance(world, token, serviceId, environmentId)),
    deploymentTriggers: ({ environmentId, serviceId, ...args }: { environmentId: string; serviceId: string }) => {
      const instance = findInstance(world, token, serviceId, environmentId);
      return page(instance.triggerId === undefined ? [] : [viewTrigger(world, instance)], args);
    },
    gitHubRepoAccessAvailable: async ({ fullRepoName }: { fullRepoName: string }) => {
      const hasAccess = (await world.repositories.head(fullRepoName)) !== undefined;
      return { hasAccess, isPublic: hasAccess };
    },
    githubRepoBranches: async ({ owner, repo }: { owner: string; repo: string }) =>
      (await world.repositories.branches(`${owner}/${repo}`)).map((name) => ({ name })),
    serviceInstanceAutoDeployStatus: ({ serviceId, environmentId }: { serviceId: string; environmentId: string }) => {
      const instance = findInstance(world, token, serviceId, environmentId);
      const canEnable = instance.triggerId !== undefined;
      return { enabled: canEnable && instance.autoDeploy, canEnable, reason: canEnable ? null : "no repository" };
    },
    serviceInstanceLimits: ({ serviceId, environmentId }: { serviceId: string; environmentId: string }) => ({
      containers: {
        ...{ cpu: 8, memoryBytes: 8_000_000_000 },
        ...findInstance(world, token, serviceId, environmentId).config.deploy?.limitOverride?.containers,
      },
    }),
    serviceInstanceLimitOverride: ({ serviceId, environmentId }: { serviceId: string; environmentId: string }) =>
      findInstance(world, token, serviceId, environmentId).config.deploy?.limitOverride ?? null,

    serviceCreate: async ({ input }: { input: Wanted }) => {
      const project = projectOf(world, token, input.projectId);
      const given = input.environmentId == null ? undefined : environmentOf(world, token, input.environmentId);
      if (token.kind === "project" && given === undefined) throw notAuthorized();
      if (given !== undefined && given.projectId !== project.id) throw notAuthorized();
      const source = present({ ...input.source, ...present({ branch: input.branch }) });
      await requireRepository(world, source.repo, source.branch ?? undefined);
      const now = world.clock.now();
      const service: Service = {
        id: newId(),
        projectId: project.id,
        name: input.name ?? source.repo?.split("/")[1] ?? `service-${nextNumber(world)}`,
        ...(input.icon == null ? {} : { icon: input.icon }),
        createdAt: now,
        updatedAt: now,
      };
      const variables = Object.fromEntries(
        Object.entries(readVariables(input.variables ?? {})).map(([name, value]) => [name, { value }]),
      );
      state.services[service.id] = service;
      for (const environment of placesFor(world, project.id, given)) {
        const instance = addInstance(world, service.id, environment.id, {
          ...(Object.keys(source).length === 0 ? {} : { source: source as SourceConfig }),
          ...(input.registryCredentials == null ? {} : { deploy: { registryCredentials: input.registryCredentials } }),
          variables: { ...variables },
        });
        connect(instance);
        if (source.image !== undefined || source.repo !== undefined) await deployInstance(world, instance);
      }
      world.store.save();
      return viewService(world, service);
    },
    serviceUpdate: ({ id, input }: { id: string; input: { name?: string | null; icon?: string | null } }) => {
      const service = serviceOf(world, token, id);
      Object.assign(service, present(input), { updatedAt: world.clock.now() });
      world.store.save();
      return viewService(world, service);
    },
    serviceDelete: ({ id, environmentId }: { id: string; environmentId?: string | null }) => {
      const service = serviceOf(world, token, id);
      const given = environmentId == null ? undefined : environmentOf(world, token, environmentId);
      if (token.kind === "project" && given === undefined) throw notAuthorized();
      const isFork = given?.sourceEnvironmentId !== undefined;
      for (const instance of Object.values(state.instances))
        if (instance.serviceId === id && (!isFork || instance.environmentId === environmentId))
          removeInstance(world, instance);
      if (!isFork) Reflect.deleteProperty(state.services, service.id);
      world.store.save();
      return true;
    },
    serviceConnect: async ({
      id,
      input,
    }: {
      id: string;
      input: { image?: string | null; repo?: string | null; branch?: string | null };
    }) => {
      const service = serviceOf(world, token, id);
      await requireRepository(world, input.repo, input.branch ?? undefined);
      for (const instance of everywhere(id, undefined)) {
        change(instance, { source: present(input) });
        await deployInstance(world, instance, { latest: true });
      }
      return viewService(world, service);
    },
    serviceDisconnect: ({ id }: { id: string }) => {
      const service = serviceOf(world, token, id);
      for (const instance of everywhere(id, undefined)) change(instance, { source: null });
      return viewService(world, service);
    },
    serviceInstanceUpdate: async ({
      serviceId,
      environmentId,
      input,
    }: {
      serviceId: string;
      environmentId?: string | null;
      input: Update;
    }) => {
      const update = patchOf(input);
      await requireRepository(world, update.source?.repo);
      for (const instance of everywhere(serviceId, environmentId)) change(instance, update);
      return true;
    },
    serviceInstanceLimitsUpdate: ({
      input,
    }: {
      input: { serviceId: string; environmentId: string; vCPUs?: number | null; memoryGB?: number | null };
    }) => {
      const { vCPUs, memoryGB } = input;
      const containers = present({
        cpu: vCPUs,
        memoryBytes: memoryGB == null ? undefined : Math.round(memoryGB * 1e9),
      });
      change(findInstance(world, token, input.serviceId, input.environmentId), {
        deploy: { limitOverride: { containers } },
      } as Parameters<typeof patchConfig>[1]);
      return true;
    },
    serviceInstanceAutoDeployUpdate: ({
      input,
    }: {
      input: { serviceId: string; environmentId: string; enabled: boolean };
    }) => {
      const instance = findInstance(world, token, input.serviceId, input.environmentId);
      instance.autoDeploy = input.enabled;
      world.store.save();
      return { enabled: input.enabled };
    },
    deploymentTriggerCreate: async ({
      input,
    }: {
      input: {
        serviceId: string;
        environmentId: string;
        repository: string;
        branch: string;
        rootDirectory?: string | null;
      };
    }) => {
      const { serviceId, environmentId, repository, branch, rootDirectory } = input;
      const instance = findInstance(world, token, serviceId, environmentId);
      if (instance.triggerId !== undefined) throw refuse("Service already has a deployment trigger");
      await requireRepository(world, repository, branch);
      change(instance, { source: { repo: repository, branch, ...present({ rootDirectory }) } });
      return viewTrigger(world, instance);
    },
    deploymentTriggerUpdate: async ({ id, input }: { id: string; input: Update }) => {
      const instance = Object.values(state.instances).find((one) => one.triggerId === id);
      if (instance === undefined) throw notAuthorized();
      findInstance(world, token, instance.serviceId, instance.environmentId);
      const { branch, repository, rootDirectory, checkSuites } = input as {
        readonly branch?: string | null;
        readonly repository?: string | null;
        readonly rootDirectory?: string | null;
        readonly checkSuites?: boolean | null;
      };
      const source = present({ branch, repo: repository, rootDirectory, checkSuites });
      await requireRepository(world, source.repo ?? instance.config.source?.repo, branch ?? undefined);
      change(instance, { source });
      return viewTrigger(world, instance);
    },
    deploymentTriggerDelete: ({ id }: { id: string }) => {
      const instance = Object.values(state.instances).find((one) => one.triggerId === id);
      if (instance === undefined) throw notAuthorized();
      findInstance(world, token, instance.serviceId, instance.environmentId);
      delete instance.triggerId;
      world.store.save();
      return instanceOf(world, instance.serviceId, instance.environmentId) !== undefined;
    },
  };
}
