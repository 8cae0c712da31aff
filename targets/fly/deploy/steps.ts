import { metadataOf, type Machine, type Volume } from "../api/types";
import type { FlyAppPlan, FlyGroup } from "../plan";
import { isProven, slotOf, tag, volumeName, type Hashes } from "./tags";

/** What is there of an app, as far as it matters for what to do. */
export interface Observed {
  readonly machines: readonly Machine[];
  readonly volumes: readonly Volume[];
  /** Machines that nothing is done about, which may have volumes nevertheless. */
  readonly others?: readonly Machine[];
}

/** What becomes of one of a group's machines. */
export interface SlotStep {
  readonly slot: number;
  readonly act:
    /** It is as planned; its health is looked at where the deploy that made it didn't end. */
    | "keep"
    /** A new machine, beside the old one where there is one. */
    | "create"
    /** The old one gets the new configuration in its place. */
    | "update";
  /** The machine to be kept or updated. */
  readonly machine?: Machine;
  /** Taken out of service once all of the new version is healthy. */
  readonly retire: readonly Machine[];
  /** The volume to be mounted; undefined with a planned volume means that one has to be made. */
  readonly volume?: Volume;
}

export interface GroupSteps {
  readonly group: FlyGroup;
  readonly hashes: Hashes;
  readonly slots: readonly SlotStep[];
}

export interface Outgrown {
  readonly group: FlyGroup;
  readonly machine: Machine;
  readonly volume: Volume;
  /** What the volume has, or is to have. */
  readonly sizeGb: number;
}

export interface Steps {
  readonly groups: readonly GroupSteps[];
  /** Machines that no slot of the plan has. */
  readonly surplus: readonly Machine[];
  /** Machines of release commands, of this deploy or of one that was cut off. */
  readonly releases: readonly Machine[];
  /** Volumes smaller than planned. */
  readonly grow: readonly { readonly volume: Volume; readonly sizeGb: number }[];
  /** Machines that stay and whose program was started before their volume grew, or will have been. */
  readonly outgrown: readonly Outgrown[];
  /** Volumes whose snapshots are to be kept for another time. */
  readonly resnapshot: readonly { readonly volume: Volume; readonly days: number }[];
  /** Whether the release command has to run. */
  readonly release: boolean;
  /** Machines whose deploy didn't end. */
  readonly unproven: boolean;
}

/**
 * What makes the platform match the plan. Pure: the same state and plan give the same steps, whatever happened in between.
 * @param anew whether machines that are as planned get their configuration once more, as nobody knows what secrets they saw
 */
export function planSteps(
  id: string,
  app: FlyAppPlan,
  hashes: ReadonlyMap<string, Hashes>,
  seen: Observed,
  anew = false,
): Steps {
  const own = seen.machines.filter((machine) => metadataOf(machine)[tag.owner] === id);
  const services = own.filter(isService);
  const taken = new Set<string>();
  const groups = app.groups.map((group): GroupSteps => {
    const mine = hashes.get(group.name);
    if (mine === undefined) throw new Error(`The group ${group.name} has no hash.`);
    const members = services.filter((machine) => metadataOf(machine)[tag.group] === group.name);
    const slots = Array.from({ length: group.count }, (_, index) => {
      const step = planSlot(group, app.region, { spec: mine.spec, anew }, index + 1, members, seen);
      if (step.machine !== undefined) taken.add(step.machine.id);
      for (const { id: old } of step.retire) taken.add(old);
      return step;
    });
    return { group, hashes: mine, slots };
  });
  return {
    groups,
    surplus: services.filter((machine) => !taken.has(machine.id)),
    releases: own.filter((machine) => metadataOf(machine)[tag.role] === "release"),
    resnapshot: groups.flatMap(({ group, slots }) => resnapshots(group, slots)),
    grow: groups.flatMap(({ group, slots }) => growths(group, slots)),
    outgrown: groups.flatMap(({ group, slots }) => slots.flatMap((slot) => outgrown(group, slot))),
    release: app.release !== undefined && needsRelease(app.release.group, groups, services),
    unproven: services.some((machine) => !isProven(machine)),
  };
}

const isService = (machine: Machine): boolean => metadataOf(machine)[tag.role] === "service";

function planSlot(
  group: FlyGroup,
  region: string,
  { spec, anew }: { readonly spec: string; readonly anew: boolean },
  slot: number,
  members: readonly Machine[],
  seen: Observed,
): SlotStep {
  const here = members.filter((machine) => slotOf(machine) === slot).sort(byMerit(spec));
  const [best, ...rest] = here;
  const volume = group.volume === undefined ? undefined : volumeFor(group, slot, best, seen);
  const known = volume === undefined ? {} : { volume };
  if (best === undefined) return { slot, act: "create", retire: [], ...known };
  const current = !anew && metadataOf(best)[tag.spec] === spec;
  // A machine's volume, its region and a host that is gone can't be changed on it.
  const movable = group.volume === undefined;
  const misplaced = movable && (best.region !== region || mountsOf(best).length > 0);
  const lost = movable && (best.host_status ?? "ok") !== "ok";
  const unmounted = volume !== undefined && !mountsOf(best).includes(volume.id);
  const needsVolume = group.volume !== undefined && (volume === undefined || unmounted);
  if (misplaced || lost || needsVolume) return { slot, act: "create", retire: here, ...known };
  if (current) return { slot, act: "keep", machine: best, retire: rest, ...known };
  if (group.strategy === "blue-green") return { slot, act: "create", retire: here };
  return { slot, act: "update", machine: best, retire: rest, ...known };
}

/** The planned version first, of these a proven one, then one that holds a volume, then the oldest. */
const byMerit = (spec: string) => (a: Machine, b: Machine) =>
  Number(metadataOf(b)[tag.spec] === spec) - Number(metadataOf(a)[tag.spec] === spec) ||
  Number(isProven(b)) - Number(isProven(a)) ||
  mountsOf(b).length - mountsOf(a).length ||
  (a.created_at ?? "").localeCompare(b.created_at ?? "") ||
  (a.id < b.id ? -1 : 1);

const mountsOf = (machine: Machine): string[] =>
  (machine.config ?? machine.incomplete_config)?.mounts?.map(({ volume }) => volume) ?? [];

/**
 * The volume that the slot's machine has, else the newest of the slot's name that no machine has: a restore leaves older ones.
 * One whose machine is gone stays with it for a while, and is the slot's nevertheless.
 */
function volumeFor(group: FlyGroup, slot: number, machine: Machine | undefined, seen: Observed): Volume | undefined {
  const mounted = machine === undefined ? [] : mountsOf(machine);
  const name = volumeName(group.name, slot);
  const holders = new Set([...seen.machines, ...(seen.others ?? [])].map(({ id }) => id));
  if (machine !== undefined) holders.delete(machine.id);
  return (
    seen.volumes.find((volume) => mounted.includes(volume.id)) ??
    seen.volumes
      .filter((volume) => volume.name === name && !holders.has(volume.attached_machine_id ?? ""))
      .sort((a, b) => (b.created_at ?? "").localeCompare(a.created_at ?? "") || (a.id < b.id ? -1 : 1))[0]
  );
}

/** The stack's machines of a slot, the best to be kept first. */
const membersAt = (id: string, group: FlyGroup, slot: number, seen: Observed): Machine[] =>
  seen.machines
    .filter(isService)
    .filter((machine) => metadataOf(machine)[tag.owner] === id && metadataOf(machine)[tag.group] === group.name)
    .filter((machine) => slotOf(machine) === slot)
    .sort(byMerit(""));

const slotsOf = ({ count, volume }: FlyGroup): number[] =>
  volume === undefined ? [] : Array.from({ length: count }, (_, index) => index + 1);

/** Volumes that a deploy goes on with. */
export const keptVolumes = (id: string, group: FlyGroup, seen: Observed): Volume[] =>
  slotsOf(group).flatMap((slot) => volumeFor(group, slot, membersAt(id, group, slot, seen)[0], seen) ?? []);

/**
 * Machines that have volumes of the groups and aren't known: they are gone, or not listed yet. Another reason that a volume
 * can't be planned with is one that a machine has and that isn't listed itself.
 */
export function unlisted(
  id: string,
  groups: readonly FlyGroup[],
  seen: Observed,
): { readonly holders: readonly string[]; readonly mounts: readonly { machine: Machine; volume: string }[] } {
  const machines = new Set([...seen.machines, ...(seen.others ?? [])].map((machine) => machine.id));
  const names = new Set(groups.flatMap((group) => slotsOf(group).map((slot) => volumeName(group.name, slot))));
  const holders = seen.volumes.filter(({ name }) => names.has(name)).map((volume) => volume.attached_machine_id ?? "");
  const volumes = new Set(seen.volumes.map((volume) => volume.id));
  const mounts = groups
    .flatMap((group) => slotsOf(group).flatMap((slot) => membersAt(id, group, slot, seen)))
    .flatMap((machine) => mountsOf(machine).map((volume) => ({ machine, volume })));
  return {
    holders: holders.filter((holder) => holder !== "" && !machines.has(holder)),
    mounts: mounts.filter(({ volume }) => !volumes.has(volume)),
  };
}

function growths(group: FlyGroup, slots: readonly SlotStep[]) {
  const sizeGb = group.volume?.sizeGb ?? 0;
  return slots.flatMap(({ volume }) => (volume !== undefined && volume.size_gb < sizeGb ? [{ volume, sizeGb }] : []));
}

/** By the size that the machine says, as a run may be cut off between a volume's growth and the restart that shows it. */
function outgrown(group: FlyGroup, { act, machine, volume }: SlotStep): Outgrown[] {
  if (act !== "keep" || machine === undefined || volume === undefined) return [];
  const sizeGb = Math.max(volume.size_gb, group.volume?.sizeGb ?? 0);
  const seen = Number(metadataOf(machine)[tag.size] ?? volume.size_gb);
  return seen < sizeGb ? [{ group, machine, volume, sizeGb }] : [];
}

/** What Fly doesn't tell of a volume counts as planned. */
function resnapshots(group: FlyGroup, slots: readonly SlotStep[]) {
  const days = group.volume?.snapshotDays ?? 0;
  return slots.flatMap(({ volume }) => {
    const { snapshot_retention = days, auto_backup_enabled = true } = volume ?? {};
    const asPlanned = days === 0 || (snapshot_retention === days && auto_backup_enabled);
    return volume === undefined || asPlanned ? [] : [{ volume, days }];
  });
}

/** Scaling and repair don't run it again: some proven machine of the group has seen it already. */
function needsRelease(name: string, groups: readonly GroupSteps[], services: readonly Machine[]): boolean {
  const group = groups.find((one) => one.group.name === name);
  if (group === undefined || group.slots.every(({ act }) => act === "keep")) return false;
  return !services.some((machine) => {
    const metadata = metadataOf(machine);
    return metadata[tag.group] === name && metadata[tag.release] === group.hashes.release;
  });
}

/**
 * A machine of the group that has the planned version already, so that one made beside it belongs to the same release: more of
 * them, or one in the place of one that is gone, is no new version, and a rollback isn't to take it for one.
 */
export const siblingOf = ({ slots }: GroupSteps): Machine | undefined =>
  slots.find(({ act, machine }) => act === "keep" && machine !== undefined && isProven(machine))?.machine;

/** Whether machines get a version that none of their group has. */
export const bringsVersion = ({ groups }: Steps): boolean =>
  groups.some((group) =>
    group.slots.some(({ act }) => act === "update" || (act === "create" && siblingOf(group) === undefined)),
  );

/** Whether machines are made, changed or taken away. */
export function changesMachines(steps: Steps): boolean {
  return (
    steps.surplus.length > 0 ||
    steps.releases.length > 0 ||
    steps.grow.length > 0 ||
    steps.resnapshot.length > 0 ||
    steps.outgrown.length > 0 ||
    steps.groups.some(({ slots }) => slots.some(({ act, retire }) => act !== "keep" || retire.length > 0))
  );
}
