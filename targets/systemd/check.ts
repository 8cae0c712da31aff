import type { Problem } from "../../components/problems";
import type { ResolvedApp } from "../../components/resolvedApp";
import { setCommand } from "../../components/settings";
import { objectStoreSettings } from "../../components/stackSettings";
import { Duration } from "../../components/values/duration";
import type { Capabilities } from "../target";
import { portsOf } from "./buildPlan";
import type { Host } from "./host";

/** Loopback ports that hosts give to slots and databases by themselves; see LAYOUT.md. */
export const reservedPorts = { first: 20000, last: 29999 };

export const systemdCapabilities: Capabilities = {
  cron: { minimum: Duration.minutes(1), timeZones: "all" },
  volumes: { perService: 8, withInstances: true },
  autoscaling: false,
  databases: {
    postgres: { extensions: "any" },
    redis: { extensions: [] },
    sqlite: { extensions: [] },
    external: { extensions: [] },
  },
  code: ["image", "source"],
  restrictedAccess: true,
  domains: true,
  buckets: true,
};

/** An app together with the host that it is to run on. */
export interface Placed {
  readonly app: ResolvedApp;
  readonly host: Host;
}

/** What keeps these apps from sharing their hosts. */
export function checkSystemdApps(placed: readonly Placed[]): Problem[] {
  return [...checkPorts(placed), ...checkDomains(placed)];
}

function checkPorts(placed: readonly Placed[]): Problem[] {
  const problems: Problem[] = [];
  const taken = new Map<string, string>();
  for (const { app, host } of placed) {
    for (const service of app.declaration.services) {
      const who = `${app.declaration.name}.${service.name}`;
      // 80 and 443 are shared by host name.
      if (app.domains[service.name] !== undefined) continue;
      for (const port of portsOf(app, service)) {
        const setPort = (free: number) =>
          `pulumi config set --path ${app.declaration.name}:ports.${service.name} ${free}`;
        const key = `${host.name}:${port}`;
        const other = taken.get(key);
        taken.set(key, who);
        if (other !== undefined) {
          problems.push({
            where: `${who}.port`,
            what: `${other} and ${who} both ask for port ${port} on host "${host.name}".`,
            fix: setPort(freePort(port, host, taken)),
          });
        }
        const reason = reservedFor(port, host);
        if (reason !== undefined) {
          problems.push({
            where: `${who}.port`,
            what: `Port ${port} on host "${host.name}" is kept for ${reason}.`,
            fix: setPort(freePort(port, host, taken)),
          });
        }
      }
    }
  }
  return problems;
}

function reservedFor(port: number, host: Host): string | undefined {
  if (port === host.connection.port || port === 22) return "SSH";
  if (port === 80 || port === 443) return "services with a domain; set <app>:domain instead";
  if (port >= reservedPorts.first && port <= reservedPorts.last) return "the host's own use";
  return undefined;
}

function freePort(from: number, host: Host, taken: ReadonlyMap<string, string>): number {
  for (let port = Math.max(from + 1, 1024); port <= 65535; port++) {
    if (reservedFor(port, host) === undefined && !taken.has(`${host.name}:${port}`)) return port;
  }
  return 8080;
}

function checkDomains(placed: readonly Placed[]): Problem[] {
  const taken = new Map<string, string>();
  const problems: Problem[] = [];
  for (const { app, host } of placed) {
    for (const [service, domain] of Object.entries(app.domains)) {
      const key = `${host.name} ${domain}`;
      const who = `${app.declaration.name}.${service}`;
      const other = taken.get(key);
      if (other !== undefined) {
        problems.push({
          where: `${app.declaration.name}:domain`,
          what: `${other} and ${who} both ask for ${domain}.`,
          fix: setCommand(`${app.declaration.name}:domain`, false, `other.${domain}`),
        });
      }
      taken.set(key, who);
    }
  }
  return problems;
}

/** What keeps an app from using archives by an access key, as hosts without an identity of their own must. */
export function checkArchives(app: ResolvedApp): Problem[] {
  if (app.declaration.buckets.length === 0) return [];
  const { accessKeyId, secretAccessKey } = app.stackSettings.objectStore;
  const lacking = [
    ...(accessKeyId === undefined ? [{ key: "s3:accessKeyId", secret: false }] : []),
    ...(secretAccessKey === undefined ? [{ key: "s3:secretAccessKey", secret: true }] : []),
  ];
  return lacking.map(({ key, secret }) => ({
    where: key,
    what: `It has no value, and ${app.declaration.name}'s archive needs one here.`,
    why:
      "A host of its own has no cloud identity, so archives and backups are uploaded with an access key: " +
      `of AWS, or of the S3 service that s3:endpoint names (${objectStoreSettings.endpoint.example}).`,
    fix: setCommand(key, secret, secret ? undefined : "AKIA…"),
  }));
}

/** What keeps a configured key from being a host's public one. @param where the key of the stack's configuration */
export function checkHostKey(where: string, hostKey: string | undefined): Problem[] {
  if (hostKey === undefined || /^(ssh-ed25519|ecdsa-sha2-nistp\d+|ssh-rsa) AAAA[A-Za-z0-9+/=]+( .*)?$/.test(hostKey))
    return [];
  return [
    {
      where,
      what: "It isn't a public key of the form `ssh-ed25519 AAAA…`.",
      fix: `ssh-keyscan -t ed25519 ADDRESS | cut -d' ' -f2- prints it`,
    },
  ];
}
