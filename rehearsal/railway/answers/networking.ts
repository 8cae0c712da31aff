import type { Roots } from "../../platform/graphql";
import { environmentOf, findInstance, projectOf } from "../access";
import { addDomain, addProxy, isTaken, ownSuffix, proxiesOf, removeDomain, removeProxy } from "../domains";
import type { DomainRecord, Token } from "../state";
import { viewDomain, viewDomains, viewProxy } from "../views/networking";
import { notAuthorized, refuse, type World } from "../world";

interface Place {
  readonly serviceId: string;
  readonly environmentId: string;
}

const portOf = (targetPort: number | null | undefined): { targetPort?: number } => {
  if (targetPort == null) return {};
  if (targetPort < 1 || targetPort > 65_535) throw refuse(`Invalid target port: ${targetPort}`);
  return { targetPort };
};

/** Domains and TCP proxies. */
export function networking(world: World, token: Token): Roots {
  const { state } = world;
  const domainOf = (id: string, kind: DomainRecord["kind"]): DomainRecord => {
    const domain = state.domains[id];
    if (domain?.kind !== kind) throw notAuthorized();
    environmentOf(world, token, domain.environmentId);
    return domain;
  };
  const available = ({ domain }: { domain: string }): object => {
    const isFree = !isTaken(world, domain);
    return { available: isFree, message: isFree ? "" : "Domain is already in use" };
  };
  return {
    domains: ({ serviceId, environmentId }: Place) => {
      findInstance(world, token, serviceId, environmentId);
      return viewDomains(world, serviceId, environmentId);
    },
    customDomain: ({ id }: { id: string }) => viewDomain(world, domainOf(id, "custom")),
    customDomainAvailable: available,
    serviceDomainAvailable: available,
    tcpProxies: ({ serviceId, environmentId }: Place) => {
      findInstance(world, token, serviceId, environmentId);
      return proxiesOf(world, serviceId, environmentId).map((one) => viewProxy(world, one));
    },

    serviceDomainCreate: ({ input }: { input: Place & { targetPort?: number | null } }) => {
      const instance = findInstance(world, token, input.serviceId, input.environmentId);
      return viewDomain(world, addDomain(world, instance, "service", portOf(input.targetPort)));
    },
    serviceDomainUpdate: ({
      input,
    }: {
      input: Place & { serviceDomainId: string; domain: string; targetPort?: number | null };
    }) => {
      const record = domainOf(input.serviceDomainId, "service");
      if (record.domain !== input.domain) {
        if (!input.domain.endsWith(`.${ownSuffix}`)) throw refuse(`Domain must end with .${ownSuffix}`);
        if (isTaken(world, input.domain)) throw refuse(`Domain ${input.domain} is not available`);
      }
      Object.assign(record, { domain: input.domain, updatedAt: world.clock.now(), ...portOf(input.targetPort) });
      world.store.save();
      return true;
    },
    serviceDomainDelete: ({ id }: { id: string }) => {
      removeDomain(world, domainOf(id, "service").id);
      return true;
    },
    customDomainCreate: ({
      input,
    }: {
      input: Place & { projectId: string; domain: string; targetPort?: number | null };
    }) => {
      projectOf(world, token, input.projectId);
      const instance = findInstance(world, token, input.serviceId, input.environmentId);
      const wanted = { domain: input.domain, ...portOf(input.targetPort) };
      return viewDomain(world, addDomain(world, instance, "custom", wanted));
    },
    customDomainUpdate: ({ id, targetPort }: { id: string; targetPort?: number | null }) => {
      Object.assign(domainOf(id, "custom"), portOf(targetPort), { updatedAt: world.clock.now() });
      world.store.save();
      return true;
    },
    customDomainDelete: ({ id }: { id: string }) => {
      removeDomain(world, domainOf(id, "custom").id);
      return true;
    },
    tcpProxyCreate: ({ input }: { input: Place & { applicationPort: number } }) => {
      const instance = findInstance(world, token, input.serviceId, input.environmentId);
      return viewProxy(world, addProxy(world, instance, input.applicationPort));
    },
    tcpProxyDelete: ({ id }: { id: string }) => {
      const proxy = state.tcpProxies[id];
      if (proxy === undefined) throw notAuthorized();
      environmentOf(world, token, proxy.environmentId);
      removeProxy(world, id);
      return true;
    },
  };
}
