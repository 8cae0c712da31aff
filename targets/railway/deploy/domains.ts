import { createOnce } from "../../../drivers/http";
import type { CustomDomain, Instance, ServiceDomain } from "../api/types";
import type { DnsRecord } from "../plan";
import type { Place } from "./find";
import type { Run } from "./run";
import type { Step } from "./steps";

/** What a service is reached at. */
export interface Addresses {
  readonly url?: string;
  readonly dns: readonly DnsRecord[];
}

type Domains = Instance["domains"];

const customFields =
  "id domain targetPort status { dnsRecords { recordType fqdn requiredValue } verificationDnsHost verificationToken }";

async function domainsOf(run: Run, place: Place, serviceId: string): Promise<Domains> {
  const answer = await run.railway.ask<{ domains: Domains }>(
    `query Domains($projectId: String!, $environmentId: String!, $serviceId: String!) {
      domains(projectId: $projectId, environmentId: $environmentId, serviceId: $serviceId) {
        serviceDomains { id domain targetPort } customDomains { ${customFields} }
      }
    }`,
    { ...place, serviceId },
  );
  return answer.domains;
}

/** Gives a service its addresses, and takes those away that would show it to the world though it isn't to be seen. */
export async function ensureDomains(run: Run, place: Place, step: Step, serviceId: string): Promise<Addresses> {
  const { service, recorded } = step;
  const known = step.instance?.domains ?? { serviceDomains: [], customDomains: [] };
  const port = service.publicPort;
  for (const { id, domain } of known.customDomains) {
    // Others than ours may have been added by hand; they go with the service's publicity alone.
    if (domain === service.domain || (port !== undefined && domain !== recorded?.domain)) continue;
    await remove(run, "customDomainDelete", id);
    run.changed(`${service.name}: domain ${domain} is taken away`);
  }
  if (port === undefined) {
    for (const { id, domain } of known.serviceDomains) {
      await remove(run, "serviceDomainDelete", id);
      run.changed(`${service.name}: address ${domain} is taken away`);
    }
    return { dns: [] };
  }
  const own = await ensureOwn(run, place, serviceId, port, known.serviceDomains[0]);
  if (service.domain === undefined) return { url: `https://${own.domain}`, dns: [] };
  const there = known.customDomains.find(({ domain }) => domain === service.domain);
  const custom = await ensureCustom(run, place, serviceId, port, service.domain, there);
  return { url: `https://${service.domain}`, dns: recordsOf(custom) };
}

async function remove(run: Run, mutation: "customDomainDelete" | "serviceDomainDelete", id: string): Promise<void> {
  await run.railway.ask(`mutation RemoveDomain($id: String!) { ${mutation}(id: $id) }`, { id });
}

/** The address that Railway gives, `…up.railway.app`. */
async function ensureOwn(
  run: Run,
  place: Place,
  serviceId: string,
  targetPort: number,
  there: ServiceDomain | undefined,
): Promise<ServiceDomain> {
  const { railway } = run;
  const { environmentId } = place;
  if (there !== undefined) {
    if (there.targetPort === targetPort) return there;
    await railway.ask(
      "mutation MoveAddress($input: ServiceDomainUpdateInput!) { serviceDomainUpdate(input: $input) }",
      { input: { serviceDomainId: there.id, domain: there.domain, environmentId, serviceId, targetPort } },
    );
    return there;
  }
  const deadline = railway.deadline(120, "an address to be made");
  return createOnce<ServiceDomain>(railway.client, {
    deadline,
    create: async () => {
      const answer = await railway.make<{ serviceDomainCreate: ServiceDomain }>(
        "mutation CreateAddress($input: ServiceDomainCreateInput!) { serviceDomainCreate(input: $input) { id domain targetPort } }",
        { input: { environmentId, serviceId, targetPort } },
        { deadline },
      );
      return answer.serviceDomainCreate;
    },
    find: async () => (await domainsOf(run, place, serviceId)).serviceDomains[0],
  });
}

async function ensureCustom(
  run: Run,
  place: Place,
  serviceId: string,
  targetPort: number,
  domain: string,
  there: CustomDomain | undefined,
): Promise<CustomDomain> {
  const { railway } = run;
  if (there !== undefined) {
    if (there.targetPort !== targetPort) {
      await railway.ask(
        `mutation MoveDomain($id: String!, $environmentId: String!, $targetPort: Int) {
          customDomainUpdate(id: $id, environmentId: $environmentId, targetPort: $targetPort)
        }`,
        { id: there.id, environmentId: place.environmentId, targetPort },
      );
    }
    return there;
  }
  const deadline = railway.deadline(120, `domain ${domain} to be added`);
  const made = await createOnce<CustomDomain>(railway.client, {
    deadline,
    create: async () => {
      const answer = await railway.make<{ customDomainCreate: CustomDomain }>(
        `mutation CreateDomain($input: CustomDomainCreateInput!) { customDomainCreate(input: $input) { ${customFields} } }`,
        { input: { ...place, serviceId, domain, targetPort } },
        { deadline },
      );
      return answer.customDomainCreate;
    },
    find: async () => (await domainsOf(run, place, serviceId)).customDomains.find((one) => one.domain === domain),
  });
  run.changed(`domain ${domain} is added; its DNS records are in pulumi stack output`);
  return made;
}

function recordsOf({ domain, status }: CustomDomain): DnsRecord[] {
  const { dnsRecords, verificationDnsHost, verificationToken } = status;
  const records = dnsRecords.map(({ recordType, fqdn, requiredValue }) => ({
    domain,
    type: recordType.replace(/^DNS_RECORD_TYPE_/, ""),
    name: fqdn,
    value: requiredValue,
  }));
  const host = verificationDnsHost ?? undefined;
  const token = verificationToken ?? undefined;
  const isListed = records.some(({ type }) => type === "TXT");
  if (host === undefined || token === undefined || isListed) return records;
  return [...records, { domain, type: "TXT", name: host, value: token }];
}
