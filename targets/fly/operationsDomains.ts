import type { Finding } from "../operations";
import type { Fly } from "./api/fly";
import { certificateOf } from "./api/network";
import type { Certificate, IpAssignment } from "./api/types";
import { recordsOf } from "./deploy/network";

/** Whether each of an app's domains has its certificate, and what its owner has to enter where it hasn't. */
export function domainFindings(
  fly: Fly,
  app: string,
  domains: readonly string[],
  ips: readonly IpAssignment[],
): Promise<Finding[]> {
  return Promise.all(
    domains.map(async (domain) => judgeCertificate(domain, await certificateOf(fly, app, domain), ips)),
  );
}

/** Pure. */
export function judgeCertificate(
  domain: string,
  certificate: Certificate | undefined,
  ips: readonly IpAssignment[],
): Finding {
  if (certificate === undefined)
    return { level: "problem", what: `Fly has no certificate for ${domain}: pulumi up asks for one.` };
  const { status = "unknown", certificates, validation_errors: errors } = certificate;
  // As flyctl has it (internal/command/certificates/root.go): a custom one and Fly's own are told beside each other.
  if ((certificates ?? []).some((one) => one.status === "active"))
    return { level: "ok", what: `The certificate of ${domain} is active.` };
  const said = (errors ?? []).map(({ message }) => message ?? "").filter((text) => text !== "");
  return {
    level: "warning",
    what: [`The certificate of ${domain} isn't active: ${status}`, ...said].join("; "),
    fix: `enter at the domain's registrar, then wait: ${recordsOf(domain, certificate, ips)
      .map(({ type, name, value }) => `${type} ${name} ${value}`)
      .join(", ")}`,
  };
}
