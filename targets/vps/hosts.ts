import { listOf } from "../../components/parsers";
import { didYouMean, type Problem } from "../../components/problems";
import { setCommand } from "../../components/settings";
import { closest } from "../../components/values/closest";
import { DriverError } from "../../drivers/error";
import type { PlacedApp } from "../operations";
import { checkHostKey } from "../systemd/check";
import type { Host } from "../systemd/host";
import { vpsSettings, type VpsSettings } from "./settings";

/** The host that an app is to run on: the one it names, or the only one. Undefined where `checkHosts` complains. */
export function hostOf(app: Pick<PlacedApp, "settings">, settings: VpsSettings): Host | undefined {
  const names = Object.keys(settings.hosts);
  const name = app.settings.host ?? (names.length === 1 ? names[0] : undefined);
  const host = name === undefined ? undefined : settings.hosts[name];
  if (name === undefined || host?.address === undefined || host.hostKey === undefined) return undefined;
  return {
    name,
    connection: {
      address: host.address,
      port: host.port ?? 22,
      user: host.user ?? "root",
      hostKey: host.hostKey,
      ...(settings.privateKey === undefined ? {} : { privateKey: settings.privateKey }),
    },
    publicAddress: host.publicAddress ?? host.address,
    sshFrom: host.sshFrom ?? [],
    firewall: host.firewall ?? true,
    acme: {
      ...(settings.acmeEmail === undefined ? {} : { email: settings.acmeEmail }),
      ...(settings.acmeDirectory === undefined ? {} : { directory: settings.acmeDirectory }),
    },
  };
}

/**
 * The host that an app runs on.
 * @throws DriverError with the first thing that keeps it from having one
 */
export function hostFor(app: Pick<PlacedApp, "declaration" | "settings">, settings: VpsSettings): Host {
  const host = hostOf(app, settings);
  const problem = host === undefined ? checkHosts(app, settings)[0] : undefined;
  if (host !== undefined) return host;
  throw new DriverError({
    what: problem?.what ?? "The app has no host.",
    where: problem?.where ?? `${app.declaration.name}:host`,
    why: problem?.why ?? "it can't be reached without one",
    fix: problem?.fix ?? "pulumi preview tells everything that lacks",
  });
}

/** What keeps an app from having a host. */
export function checkHosts(app: Pick<PlacedApp, "declaration" | "settings">, settings: VpsSettings): Problem[] {
  const names = Object.keys(settings.hosts);
  const wanted = app.settings.host;
  if (names.length === 0) {
    const example = "main";
    return [
      {
        where: "vps:hosts",
        what: "No host is configured.",
        why: vpsSettings.hosts.about,
        fix:
          `pulumi config set --path vps:hosts.${example}.address ADDRESS && ` +
          `pulumi config set --path vps:hosts.${example}.hostKey "$(ssh-keyscan -t ed25519 ADDRESS | cut -d' ' -f2-)"`,
      },
    ];
  }
  if (wanted === undefined && names.length > 1) {
    return [
      {
        where: `${app.declaration.name}:host`,
        what: `There are several hosts, and the stack doesn't say which one the app runs on.`,
        fix: setCommand(`${app.declaration.name}:host`, false, names[0]) + ` (${listOf(names)})`,
      },
    ];
  }
  const name = wanted ?? names[0] ?? "";
  const host = settings.hosts[name];
  if (host === undefined) {
    const near = closest(name, names);
    return [
      {
        where: `${app.declaration.name}:host`,
        what: `There is no host "${name}"${didYouMean(near)}`,
        fix: setCommand(`${app.declaration.name}:host`, false, near ?? names[0]),
      },
    ];
  }
  return [...missing(name, host), ...checkHostKey(`vps:hosts.${name}.hostKey`, host.hostKey)];
}

function missing(name: string, host: { address?: string; hostKey?: string }): Problem[] {
  const problems: Problem[] = [];
  if (host.address === undefined) {
    problems.push({
      where: `vps:hosts.${name}.address`,
      what: "The host has no address.",
      fix: `pulumi config set --path vps:hosts.${name}.address ADDRESS`,
    });
  }
  if (host.hostKey === undefined) {
    problems.push({
      where: `vps:hosts.${name}.hostKey`,
      what: "The host's public key isn't known.",
      why: "Without it, anybody between here and there could answer in the host's place and be given your secrets.",
      fix: `pulumi config set --path vps:hosts.${name}.hostKey "$(ssh-keyscan -t ed25519 ${host.address ?? "ADDRESS"} | cut -d' ' -f2-)", after comparing it with the one that the provider shows`,
    });
  }
  return problems;
}
