import { domainsOf, ownSuffix } from "../domains";
import type { DomainRecord, TcpProxy } from "../state";
import type { World } from "../world";
import { date, type View } from "./pages";

export function viewDomain(world: World, record: DomainRecord): View {
  const { domain, kind, projectId, serviceId, environmentId, targetPort, createdAt, updatedAt } = record;
  const common = { projectId, serviceId, environmentId, targetPort: targetPort ?? null, syncStatus: "ACTIVE" };
  const times = { createdAt: date(createdAt), updatedAt: date(updatedAt), deletedAt: null };
  if (kind === "service")
    return {
      ...{ __typename: "ServiceDomain", id: record.id, domain, suffix: ownSuffix, newDomainName: null },
      ...{ newHostLabel: null, ...common, ...times },
    };
  const isIssued = world.clock.now() >= (record.issuedAt ?? 0);
  const labels = domain.split(".");
  const zone = labels.slice(-2).join(".");
  const host = labels.slice(0, -2).join(".");
  return {
    ...{ __typename: "CustomDomain", id: record.id, domain, isRailwayDomain: false, ...common, ...times },
    status: {
      verified: isIssued,
      verificationDnsHost: host === "" ? "_railway-verify" : `_railway-verify.${host}`,
      verificationToken: record.verificationToken,
      certificateErrorMessage: null,
      certificateStatus: isIssued ? "CERTIFICATE_STATUS_TYPE_VALID" : "CERTIFICATE_STATUS_TYPE_VALIDATING_OWNERSHIP",
      dnsRecords: [
        {
          currentValue: isIssued ? record.cname : "",
          fqdn: domain,
          hostlabel: host,
          purpose: "DNS_RECORD_PURPOSE_TRAFFIC_ROUTE",
          recordType: "DNS_RECORD_TYPE_CNAME",
          requiredValue: record.cname,
          status: isIssued ? "DNS_RECORD_STATUS_PROPAGATED" : "DNS_RECORD_STATUS_REQUIRES_UPDATE",
          zone,
        },
      ],
    },
  };
}

export function viewDomains(world: World, serviceId: string, environmentId: string): View {
  const all = domainsOf(world, serviceId, environmentId);
  const of = (kind: string): View[] => all.filter((one) => one.kind === kind).map((one) => viewDomain(world, one));
  return { serviceDomains: of("service"), customDomains: of("custom") };
}

export function viewProxy(world: World, proxy: TcpProxy): View {
  return {
    id: proxy.id,
    serviceId: proxy.serviceId,
    environmentId: proxy.environmentId,
    applicationPort: proxy.applicationPort,
    domain: world.host,
    proxyPort: world.state.edges[proxy.id] ?? 0,
    syncStatus: world.state.edges[proxy.id] === undefined ? "CREATING" : "ACTIVE",
    createdAt: date(proxy.createdAt),
    updatedAt: date(proxy.createdAt),
    deletedAt: null,
  };
}
