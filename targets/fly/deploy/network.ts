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

/**
 * Gives the app the planned addresses, one of each kind, and takes others away: they are billed, or keep an app reachable by the
 * address of before.
 * @param have what there was at the first look
 * @param isNew whether this run made the app: then nothing can be in it that the list doesn't tell of yet
 */
export async function ensureIps(
  run: Run,
  app: FlyAppPlan,
  have: readonly IpAssignment[],
  isNew: boolean,
): Promise<IpAssignment[]> {
  const { fly } = run;
  const lacks = (there: readonly IpAssignment[]) => app.ips.some((kind) => !there.some((ip) => kindOf(ip) === kind));
  // What a run that was cut off was given may be told of only now, and a second one would be billed, too.
  const there = lacks(have) && !isNew ? await listIps(fly, app.name) : have;
  const kept: IpAssignment[] = [];
  for (const kind of app.ips) {
    // The oldest is the one that domains are pointed at.
    const [first] = there.filter((ip) => kindOf(ip) === kind).sort(byAge);
    if (first !== undefined) {
      kept.push(first);
      continue;
    }
    const find = async () => (await listIps(fly, app.name)).find((ip) => kindOf(ip) === kind);
    const made = await assignIp(fly, app.name, { type: kind }, find);
    kept.push(made);
    run.changed(`${app.name}: address ${made.ip} (${kind})`);
  }
  for (const { ip } of there.filter((one) => !kept.includes(one))) {
    await releaseIp(fly, app.name, ip);
    run.changed(`${app.name}: address ${ip} given back`);
  }
  return kept;
}

const byAge = (a: IpAssignment, b: IpAssignment): number => (a.created_at ?? "").localeCompare(b.created_at ?? "");

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
      const added = await addCertificate(fly, app.name, domain);
      certificate = added.certificate;
      if (added.isNew) run.changed(`${app.name}: certificate asked for ${domain}`);
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
