import { createOnce } from "../../../drivers/http";
import type { Domain, Service } from "../api/types";
import type { RenderService, RenderServiceResult } from "../plan";
import type { Found, FoundService } from "./find";
import { domainsMark, mark, ownDomains } from "./marks";
import type { Run } from "./run";

type Dns = RenderServiceResult["dns"];

/**
 * Gives a service its domains. What it has besides stays: `dropDomains` takes off what was added for the app.
 * @returns the records that a person has to enter
 */
export async function ensureDomains(run: Run, service: RenderService, made: Service, found: Found): Promise<Dns> {
  const { render } = run;
  if (service.domains.length === 0) return [];
  const has = await render.domains(made.id);
  const lacking = service.domains.filter((name) => !has.some((domain) => domain.name === name));
  const before = found.services.get(service.name);
  // Marked first: a run that ends in between has added nothing that the next one doesn't know as its own.
  const own = before === undefined ? lacking : ownDomains(before.env);
  const unmarked = lacking.filter((name) => !own.includes(name));
  if (unmarked.length > 0) await setMark(run, made.id, [...own, ...unmarked]);
  for (const name of lacking) {
    await free(run, name, made.id, found);
    await add(run, service, made.id, name);
  }
  return service.domains.map((name) => ({ name, type: "CNAME", value: `${made.slug}.onrender.com` }));
}

async function add(run: Run, service: RenderService, id: string, name: string): Promise<void> {
  const { render } = run;
  const deadline = render.deadline(120, `the domains of ${service.name}`);
  await createOnce<unknown>(render.client, {
    create: () => render.call("POST", `/services/${id}/custom-domains`, { body: { name }, deadline }),
    find: async () => (await render.domains(id)).find((domain: Domain) => domain.name === name),
    deadline,
  });
  run.changed(`${service.name}: ${name}`);
}

/** Takes a domain off the service of the app that had it until now: only one can have it. */
async function free(run: Run, name: string, id: string, { services, retired }: Found): Promise<void> {
  const others = [...services.values(), ...retired].filter((one) => one.service.id !== id);
  for (const { service, env } of others) if (ownDomains(env).includes(name)) await takeOff(run, service, name);
}

/**
 * Takes off the domains that were added for the app and that it doesn't declare any more; what somebody added by hand stays.
 * Not before the whole app is live: until then the version from before may come back.
 */
export async function dropDomains(
  run: Run,
  service: RenderService,
  { service: has, env }: FoundService,
): Promise<void> {
  if (ownDomains(env).every((name) => service.domains.includes(name))) return;
  const { render } = run;
  const own = ownDomains(await render.variables(has.id));
  const dropped = own.filter((name) => !service.domains.includes(name));
  // `www.` of a domain, or the domain of a `www.`, came by itself and leads to it.
  const gone = (await render.domains(has.id)).filter(
    ({ name, redirectForName }) => dropped.includes(name) || dropped.includes(redirectForName),
  );
  for (const { name } of gone) await takeOff(run, has, name);
  const back = gone.map(({ name }) => name).filter((name) => service.domains.includes(name));
  for (const name of back) await add(run, service, has.id, name);
  await setMark(
    run,
    has.id,
    [...new Set([...own, ...back])].filter((name) => service.domains.includes(name)),
  );
}

/** Takes off all domains that were added for the app. */
export async function dropAllDomains(run: Run, { service, env }: Pick<FoundService, "service" | "env">): Promise<void> {
  const own = ownDomains(env);
  if (own.length === 0) return;
  for (const name of own) await takeOff(run, service, name);
  await setMark(run, service.id, []);
}

async function takeOff(run: Run, { id, name }: Service, domain: string): Promise<void> {
  await run.render.remove(`/services/${id}/custom-domains/${domain}`);
  run.changed(`${name}: ${domain} is taken off`);
}

async function setMark({ render }: Run, id: string, names: readonly string[]): Promise<void> {
  const path = `/services/${id}/env-vars/${mark.domains}`;
  const { [mark.domains]: value } = domainsMark(names);
  if (value === undefined) await render.remove(path);
  else await render.call("PUT", path, { body: { value } });
}
