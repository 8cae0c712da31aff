import { createOnce } from "../../../drivers/http";
import type { Domain, Service } from "../api/types";
import type { RenderService, RenderServiceResult } from "../plan";
import type { Run } from "./run";

type Dns = RenderServiceResult["dns"];

/** Gives a service its domains. Others that it has stay. @returns the records that a person has to enter */
export async function ensureDomains(run: Run, service: RenderService, found: Service): Promise<Dns> {
  const { render } = run;
  if (service.domains.length === 0) return [];
  const has = await render.domains(found.id);
  const deadline = render.deadline(120, `the domains of ${service.name}`);
  const path = `/services/${found.id}/custom-domains`;
  for (const name of service.domains) {
    if (has.some((domain) => domain.name === name)) continue;
    await createOnce<unknown>(render.client, {
      create: () => render.call("POST", path, { body: { name }, deadline }),
      find: async () => (await render.domains(found.id)).find((domain: Domain) => domain.name === name),
      deadline,
    });
    run.changed(`${service.name}: ${name}`);
  }
  return service.domains.map((name) => ({ name, type: "CNAME", value: `${found.slug}.onrender.com` }));
}
