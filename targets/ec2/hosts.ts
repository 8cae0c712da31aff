import type { ResolvedApp } from "../../components/resolvedApp";
import { Size } from "../../components/values/size";
import { machineTags } from "../../drivers/ec2/orphans";
import type { PlacedApp } from "../operations";
import { portsOf } from "../systemd/buildPlan";
import type { Host } from "../systemd/host";
import { images, type System } from "./images";
import type { InstanceType } from "./instanceType";
import { awsName, namePrefix } from "./names";
import type { Ec2Settings, InstanceSettings } from "./settings";

/** One host of the stack as it is configured, with the apps that run on it. */
export interface Ec2Host {
  /** As `<app>:host` names it. */
  readonly name: string;
  readonly stack: string;
  readonly live: boolean;
  readonly region: string;
  readonly settings: InstanceSettings;
  /** Undefined for an adopted instance of which the stack doesn't tell it. */
  readonly type: InstanceType | undefined;
  readonly os: System;
  readonly user: string;
  readonly apps: readonly ResolvedApp[];
  readonly sshFrom: readonly string[];
  /** Whether SSH goes through Session Manager. */
  readonly session: boolean;
  readonly protect: boolean;
  /** Whether the packet filter is ours. */
  readonly firewall: boolean;
}

/** Name of the instance that an app runs on: the one it names, the only one, or the one of its own name. */
export function instanceOf(
  app: Pick<PlacedApp, "declaration" | "settings">,
  settings: Ec2Settings,
): string | undefined {
  const names = Object.keys(settings.instances);
  if (app.settings.host !== undefined) return names.find((name) => name === app.settings.host);
  return names.length === 1 ? names[0] : names.find((name) => name === app.declaration.name);
}

/** The instances that apps run on, in the order in which the stack lists them. */
export function hostsOf(apps: readonly ResolvedApp[], settings: Ec2Settings, region: string): Ec2Host[] {
  return Object.entries(settings.instances).flatMap(([name, instance]) => {
    const here = apps.filter((app) => instanceOf(app, settings) === name);
    const [first] = here;
    if (first === undefined) return [];
    const os = instance.os ?? "al2023";
    const live = first.environment === "live";
    return [
      {
        name,
        stack: first.stack,
        live,
        region: instance.region ?? region,
        settings: instance,
        type: instance.type,
        os,
        user: instance.user ?? images[os].user,
        apps: here,
        sshFrom: instance.sshFrom ?? settings.sshFrom,
        session: settings.session,
        protect: instance.protect ?? live,
        firewall: instance.firewall ?? instance.id === undefined,
      },
    ];
  });
}

/** What the systemd code needs to know of a host, but for what AWS tells. */
export function hostBase(host: Ec2Host, settings: Ec2Settings): Omit<Host, "connection" | "publicAddress"> {
  return {
    name: host.name,
    sshFrom: host.sshFrom,
    firewall: host.firewall,
    acme: {
      ...(settings.acmeEmail === undefined ? {} : { email: settings.acmeEmail }),
      ...(settings.acmeDirectory === undefined ? {} : { directory: settings.acmeDirectory }),
    },
  };
}

/** A port that others reach, and from where. */
export interface OpenPort {
  readonly port: number;
  readonly from: readonly string[];
}
const everyone = ["0.0.0.0/0", "::/0"] as const;

/**
 * The ports that a security group lets in, each once with all of its sources. A restricted service without an address to
 * let in stays closed. SSH is closed where it goes through Session Manager.
 */
export function openPorts(host: Ec2Host): OpenPort[] {
  const sources = new Map<number, Set<string>>();
  const open = (port: number, from: readonly string[]): void => {
    if (from.length > 0) sources.set(port, new Set([...(sources.get(port) ?? []), ...from]));
  };
  if (host.settings.id === undefined && !host.session) open(22, host.sshFrom);
  for (const app of host.apps) {
    for (const service of app.declaration.services) {
      const from = service.access === "restricted" ? app.settings.allowFrom : everyone;
      for (const port of portsOf(app, service)) open(port, from);
    }
  }
  return [...sources].sort(([a], [b]) => a - b).map(([port, from]) => ({ port, from: withoutCovered([...from]) }));
}

/** Who is let in anyway needs no rule of its own: AWS takes the rule, but a person who reads them is misled. */
function withoutCovered(from: readonly string[]): string[] {
  const all = new Set<string>(everyone.filter((one) => from.includes(one)));
  return [...from.filter((one) => all.has(one) || !all.has(one.includes(":") ? "::/0" : "0.0.0.0/0"))].sort();
}

const defaultMemory = Size.mib(512);
const defaultRedis = Size.mib(256);

/** Memory that the apps may use at most by what they declare, old versions during a deploy left out. */
export function declaredMemory(host: Ec2Host): Size {
  const bytes = host.apps.flatMap(({ declaration, settings }) => [
    ...declaration.services.map((service) => {
      const memory = settings.memory[service.name] ?? service.resources?.memory ?? defaultMemory;
      return memory.toBytes() * (settings.instances[service.name] ?? leastInstances(service.instances));
    }),
    ...declaration.databases.map((one) => (one.engine === "redis" ? (one.size ?? defaultRedis).toBytes() : 0)),
  ]);
  return Size.bytes(bytes.reduce((sum, one) => sum + one, 0));
}

const leastInstances = (count: number | { readonly min: number } | undefined): number =>
  typeof count === "object" ? count.min : (count ?? 1);

/** Disk that the apps' volumes and databases are meant to need, in whole GiB; at least 8. */
export function declaredData(host: Ec2Host): Size {
  const bytes = host.apps.flatMap(({ declaration }) => [
    // Services that share a volume name the same path.
    ...new Map(
      declaration.services.flatMap((service) =>
        (service.volumes ?? []).map(({ path, size }) => [path, size.toBytes()]),
      ),
    ).values(),
    ...declaration.databases.map((one) => (one.engine === "postgres" ? (one.size?.toBytes() ?? 0) : 0)),
  ]);
  const gib = Math.ceil(bytes.reduce((sum, one) => sum + one, 0) / Size.gib(1).toBytes());
  return Size.gib(Math.max(gib, 8));
}

/** Whether an app of the host has a database that AWS is to run. */
export function usesManaged(host: Ec2Host, { postgres, redis }: Ec2Settings): boolean {
  const managed = [...(postgres === "rds" ? ["postgres"] : []), ...(redis === "elasticache" ? ["redis"] : [])];
  return host.apps.some(({ declaration }) => declaration.databases.some(({ engine }) => managed.includes(engine)));
}

/** Share of a disk's space, 0 to 1, from which on the most careful of the host's apps is alarmed. */
export const diskAlarmOf = ({ apps }: Ec2Host): number =>
  Math.min(...apps.map(({ declaration }) => declaration.diskAlarm));

/** Size of a new host's data disk. */
export const dataSize = (host: Ec2Host): Size => host.settings.dataSize ?? declaredData(host);

/** Size of a new host's own disk. Amazon Linux needs 8 GiB to begin with; releases and packages lie there. */
export const rootSize = (host: Ec2Host): Size => host.settings.rootSize ?? Size.gib(16);

/** The zone that a new instance is in. A default that AWS chose anew each time would move machine and disk. */
export const zoneOf = (host: Ec2Host): string => host.settings.zone ?? `${host.region}a`;

/** Tags of everything that is made for a host, or for the stack's part of AWS as a whole. */
export function tagsOf(stack: string, host?: string, part?: string): Record<string, string> {
  const parts = [host, part].filter((one) => one !== undefined);
  return {
    Name: parts.length === 0 ? namePrefix(stack).slice(0, -1) : awsName(stack, parts, 255),
    [machineTags.stack]: stack,
    ...(host === undefined ? {} : { [machineTags.host]: host }),
  };
}
