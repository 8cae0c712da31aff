import { without } from "../platform/without";
import { asked, page, type Handler, type Request } from "./operation";
import { serviceOf } from "./services";
import type { Domain } from "./state";
import { isoTime, newId, refuse, type World } from "./world";

const isApex = (name: string): boolean => name.split(".").length === 2;

function view(world: World, domain: Domain): { id: string } & Record<string, unknown> {
  const { id, name, redirectForName, verified, serviceId, createdAt } = domain;
  const service = world.state.services[serviceId];
  return {
    ...{ id, name, redirectForName, domainType: isApex(name) ? "apex" : "subdomain" },
    publicSuffix: name.split(".").at(-1),
    verificationStatus: verified ? "verified" : "unverified",
    createdAt: isoTime(createdAt),
    server: { id: serviceId, name: service?.name },
  };
}

const domainsOf = (request: Request): Domain[] => {
  const service = serviceOf(request);
  return Object.values(request.world.state.domains).filter(({ serviceId }) => serviceId === service.id);
};

export const listCustomDomains: Handler = (request) =>
  page(
    request.query,
    "customDomain",
    domainsOf(request)
      .filter(({ name }) => asked(request.query, "name", name))
      .map((domain) => view(request.world, domain)),
  );

/** An apex comes with its `www`, which leads to it, and the other way round. */
export const createCustomDomain: Handler = (request) => {
  const { world } = request;
  const service = serviceOf(request);
  if (service.type !== "web_service") throw refuse(400, "custom domains are for web services");
  const { name } = request.body as { name: string };
  if (!/^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$/.test(name)) throw refuse(400, `invalid domain: ${name}`);
  const taken = Object.values(world.state.domains).map((domain) => domain.name);
  if (taken.includes(name)) throw refuse(409, `domain already in use: ${name}`);
  const twin = isApex(name) ? `www.${name}` : name.startsWith("www.") && isApex(name.slice(4)) ? name.slice(4) : "";
  const names = [name, ...(twin === "" || taken.includes(twin) ? [] : [twin])];
  const made = names.map((one): Domain => ({
    ...{ id: newId("cdm"), serviceId: service.id, name: one, redirectForName: one === name ? "" : name },
    ...{ verified: false, createdAt: world.clock.now() },
  }));
  for (const domain of made) world.state.domains[domain.id] = domain;
  world.store.save();
  return { status: 201, body: made.map((domain) => view(world, domain)) };
};

function domainOf(request: Request): Domain {
  const wanted = request.values["customDomainIdOrName"]!;
  const domain = domainsOf(request).find(({ id, name }) => id === wanted || name === wanted);
  if (domain === undefined) throw refuse(404, `not found: ${wanted}`);
  return domain;
}

export const retrieveCustomDomain: Handler = (request) => ({
  status: 200,
  body: view(request.world, domainOf(request)),
});

export const deleteCustomDomain: Handler = (request) => {
  const domain = domainOf(request);
  request.world.state.domains = without(request.world.state.domains, domain.id);
  request.world.store.save();
  return { status: 204 };
};

/** Looks for its records again: here they are there as soon as it is asked. */
export const refreshCustomDomain: Handler = (request) => {
  const { world } = request;
  const domain = domainOf(request);
  void world.clock.sleep(world.timings.domain).then(() => {
    domain.verified = true;
    world.store.save();
  });
  return { status: 202 };
};
