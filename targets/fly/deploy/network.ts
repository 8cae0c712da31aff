import {
  addCertificate,
  assignIp,
  certificateOf,
  listCertificates,
  listIps,
  releaseIp,
  removeCertificate,
} from "../api/network";
import type { Certificate, IpAssignment } from "../api/types";
import type { DnsRecord, FlyAppPlan, IpKind } from "../plan";
import type { Run } from "./run";

/** The kind of an address: Fly's answers tell it only by its form. */
export function kindOf({ ip, shared }: IpAssignment): IpKind {
  if (/^f[cd]/i.test(ip)) return "private_v6";
  if (ip.includes(":")) return "v6";
  return shared === true ? "shared_v4" : "v4";
}

/** Gives the app the planned addresses, and takes dedicated IPv4 ones away that nobody asks for any more, as they are billed. */
export async function ensureIps(run: Run, app: FlyAppPlan, have: readonly IpAssignment[]): Promise<IpAssignment[]> {
  const { fly } = run;
  const kept = have.filter((ip) => app.ips.includes(kindOf(ip)));
  for (const kind of app.ips) {
    if (kept.some((ip) => kindOf(ip) === kind)) continue;
    const find = async () => (await listIps(fly, app.name)).find((ip) => kindOf(ip) === kind);
    const made = await assignIp(fly, app.name, { type: kind }, find);
    kept.push(made);
    run.changed(`${app.name}: address ${made.ip} (${kind})`);
  }
  for (const ip of have) {
    // A private app that was public, or the other way round, must not stay reachable by the address of before.
    if (kept.includes(ip)) continue;
    await releaseIp(fly, app.name, ip.ip);
    run.changed(`${app.name}: address ${ip.ip} given back`);
  }
  return kept;
}

/**
 * Asks for the certificates of the app's domains, and gives those of other domains up: an app has the domains that its stack
 * names, and no others.
 * @returns the records that the domains' owner has to enter
 */
export async function ensureDomains(run: Run, app: FlyAppPlan, ips: readonly IpAssignment[]): Promise<DnsRecord[]> {
  const { fly } = run;
  if (!isPublic(app)) return [];
  const have = (await listCertificates(fly, app.name)).map(({ hostname }) => hostname);
  for (const hostname of have.filter((one) => !app.domains.includes(one))) {
    await removeCertificate(fly, app.name, hostname);
    run.changed(`${app.name}: certificate of ${hostname} given up`);
  }
  const records: DnsRecord[] = [];
  for (const domain of app.domains) {
    let certificate = have.includes(domain) ? await certificateOf(fly, app.name, domain) : undefined;
    if (certificate === undefined) {
      certificate = await addCertificate(fly, app.name, domain);
      run.changed(`${app.name}: certificate asked for ${domain}`);
    }
    records.push(...recordsOf(domain, certificate, ips));
  }
  return records;
}

const isPublic = ({ ips }: FlyAppPlan): boolean => ips.some((kind) => kind !== "private_v6");

/** Fly's own words for what it needs; by the app's addresses where it doesn't say. */
export function recordsOf(domain: string, certificate: Certificate, ips: readonly IpAssignment[]): DnsRecord[] {
  const needs = certificate.dns_requirements;
  const of = (kinds: readonly IpKind[]) => ips.filter((ip) => kinds.includes(kindOf(ip))).map(({ ip }) => ip);
  const a = needs?.a ?? of(["v4", "shared_v4"]);
  const aaaa = needs?.aaaa ?? of(["v6"]);
  const challenge = needs?.acme_challenge;
  const ownership = needs?.ownership;
  return [
    ...a.map((value): DnsRecord => ({ domain, type: "A", name: domain, value })),
    ...aaaa.map((value): DnsRecord => ({ domain, type: "AAAA", name: domain, value })),
    ...(challenge?.name !== undefined && challenge.target !== undefined
      ? [{ domain, type: "CNAME" as const, name: challenge.name, value: challenge.target }]
      : []),
    ...(ownership?.name !== undefined && ownership.app_value !== undefined
      ? [{ domain, type: "TXT" as const, name: ownership.name, value: ownership.app_value }]
      : []),
  ];
}
