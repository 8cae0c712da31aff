import { randomBytes } from "node:crypto";
import type { DomainRecord, Instance, TcpProxy } from "./state";
import { newId, refuse, slug, type World } from "./world";

/** What Railway's own domains end with. */
export const ownSuffix = "up.railway.app";

const inPlace = (serviceId: string, environmentId: string) => (one: { serviceId: string; environmentId: string }) =>
  one.serviceId === serviceId && one.environmentId === environmentId;

export function domainsOf(world: World, serviceId: string, environmentId: string): DomainRecord[] {
  return Object.values(world.state.domains).filter(inPlace(serviceId, environmentId));
}

export function proxiesOf(world: World, serviceId: string, environmentId: string): TcpProxy[] {
  return Object.values(world.state.tcpProxies).filter(inPlace(serviceId, environmentId));
}

export const isTaken = (world: World, domain: string): boolean =>
  Object.values(world.state.domains).some((one) => one.domain === domain);

/** Refuses a name that isn't free, or is none. */
export function checkDomain(world: World, kind: DomainRecord["kind"], domain: string): void {
  if (isTaken(world, domain)) throw refuse(`Domain ${domain} is not available`);
  if (kind === "custom" && !/^(?:\*\.)?(?:[a-z0-9-]+\.)+[a-z]{2,}$/i.test(domain))
    throw refuse(`Invalid domain: ${domain}`);
}

/** Gives a service one more domain; without a name, one of Railway's own. */
export function addDomain(
  world: World,
  instance: Instance,
  kind: DomainRecord["kind"],
  wanted: { readonly domain?: string; readonly targetPort?: number | undefined },
): DomainRecord {
  const { serviceId, environmentId } = instance;
  const service = world.state.services[serviceId]!;
  const environment = world.state.environments[environmentId]!;
  const standard = `${slug(service.name)}-${slug(environment.name)}`;
  const free = isTaken(world, `${standard}.${ownSuffix}`) ? `${standard}-${randomBytes(2).toString("hex")}` : standard;
  const domain = wanted.domain ?? `${free}.${ownSuffix}`;
  checkDomain(world, kind, domain);
  const now = world.clock.now();
  const own = {
    cname: `${randomBytes(4).toString("hex")}.${ownSuffix}`,
    verificationToken: `railway-verify=${randomBytes(16).toString("hex")}`,
    issuedAt: now + world.timings.certificate,
  };
  const record: DomainRecord = {
    id: newId(),
    kind,
    domain,
    serviceId,
    environmentId,
    projectId: service.projectId,
    ...(wanted.targetPort === undefined ? {} : { targetPort: wanted.targetPort }),
    createdAt: now,
    updatedAt: now,
    ...(kind === "custom" ? own : {}),
  };
  world.state.domains[record.id] = record;
  world.store.save();
  world.changes.emit("edges");
  return record;
}

export function removeDomain(world: World, id: string): void {
  Reflect.deleteProperty(world.state.domains, id);
  world.store.save();
  world.changes.emit("edges");
}

/** Lets a port of a service be reached from outside, once it is deployed again. */
export function addProxy(world: World, instance: Instance, applicationPort: number): TcpProxy {
  const { serviceId, environmentId } = instance;
  if (applicationPort < 1 || applicationPort > 65_535) throw refuse(`Invalid port: ${applicationPort}`);
  if (proxiesOf(world, serviceId, environmentId).length > 0)
    throw refuse("Only one TCP proxy is allowed per service instance");
  const proxy = { id: newId(), serviceId, environmentId, applicationPort, createdAt: world.clock.now() };
  world.state.tcpProxies[proxy.id] = proxy;
  world.store.save();
  world.changes.emit("edges");
  return proxy;
}

export function removeProxy(world: World, id: string): void {
  Reflect.deleteProperty(world.state.tcpProxies, id);
  world.store.save();
  world.changes.emit("edges");
}
