import assert from "node:assert/strict";
import { leaseOf } from "../../../rehearsal/fly/leases";
import type { Machine } from "../../../rehearsal/fly/state";
import type { World } from "../../../rehearsal/fly/world";
import { kindOf } from "../../../targets/fly/deploy/network";
import { markerStart, tag, volumeName } from "../../../targets/fly/deploy/tags";
import type { FlyAppPlan, FlyGroup, FlySpec } from "../../../targets/fly/plan";

/** What a platform has, in lines that can be compared. */
export interface Inventory {
  readonly apps: readonly string[];
  /** Group, slot, image, and what of a machine isn't as it has to be in the end. */
  readonly machines: readonly string[];
  readonly volumes: readonly string[];
  readonly addresses: readonly string[];
  /** Names alone; values are compared apart. */
  readonly secrets: readonly string[];
  readonly certificates: readonly string[];
  readonly clusters: readonly string[];
}

/** In the place of the secret that stands for the secrets' values, as its name has a hash. */
const mark = ({ id }: FlySpec): string => `${markerStart(id)}*`;

/**
 * What there is to be of a spec: everything declared, once, proven, and nothing else.
 * @param before what was there: the volumes of machines that are no more stay, as they hold data
 */
export function declared(spec: FlySpec, before?: FlySpec): Inventory {
  const each = <T>(list: (app: FlyAppPlan) => readonly T[]): T[] => spec.apps.flatMap(list);
  const slots = ({ count }: FlyGroup): number[] => Array.from({ length: count }, (_, index) => index + 1);
  const countBefore = (app: string, group: string): number =>
    before?.apps.find(({ name }) => name === app)?.groups.find(({ name }) => name === group)?.count ?? 0;
  return {
    apps: spec.apps.map(({ name }) => name).sort(),
    machines: each(({ name, groups }) =>
      groups.flatMap((group) =>
        slots(group).map((slot) => `${name} ${group.name} ${slot} ${group.config.image} proven`),
      ),
    ).sort(),
    volumes: each(({ name, groups }) =>
      groups.flatMap((group) => {
        const { volume } = group;
        return volume === undefined
          ? []
          : Array.from({ length: Math.max(group.count, countBefore(name, group.name)) }, (_, index) => {
              const line = `${name} ${volumeName(group.name, index + 1)} ${volume.sizeGb} GB`;
              return index < group.count ? `${line}, mounted` : line;
            });
      }),
    ).sort(),
    addresses: each(({ name, ips }) => ips.map((kind) => `${name} ${kind}`)).sort(),
    secrets: each(({ name, secrets }) =>
      [...Object.keys(secrets), mark(spec)].map((secret) => `${name} ${secret}`),
    ).sort(),
    certificates: each(({ name, domains }) => domains.map((domain) => `${name} ${domain}`)).sort(),
    clusters: spec.postgres
      .map(({ cluster, diskGb, extensions }) => `${cluster} ${diskGb} GB [${extensions.join(" ")}]`)
      .sort(),
  };
}

/**
 * What there is.
 * @param leasedUntil leases that end by then aren't told: those of a driver that was killed
 */
export function found(world: World, spec: FlySpec, leasedUntil = 0): Inventory {
  const { state } = world;
  const machines = Object.values(state.machines).filter((machine) => machine.state !== "destroyed");
  const volumes = Object.values(state.volumes).filter(
    (volume) => !["destroyed", "pending_destroy"].includes(volume.state),
  );
  const apps = Object.values(state.apps);
  return {
    apps: apps.map(({ name }) => name).sort(),
    machines: machines.map((machine) => lineOf(world, machine, spec, leasedUntil)).sort(),
    volumes: volumes
      .map(({ app, name, sizeGb, machine }) => `${app} ${name} ${sizeGb} GB${machine === undefined ? "" : ", mounted"}`)
      .sort(),
    addresses: apps.flatMap(({ name, addresses }) => addresses.map((one) => `${name} ${kindOf(one)}`)).sort(),
    secrets: apps
      .flatMap(({ name, secrets }) =>
        Object.keys(secrets).map((secret) =>
          secret.startsWith(markerStart(spec.id)) ? `${name} ${mark(spec)}` : `${name} ${secret}`,
        ),
      )
      .sort(),
    certificates: apps
      .flatMap(({ name, certificates }) => Object.keys(certificates).map((domain) => `${name} ${domain}`))
      .sort(),
    clusters: Object.values(state.clusters)
      .map(
        ({ name, diskGb, databases }) =>
          `${name} ${diskGb} GB [${databases.flatMap(({ extensions }) => extensions).join(" ")}]`,
      )
      .sort(),
  };
}

function lineOf(world: World, machine: Machine, spec: FlySpec, leasedUntil: number): string {
  const { app, config, state, cordoned } = machine;
  const metadata = config.metadata ?? {};
  const group = spec.apps.find(({ name }) => name === app)?.groups.find(({ name }) => name === metadata[tag.group]);
  const isUp = state === "started" || (group?.idle === true && ["stopped", "stopping"].includes(state));
  return [
    `${app} ${metadata[tag.group] ?? "?"} ${metadata[tag.slot] ?? "?"} ${config.image} ${metadata[tag.state] ?? "?"}`,
    metadata[tag.owner] === spec.id ? "" : ", not ours",
    isUp ? "" : `, ${state}`,
    cordoned ? ", cordoned" : "",
    (leaseOf(world, machine)?.expires_at ?? 0) * 1000 <= leasedUntil ? "" : ", leased",
  ].join("");
}

/** Holds a platform against a spec: exactly what was declared, with the declared values. */
export function assertExact(
  world: World,
  spec: FlySpec,
  { before, leasedUntil }: { readonly before?: FlySpec | undefined; readonly leasedUntil?: number } = {},
): void {
  assert.deepEqual(found(world, spec, leasedUntil), declared(spec, before));
  for (const { name, secrets } of spec.apps) {
    for (const [key, value] of Object.entries(secrets)) {
      // What stands for something that Fly itself makes is filled in by the driver.
      if (!value.includes("@@")) assert.equal(world.state.apps[name]?.secrets[key]?.value, value, `the secret ${key}`);
    }
  }
}
