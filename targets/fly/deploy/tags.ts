import { canonical, hash, keyedHash } from "../../hashes";
import { metadataOf, type Machine, type MachineConfig, type MachineService } from "../api/types";
import type { FlyAppPlan, FlyGroup } from "../plan";

/**
 * What Homeport writes into the metadata of machines. The first four of them are Fly's own words, so that `fly status`,
 * `fly logs` and the metrics know the machines; with `fly_platform_version` a machine is Fly Launch's own (flyctl,
 * command/status/machines.go), whose version has to be a whole number.
 */
export const tag = {
  platform: "fly_platform_version",
  group: "fly_process_group",
  version: "fly_release_version",
  /** Fly's record of the deploy that made it what it is, where there is one. */
  record: "fly_release_id",
  /** Whose it is: `hotrod-prod`. */
  owner: "homeport_app",
  /** `service`, `release` or `job`. */
  role: "homeport_role",
  /** Which of the group's machines, from 1. */
  slot: "homeport_slot",
  /** Hash of all that it was made of: the same hash is the same machine. */
  spec: "homeport_spec",
  /** Hash of what the release command ran with. */
  release: "homeport_release",
  /** Gigabytes of its volume when its program was started. */
  size: "homeport_volume_gb",
  /** When the deploy began that made it what it is. */
  deploy: "homeport_deploy",
  /** `new` until the deploy that made it is through, then `proven`. */
  state: "homeport_state",
  /** Version of the configuration (`instance_id`) that was proven before this one. */
  previous: "homeport_previous",
  /** That configuration, packed, for a rollback; see before.ts. */
  before: "homeport_before",
} as const;

export { canonical, hash };

/** Stands for the values of secrets where their names are read: nobody without the key can try guesses on it. */
export const secretsHash = (pepper: string, secrets: Readonly<Record<string, string>>): string =>
  keyedHash(pepper, secrets);

/**
 * A secret whose name says whose the app is and which values its secrets have. It is set by the same call as they are, so it is
 * never wrong, and reading it needs no right to read values.
 */
export const markerStart = (id: string): string => `HOMEPORT_${id.toUpperCase().replaceAll("-", "_")}_`;
export const marker = (id: string, secrets: string): string => `${markerStart(id)}${secrets.toUpperCase()}`;

/** Whether a secret's name is such a mark of this stack. */
export const isMarker = (id: string, name: string): boolean =>
  name.startsWith(markerStart(id)) && /^[0-9A-F]{16}$/.test(name.slice(markerStart(id).length));

/** The two hashes that decide what has to be done about a group. */
export interface Hashes {
  readonly spec: string;
  /** Undefined where the group has no release command. */
  readonly release?: string;
}

export function hashesOf(app: FlyAppPlan, group: FlyGroup, secrets: string): Hashes {
  // Which of the machines may sleep isn't in the group's configuration, which all of them share.
  const spec = hash([
    group.config,
    group.volume?.path ?? null,
    secrets,
    ...(group.idle ? ["awake up to the floor"] : []),
  ]);
  if (app.release?.group !== group.name) return { spec };
  return { spec, release: hash([group.config.image, group.config.env ?? {}, app.release.command, secrets]) };
}

export const slotOf = (machine: Machine): number => Number(metadataOf(machine)[tag.slot] ?? 0);
export const isProven = (machine: Machine): boolean => metadataOf(machine)[tag.state] === "proven";

/** The highest release number among machines. */
export function lastVersion(machines: readonly Machine[]): number {
  const numbers = machines.map((machine) => Number(metadataOf(machine)[tag.version] ?? 0));
  return Math.max(0, ...numbers.filter(Number.isSafeInteger));
}

/** The number of a deploy's release: its record's, or one more than the last, unless it goes on with one that was cut off. */
export function nextVersion(
  machines: readonly Machine[],
  { unproven }: { readonly unproven: boolean },
  record: { readonly version: number } | undefined,
): number {
  return Math.max(lastVersion(machines) + (unproven ? 0 : 1), record?.version ?? 0);
}

/** What a machine says of the release that it belongs to. */
export interface ReleaseLabels {
  readonly version: number;
  readonly deploy: string;
  readonly record: string | undefined;
  readonly before: string | undefined;
}

/** A group's configuration for one of its machines. */
export function configFor(
  id: string,
  group: FlyGroup,
  hashes: Hashes,
  one: {
    slot: number;
    volume?: string;
    sizeGb?: number;
    previous?: string;
  } & ReleaseLabels,
): MachineConfig {
  const services = group.config.services?.map((service) => serviceFor(service, one.slot));
  return {
    ...group.config,
    ...(services === undefined ? {} : { services }),
    ...(group.volume === undefined || one.volume === undefined
      ? {}
      : { mounts: [{ volume: one.volume, path: group.volume.path, name: volumeName(group.name, one.slot) }] }),
    metadata: {
      [tag.platform]: "v2",
      [tag.group]: group.name,
      [tag.version]: String(one.version),
      ...(one.record === undefined ? {} : { [tag.record]: one.record }),
      [tag.deploy]: one.deploy,
      [tag.owner]: id,
      [tag.role]: "service",
      [tag.slot]: String(one.slot),
      [tag.spec]: hashes.spec,
      ...(hashes.release === undefined ? {} : { [tag.release]: hashes.release }),
      ...(one.sizeGb === undefined ? {} : { [tag.size]: String(one.sizeGb) }),
      [tag.state]: "new",
      ...(one.previous === undefined ? {} : { [tag.previous]: one.previous }),
      ...(one.before === undefined ? {} : { [tag.before]: one.before }),
    },
  };
}

/**
 * Whether the proxy may stop a group's machine. Those that make up the floor never sleep: the proxy would choose which ones do
 * by their requests, of which the jobs and backups that run in the first of them by exec are none.
 */
export const maySleep = (group: FlyGroup, slot: number): boolean =>
  group.idle && (group.config.services ?? []).every((service) => slot > service.min_machines_running);

const serviceFor = (service: MachineService, slot: number): MachineService =>
  slot > service.min_machines_running ? service : { ...service, autostop: "off" };

/** Fly takes 30 lower-case letters, digits and underscores. */
export function volumeName(group: string, slot: number): string {
  const name = `${group.replaceAll("-", "_")}_${slot}`;
  return name.length <= 30 ? name : `${name.slice(0, 20)}_${hash(name).slice(0, 6)}_${slot}`;
}
