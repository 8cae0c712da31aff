import { DriverError } from "../../../drivers/error";
import { asGiven, configOf, metadataOf, type Machine } from "../api/types";
import type { FlyAppPlan, FlyGroup } from "../plan";
import { unpackBefore } from "./before";
import { look, type Found } from "./claim";
import { groupLike } from "./health";
import { NewVolumes } from "./newVolumes";
import { recorded } from "./record";
import { rollOut } from "./rollout";
import type { Run } from "./run";
import { settled } from "./settled";
import { planSteps } from "./steps";
import { hash, lastVersion, nextVersion, tag } from "./tags";

/** Seconds that a machine of the version before may take to get healthy, where the declaration doesn't say. */
const startSeconds = 120;

/** One of a stack's apps of Fly, as far as a rollback goes. */
interface Seen {
  readonly name: string;
  /** The stack's machines that serve. */
  readonly machines: readonly Machine[];
  readonly found: Found;
}

/**
 * Brings apps of Fly back to what the last deploy took the place of, the way a deploy does: healthy before the switch, and
 * undone where it isn't. Those that the last deploy didn't change stay. Secrets and databases stay as they are: Fly tells no
 * secret's value, so none can be put back.
 * @param names what others connect to first
 * @throws DriverError where nothing is known of the version before, or it doesn't get healthy: then all are as they were
 */
export async function rollBack(run: Run, names: readonly string[]): Promise<void> {
  const seen: Seen[] = [];
  for (const name of names) {
    const found = await look(run, name);
    const machines = found.machines.filter((machine) => isOwnService(run.spec.id, machine));
    seen.push({ name, machines, found });
  }
  const stamps = seen.flatMap(({ machines }) => machines.map(stampOf));
  const last = stamps.sort().at(-1) ?? "";
  const changed = seen.filter(
    (one) => one.machines.some((machine) => stampOf(machine) === last) && groupsBefore(one).length > 0,
  );
  if (changed.length === 0) {
    throw new DriverError({
      what: "There is no version to go back to.",
      where: `Fly app ${names.join(", ")}`,
      why: "there was only one deploy: its machines tell of no version before the present one",
      fix: "deploy the code of before: pulumi up with its commit",
    });
  }
  const done: string[] = [];
  for (const one of changed) {
    try {
      await rollOne(run, one);
      done.push(one.name);
    } catch (error) {
      if (run.isEnding()) throw error;
      // Each of them tells now what it had before it went back.
      for (const name of done.reverse()) await rollBack(run, [name]);
      throw error;
    }
  }
  for (const { name } of seen.filter((one) => !changed.includes(one))) {
    run.tell(`${name}: stays as it is, as the last deploy didn't change it`);
  }
}

const isOwnService = (id: string, machine: Machine): boolean =>
  metadataOf(machine)[tag.owner] === id && metadataOf(machine)[tag.role] === "service";

/** When the deploy was that made the machine what it is; the same for all that it changed. */
const stampOf = (machine: Machine): string => metadataOf(machine)[tag.deploy] ?? "";

function groupsBefore({ machines }: Seen): FlyGroup[] {
  const version = lastVersion(machines);
  return [...new Set(machines.map((machine) => metadataOf(machine)[tag.group] ?? ""))].flatMap((group) => {
    const members = machines.filter((machine) => metadataOf(machine)[tag.group] === group);
    return groupBefore(group, members, version);
  });
}

async function rollOne(run: Run, seen: Seen): Promise<void> {
  const { name, found } = seen;
  const groups = groupsBefore(seen);
  const region = seen.machines[0]?.region ?? "";
  const app: FlyAppPlan = { name, region, ips: [], groups, secrets: {}, domains: [] };
  const hashes = new Map(groups.map((group) => [group.name, { spec: `back-${hash(group.config)}` }]));
  // Groups that the last deploy didn't change aren't looked at, so that none of their machines is one too many.
  const changed = new Set(groups.map((group) => group.name));
  const part = ({ machines: all, volumes }: Pick<Found, "machines" | "volumes">) => ({
    machines: all.filter((one) => isOwnService(run.spec.id, one) && changed.has(metadataOf(one)[tag.group] ?? "")),
    others: all.filter((one) => !changed.has(metadataOf(one)[tag.group] ?? "")),
    volumes,
  });
  const whole = await settled(run, app, part(found), async () => part(await look(run, name)));
  const { machines } = whole;
  const steps = planSteps(run.spec.id, app, hashes, whole);
  try {
    await run.leases.take(
      name,
      machines.map((one) => one.id),
    );
    const prove = await recorded(run, { ...app, groups: [...groups, ...othersOf(seen, changed)] }, steps, (record) =>
      rollOut(run, app, steps, {
        version: nextVersion(seen.machines, { unproven: false }, record),
        record: record?.id,
        minSecrets: undefined,
        volumes: new NewVolumes(),
        made: new Set(),
      }),
    );
    await prove();
  } finally {
    if (!run.isEnding()) await run.leases.dropAll().catch(() => undefined);
  }
}

/** The groups that stay as they are. */
function othersOf({ machines }: Seen, changed: ReadonlySet<string>): FlyGroup[] {
  const groups = new Map<string, FlyGroup>();
  for (const machine of machines) {
    const name = metadataOf(machine)[tag.group] ?? "";
    const config = configOf(machine);
    if (config !== undefined && !changed.has(name)) groups.set(name, groupLike(name, asGiven(config)));
  }
  return [...groups.values()];
}

/** A group as it was before the last deploy; nothing where that deploy didn't change it. */
function groupBefore(name: string, members: readonly Machine[], version: number): FlyGroup[] {
  const changed = members.find(
    (machine) => metadataOf(machine)[tag.version] === String(version) && metadataOf(machine)[tag.before] !== undefined,
  );
  const config = changed === undefined ? undefined : unpackBefore(metadataOf(changed)[tag.before]);
  if (changed === undefined || config === undefined) return [];
  const [mount] = configOf(changed)?.mounts ?? [];
  const services = config.services ?? [];
  return [
    {
      name,
      count: members.length,
      config,
      ...(mount === undefined ? {} : { volume: { path: mount.path, sizeGb: 0, snapshotDays: 0 } }),
      strategy: mount === undefined && services.length > 0 ? "blue-green" : "rolling",
      startSeconds,
      drainSeconds: Number.parseInt(config.stop_config?.timeout ?? "30", 10),
      idle: services.some(({ autostop }) => autostop !== "off"),
    },
  ];
}
