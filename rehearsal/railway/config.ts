import { createHash, randomInt } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Document, misfits, readContract } from "../platform/contract";
import { addBucket, removeBucket } from "./buckets";
import { checkService } from "./checking";
import { type DeployOptions, deploy, retire } from "./deploying";
import { addDomain, addProxy, domainsOf, proxiesOf, removeDomain, removeProxy } from "./domains";
import { headOf } from "./sources";
import type { BackupKind, Deployment, Environment, Instance, ServiceConfig, VariableConfig } from "./state";
import { mountsOf, placeVolume, removeVolumeInstance, resizeVolume } from "./volumes";
import { deploymentsOf, enqueue, instanceKey, instanceOf, newId, refuse } from "./world";
import type { World } from "./world";

const contract = readContract(
  JSON.parse(readFileSync(join(__dirname, "contract", "environment.json"), "utf8")) as Document,
);

type Nullable<Whole> = { [Key in keyof Whole]?: Whole[Key] | null };

interface VariablePatch {
  readonly value?: string | null;
  readonly isSealed?: boolean | null;
  readonly generator?: string | null;
}

interface ServicePatch {
  readonly source?: Nullable<NonNullable<ServiceConfig["source"]>> | null;
  readonly build?: Nullable<NonNullable<ServiceConfig["build"]>> | null;
  readonly deploy?: Nullable<NonNullable<ServiceConfig["deploy"]>> | null;
  readonly variables?: Readonly<Record<string, VariablePatch | null>>;
  readonly networking?: {
    readonly serviceDomains?: Readonly<Record<string, { readonly port?: number | null } | null>>;
    readonly customDomains?: Readonly<Record<string, { readonly port?: number | null } | null>>;
    readonly tcpProxies?: Readonly<Record<string, object | null>>;
  } | null;
  readonly volumeMounts?: Readonly<
    Record<string, { readonly mountPath?: string | null; readonly backupSchedules?: BackupKind[] | null } | null>
  >;
  readonly configFile?: string | null;
  readonly isCreated?: boolean;
  readonly isDeleted?: boolean;
}

/** `EnvironmentConfig`, as a change of an environment. null takes something away. */
export interface ConfigPatch {
  readonly services?: Readonly<Record<string, ServicePatch | null>>;
  readonly sharedVariables?: Readonly<Record<string, VariablePatch | null>>;
  readonly volumes?: Readonly<
    Record<
      string,
      {
        readonly sizeMB?: number | null;
        readonly region?: string | null;
        readonly isCreated?: boolean;
        readonly isDeleted?: boolean;
      } | null
    >
  >;
  readonly buckets?: Readonly<
    Record<
      string,
      { readonly region?: string | null; readonly isCreated?: boolean; readonly isDeleted?: boolean } | null
    >
  >;
  readonly privateNetworkDisabled?: boolean | null;
}

/** Reads a patch. Throws for what the configuration doesn't have. */
export function readPatch(value: unknown): ConfigPatch {
  const wrong = misfits(contract, contract.schemas["EnvironmentConfig"]!, value);
  if (wrong.length > 0) throw refuse(`Invalid environment config: ${wrong.join("; ")}`);
  return value as ConfigPatch;
}

type Json = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** One object laid over another: null takes a field away, or stays where `keepNull` says so. */
export function merge(under: Json, over: Json, keepNull = false): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...under };
  for (const [name, value] of Object.entries(over)) {
    if (value === null && !keepNull) Reflect.deleteProperty(merged, name);
    else if (isObject(value)) {
      const below = merged[name];
      merged[name] = merge(isObject(below) ? below : {}, value, keepNull);
    } else merged[name] = value;
  }
  return merged;
}

/** `secret(32)` and `secret(32, "abc")`: https://docs.railway.com/reference/templates#template-variable-functions */
function generate(generator: string): string {
  const [, length = "32", letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"] =
    /^secret\(\s*(\d*)\s*(?:,\s*"([^"]*)")?\s*\)$/.exec(generator) ?? [];
  return Array.from({ length: Number(length) }, () => letters[randomInt(letters.length)]).join("");
}

/** Lays changes over variables. What is sealed stays so. */
export function patchVariables(
  under: Readonly<Record<string, VariableConfig>>,
  over: Readonly<Record<string, VariablePatch | null>>,
): Record<string, VariableConfig> {
  const merged = { ...under };
  for (const [name, patch] of Object.entries(over)) {
    const known = under[name];
    if (patch === null) Reflect.deleteProperty(merged, name);
    else {
      const value =
        patch.value ?? (patch.generator == null ? known?.value : (known?.value ?? generate(patch.generator)));
      const isSealed = known?.isSealed === true || patch.isSealed === true;
      merged[name] = { value: value ?? "", ...(isSealed ? { isSealed } : {}) };
    }
  }
  return merged;
}

/** A service's settings with changes laid over them. */
export function patchConfig(config: ServiceConfig, patch: ServicePatch): ServiceConfig {
  const { variables = {}, source, ...rest } = patch;
  const settings = Object.fromEntries(
    Object.entries({ build: rest.build, deploy: rest.deploy, configFile: rest.configFile }).filter(
      ([, value]) => value !== undefined,
    ),
  );
  const { variables: own, source: before, ...others } = config;
  // An image takes the place of a repository, and the other way around.
  const isOther =
    (source?.image != null && before?.repo !== undefined) || (source?.repo != null && before?.image !== undefined);
  const merged =
    source === undefined ? before : source === null ? undefined : merge(isOther ? {} : { ...before }, source);
  return {
    ...(merge(others, settings) as Omit<ServiceConfig, "variables" | "source">),
    ...(merged === undefined ? {} : { source: merged as NonNullable<ServiceConfig["source"]> }),
    variables: patchVariables(own, variables),
  };
}

/** Puts a service into an environment. It deploys nothing. */
export function addInstance(world: World, serviceId: string, environmentId: string, config: ServiceConfig): Instance {
  const now = world.clock.now();
  const instance = { id: newId(), serviceId, environmentId, config, autoDeploy: true, createdAt: now, updatedAt: now };
  world.state.instances[instanceKey(serviceId, environmentId)] = instance;
  return instance;
}

/** Takes a service out of an environment, with its deployments, domains and proxies. Its volumes stay, detached. */
export function removeInstance(world: World, instance: Instance): void {
  const { serviceId, environmentId } = instance;
  const key = instanceKey(serviceId, environmentId);
  Reflect.deleteProperty(world.state.instances, key);
  for (const domain of domainsOf(world, serviceId, environmentId)) removeDomain(world, domain.id);
  for (const proxy of proxiesOf(world, serviceId, environmentId)) removeProxy(world, proxy.id);
  for (const mount of mountsOf(world, serviceId, environmentId)) delete mount.serviceId;
  const left = deploymentsOf(world, serviceId, environmentId);
  for (const deployment of left) deployment.isCancelled = true;
  void enqueue(world, key, async () => {
    await Promise.all(left.map((one) => retire(world, one)));
    for (const { id } of left) Reflect.deleteProperty(world.state.deployments, id);
    world.store.save();
  });
  world.store.save();
}

/** Deploys an instance from what its source has now. `latest`: the branch's last commit, not the one it runs. */
export async function deployInstance(
  world: World,
  instance: Instance,
  options: DeployOptions & { readonly latest?: boolean } = {},
): Promise<Deployment> {
  const { latest = false, ...rest } = options;
  const { serviceId, environmentId, config } = instance;
  if (config.source?.image === undefined && config.source?.repo === undefined)
    throw refuse("Cannot deploy a service without a source");
  if (rest.commit !== undefined || config.source.repo === undefined) return deploy(world, instance, rest);
  const { repo } = config.source;
  const [known] = deploymentsOf(world, serviceId, environmentId).filter(
    (one) => one.commit !== undefined && one.config.source?.repo === repo && one.status !== "SKIPPED",
  );
  const commit = latest || known === undefined ? await headOf(world, instance) : known.commit;
  return deploy(world, instance, { ...rest, commit });
}

function checkPatch(world: World, environment: Environment, patch: ConfigPatch): void {
  const { state } = world;
  for (const [id, service] of Object.entries(patch.services ?? {})) {
    if (state.services[id]?.projectId !== environment.projectId) throw refuse(`Service ${id} not found`);
    const known = instanceOf(world, id, environment.id);
    if (known === undefined && service?.isCreated !== true) throw refuse(`Service ${id} is not in this environment`);
    if (service === null || service.isDeleted === true) continue;
    for (const volume of Object.keys(service.volumeMounts ?? {}))
      if (state.volumes[volume]?.projectId !== environment.projectId) throw refuse(`Volume ${volume} not found`);
    const mounted = new Set(mountsOf(world, id, environment.id).map(({ volumeId }) => volumeId));
    for (const [volume, mount] of Object.entries(service.volumeMounts ?? {}))
      if (mount === null) mounted.delete(volume);
      else mounted.add(volume);
    if (mounted.size > 1) throw refuse("A service can only have one volume");
    const proxies = new Set(proxiesOf(world, id, environment.id).map(({ applicationPort }) => String(applicationPort)));
    for (const [port, proxy] of Object.entries(service.networking?.tcpProxies ?? {}))
      if (proxy === null) proxies.delete(port);
      else proxies.add(port);
    if (proxies.size > 1) throw refuse("Only one TCP proxy is allowed per service instance");
    const instance = known ?? { serviceId: id, environmentId: environment.id };
    checkService(
      world,
      instance as Instance,
      patchConfig(known?.config ?? { variables: {} }, service),
      mounted.size > 0,
    );
  }
  for (const [id, volume] of Object.entries(patch.volumes ?? {})) {
    if (state.volumes[id]?.projectId !== environment.projectId) throw refuse(`Volume ${id} not found`);
    if (volume?.sizeMB != null) resizeVolume(world, id, environment.id, volume.sizeMB, true);
  }
  for (const id of Object.keys(patch.buckets ?? {}))
    if (state.buckets[id]?.projectId !== environment.projectId) throw refuse(`Bucket ${id} not found`);
}

function patchNetworking(world: World, instance: Instance, networking: NonNullable<ServicePatch["networking"]>): void {
  const { serviceId, environmentId } = instance;
  for (const kind of ["service", "custom"] as const) {
    const wanted = kind === "service" ? networking.serviceDomains : networking.customDomains;
    for (const [name, domain] of Object.entries(wanted ?? {})) {
      const known = domainsOf(world, serviceId, environmentId).find((one) => one.domain === name);
      if (domain === null) {
        if (known !== undefined) removeDomain(world, known.id);
      } else if (known === undefined)
        addDomain(world, instance, kind, { domain: name, targetPort: domain.port ?? undefined });
      else if (domain.port != null) known.targetPort = domain.port;
    }
  }
  for (const [port, proxy] of Object.entries(networking.tcpProxies ?? {})) {
    const known = proxiesOf(world, serviceId, environmentId).find((one) => String(one.applicationPort) === port);
    if (proxy === null) {
      if (known !== undefined) removeProxy(world, known.id);
    } else if (known === undefined) addProxy(world, instance, Number(port));
  }
}

/** Lays changes over one service of an environment. Whether it is to be deployed for that. */
function patchService(
  world: World,
  environment: Environment,
  id: string,
  patch: ServicePatch | null,
): Instance | undefined {
  const known = instanceOf(world, id, environment.id);
  if (patch === null || patch.isDeleted === true) {
    if (known !== undefined) removeInstance(world, known);
    return undefined;
  }
  const instance = known ?? addInstance(world, id, environment.id, { variables: {} });
  const before = JSON.stringify(instance.config);
  instance.config = patchConfig(instance.config, patch);
  instance.updatedAt = world.clock.now();
  if (patch.networking != null) patchNetworking(world, instance, patch.networking);
  let isMoved = false;
  for (const [volume, mount] of Object.entries(patch.volumeMounts ?? {}))
    isMoved = placeVolume(world, instance, volume, mount) || isMoved;
  const hasProxy = Object.keys(patch.networking?.tcpProxies ?? {}).length > 0;
  return known === undefined || isMoved || hasProxy || before !== JSON.stringify(instance.config)
    ? instance
    : undefined;
}

/** Makes changes of an environment, all or none, and deploys the services that they are about. */
export async function applyPatch(
  world: World,
  environment: Environment,
  patch: ConfigPatch,
  options: { readonly skipDeploys?: boolean; readonly message?: string | undefined } = {},
): Promise<void> {
  checkPatch(world, environment, patch);
  const now = world.clock.now();
  environment.updatedAt = now;
  environment.sharedVariables = patchVariables(environment.sharedVariables, patch.sharedVariables ?? {});
  if (patch.privateNetworkDisabled != null) environment.privateNetworkDisabled = patch.privateNetworkDisabled;
  for (const [id, volume] of Object.entries(patch.volumes ?? {})) {
    if (volume === null || volume.isDeleted === true) removeVolumeInstance(world, id, environment.id);
    else if (volume.sizeMB != null) resizeVolume(world, id, environment.id, volume.sizeMB, false);
  }
  for (const [id, bucket] of Object.entries(patch.buckets ?? {})) {
    if (bucket === null || bucket.isDeleted === true) removeBucket(world, id, environment.id);
    else await addBucket(world, id, environment.id, bucket.region ?? "sjc");
  }
  const touched = Object.entries(patch.services ?? {}).map(([id, service]) =>
    patchService(world, environment, id, service),
  );
  const { message, skipDeploys = false } = options;
  environment.patches.unshift({
    id: newId(),
    patch: { ...patch },
    status: "COMMITTED",
    ...(message === undefined ? {} : { message }),
    createdAt: now,
    updatedAt: now,
    appliedAt: now,
  });
  environment.patches = environment.patches.slice(0, 50);
  world.store.save();
  if (skipDeploys) return;
  for (const instance of touched) {
    const { image, repo } = instance?.config.source ?? {};
    if (instance !== undefined && (image !== undefined || repo !== undefined)) await deployInstance(world, instance);
  }
}

const shown = ({ value, isSealed }: VariableConfig): object => (isSealed === true ? { isSealed } : { value });

/** An environment's configuration, as `Environment.config` shows it. */
export function configOf(world: World, environment: Environment): Record<string, unknown> {
  const { id, projectId } = environment;
  const instances = Object.values(world.state.instances).filter((one) => one.environmentId === id);
  const variables = (all: Record<string, VariableConfig>): object =>
    Object.fromEntries(Object.entries(all).map(([name, one]) => [name, shown(one)]));
  const services = instances.map(({ serviceId, config }) => {
    const domains = domainsOf(world, serviceId, id);
    const ofKind = (kind: string): object =>
      Object.fromEntries(
        domains
          .filter((one) => one.kind === kind)
          .map(({ domain, targetPort }) => [domain, targetPort === undefined ? {} : { port: targetPort }]),
      );
    const proxies = proxiesOf(world, serviceId, id).map(({ applicationPort }) => [applicationPort, {}] as const);
    const mounts = mountsOf(world, serviceId, id).map(
      (one) =>
        [
          one.volumeId,
          { mountPath: one.mountPath, ...(one.schedules.length === 0 ? {} : { backupSchedules: one.schedules }) },
        ] as const,
    );
    const networking = {
      serviceDomains: ofKind("service"),
      customDomains: ofKind("custom"),
      tcpProxies: Object.fromEntries(proxies),
    };
    return [
      serviceId,
      { ...config, variables: variables(config.variables), networking, volumeMounts: Object.fromEntries(mounts) },
    ] as const;
  });
  const volumes = Object.values(world.state.volumeInstances).filter(
    (one) => one.environmentId === id && one.deletedAt === undefined,
  );
  return {
    services: Object.fromEntries(services),
    sharedVariables: variables(environment.sharedVariables),
    volumes: Object.fromEntries(volumes.map(({ volumeId, sizeMB, region }) => [volumeId, { sizeMB, region }])),
    buckets: Object.fromEntries(
      Object.entries(environment.buckets).filter(([bucket]) => world.state.buckets[bucket]?.projectId === projectId),
    ),
    ...(environment.privateNetworkDisabled === undefined
      ? {}
      : { privateNetworkDisabled: environment.privateNetworkDisabled }),
  };
}

/** Changes with every change of the configuration. */
export const etagOf = (config: object): string =>
  createHash("sha256").update(JSON.stringify(config)).digest("hex").slice(0, 32);
