import { createHash } from "node:crypto";
import { addBucket, checkBucket, removeBucket, standardBucketRegion } from "./buckets";
import { checkService } from "./checking";
import { addDomain, addProxy, checkDomain, domainsOf, proxiesOf, removeDomain, removeProxy } from "./domains";
import { addInstance, deployInstance, removeInstance } from "./instances";
import { type ConfigPatch, patchConfig, patchVariables, type ServicePatch } from "./patches";
import type { VariableConfig } from "./serviceConfig";
import type { Environment, Instance } from "./state";
import { mountsOf, placeVolume, removeVolumeInstance, resizeVolume } from "./volumes";
import { instanceOf, newId, refuse, type World } from "./world";

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
    for (const kind of ["service", "custom"] as const)
      for (const [name, domain] of Object.entries(domainsIn(service.networking, kind)))
        if (domain !== null && !domainsOf(world, id, environment.id).some((one) => one.domain === name))
          checkDomain(world, kind, name);
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
  for (const [id, bucket] of Object.entries(patch.buckets ?? {})) {
    if (state.buckets[id]?.projectId !== environment.projectId) throw refuse(`Bucket ${id} not found`);
    if (bucket !== null && bucket.isDeleted !== true)
      checkBucket(world, id, environment.id, bucket.region ?? standardBucketRegion);
  }
}

/** The domains of a kind that a patch is about, by name. */
const domainsIn = (
  networking: ServicePatch["networking"],
  kind: "service" | "custom",
): Readonly<Record<string, { readonly port?: number | null } | null>> =>
  (kind === "service" ? networking?.serviceDomains : networking?.customDomains) ?? {};

function patchNetworking(world: World, instance: Instance, networking: NonNullable<ServicePatch["networking"]>): void {
  const { serviceId, environmentId } = instance;
  for (const kind of ["service", "custom"] as const) {
    for (const [name, domain] of Object.entries(domainsIn(networking, kind))) {
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
    if (bucket === null || bucket.isDeleted === true) await removeBucket(world, id, environment.id);
    else await addBucket(world, id, environment.id, bucket.region ?? standardBucketRegion);
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
