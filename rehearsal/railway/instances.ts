import { cancel, deploy, type DeployOptions, retire } from "./deploying";
import { domainsOf, proxiesOf, removeDomain, removeProxy } from "./domains";
import type { ServiceConfig } from "./serviceConfig";
import { commitOf, headOf } from "./sources";
import type { Deployment, Instance } from "./state";
import { mountsOf } from "./volumes";
import { deploymentsOf, enqueue, instanceKey, newId, refuse, type World } from "./world";

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
  for (const deployment of left) cancel(world, deployment);
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
  const { commitSha } = config.source;
  if (commitSha !== undefined && !latest)
    return deploy(world, instance, { ...rest, commit: await commitOf(world, instance, commitSha) });
  const commit = latest || known === undefined ? await headOf(world, instance) : known.commit;
  return deploy(world, instance, { ...rest, commit });
}
