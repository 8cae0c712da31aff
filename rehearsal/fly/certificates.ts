import type { Handler, Request } from "./operation";
import type { App, Certificate } from "./state";
import { appOf, isListed, refuse } from "./world";
import type { World } from "./world";

const target = ({ world, token, values }: Request): App => appOf(world, token, values["app_name"]!);

/** The hostname's records as the API asks for them: an apex needs A and AAAA, a subdomain a CNAME. */
function requirements(app: App, hostname: string): Record<string, unknown> {
  const addresses = (wanted: (ip: string) => boolean): string[] =>
    app.addresses.map((address) => address.ip).filter((ip) => wanted(ip) && !ip.startsWith("fdaa:"));
  return {
    a: addresses((ip) => !ip.includes(":")),
    aaaa: addresses((ip) => ip.includes(":")),
    cname: `${app.id.slice(-8)}.fly.dev`,
    acme_challenge: { name: `_acme-challenge.${hostname}`, target: `${hostname}.${app.id.slice(-8)}.flydns.net` },
    ownership: {
      name: `_fly-ownership.${hostname}`,
      app_value: `app-${app.id.slice(-8)}`,
      org_value: `org-${app.org}`,
    },
  };
}

function view(world: World, app: App, certificate: Certificate): Record<string, unknown> {
  const { hostname, source, createdAt, activeAt } = certificate;
  const isActive = world.clock.now() >= activeAt;
  const expires = new Date(activeAt + 90 * 24 * 3600_000).toISOString();
  return {
    hostname,
    configured: isActive,
    acme_requested: source === "fly",
    status: isActive ? "active" : "pending_validation",
    dns_provider: "",
    rate_limited_until: null,
    created_at: createdAt,
    certificates: [
      {
        source,
        status: isActive ? "active" : "pending_validation",
        ...(isActive
          ? {
              expires_at: expires,
              issued: [{ type: "ecdsa", expires_at: expires, certificate_authority: "rehearsal" }],
            }
          : { issued: [] }),
      },
    ],
    validation: {
      dns_configured: isActive,
      alpn_configured: isActive,
      http_configured: isActive,
      ownership_txt_configured: false,
    },
    dns_requirements: requirements(app, hostname),
    validation_errors: [],
  };
}

function add(request: Request, hostname: string, source: "fly" | "custom"): Certificate {
  const { world } = request;
  const app = target(request);
  if (!/^(\*\.)?([a-z0-9-]+\.)+[a-z]{2,}$/i.test(hostname)) throw refuse(422, `Hostname is invalid: ${hostname}`);
  const owner = Object.values(world.state.apps).find((one) => one.certificates[hostname] !== undefined);
  if (owner !== undefined) throw refuse(422, `Hostname already exists on app: ${hostname}`);
  const now = world.clock.now();
  const certificate: Certificate = {
    hostname,
    source,
    createdAt: new Date(now).toISOString(),
    activeAt: source === "custom" ? now : now + world.timings.certificate,
  };
  app.certificates[hostname] = certificate;
  world.store.save();
  return certificate;
}

export const createAcmeCertificate: Handler = (request) => {
  const { hostname } = request.body as { hostname: string };
  return { status: 201, body: view(request.world, target(request), add(request, hostname, "fly")) };
};

export const createCustomCertificate: Handler = (request) => {
  const { hostname } = request.body as { hostname: string };
  return { status: 201, body: view(request.world, target(request), add(request, hostname, "custom")) };
};

function certificateOf(request: Request): Certificate {
  const hostname = request.values["hostname"]!;
  const certificate = target(request).certificates[hostname];
  if (certificate === undefined) throw refuse(404, `certificate not found: ${hostname}`);
  return certificate;
}

export const getCertificate: Handler = (request) => ({
  status: 200,
  body: view(request.world, target(request), certificateOf(request)),
});
export const checkCertificate = getCertificate;

export const listCertificates: Handler = (request) => {
  const { world } = request;
  const listed = Object.values(target(request).certificates).filter(({ createdAt }) => isListed(world, createdAt));
  const all = listed.map((one) => view(world, target(request), one));
  return { status: 200, body: { certificates: all, next_cursor: "", total_count: all.length } };
};

export const deleteCertificate: Handler = (request) => {
  const { hostname } = certificateOf(request);
  target(request).certificates = Object.fromEntries(
    Object.entries(target(request).certificates).filter(([name]) => name !== hostname),
  );
  request.world.store.save();
  return { status: 204 };
};
export const deleteAcmeCertificate = deleteCertificate;
export const deleteCustomCertificate = deleteCertificate;
