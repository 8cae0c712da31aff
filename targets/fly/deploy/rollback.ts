import { DriverError } from "../../../drivers/error";
import { configOf, metadataOf, type Machine } from "../api/types";
import type { FlyAppPlan, FlyGroup } from "../plan";
import { unpackBefore } from "./before";
import { look } from "./claim";
import { Rollout } from "./rollout";
import type { Run } from "./run";
import { planSteps } from "./steps";
import { hash, lastVersion, tag } from "./tags";

/** Seconds that a machine of the version before may take to get healthy, where the declaration doesn't say. */
const startSeconds = 120;

/**
 * Brings an app of Fly back to what the last deploy took the place of, the way a deploy does: healthy before the switch, and
 * undone where it isn't. Secrets and databases stay as they are: Fly tells no secret's value, so none can be put back.
 * @throws DriverError where nothing is known of the version before
 */
export async function rollBack(run: Run, name: string): Promise<void> {
  const { id } = run.spec;
  const found = await look(run, name);
  const own = found.machines.filter(
    (machine) => metadataOf(machine)[tag.owner] === id && metadataOf(machine)[tag.role] === "service",
  );
  const version = lastVersion(own);
  const groups = [...new Set(own.map((machine) => metadataOf(machine)[tag.group] ?? ""))].flatMap((group) => {
    const members = own.filter((machine) => metadataOf(machine)[tag.group] === group);
    return groupBefore(group, members, version);
  });
  const [machine] = own;
  if (groups.length === 0 || machine === undefined) {
    throw new DriverError({
      what: "There is no version to go back to.",
      where: `Fly app ${name}`,
      why: "its machines don't tell of a version before the present one",
      fix: "deploy the code of before: pulumi up with its commit",
    });
  }
  const names = new Set(groups.map((group) => group.name));
  const app: FlyAppPlan = { name, region: machine.region, ips: [], groups, secrets: {}, domains: [] };
  const hashes = new Map(groups.map((group) => [group.name, { spec: `back-${hash(group.config)}` }]));
  // Groups that the last deploy didn't change aren't looked at, so that none of their machines is one too many.
  const machines = own.filter((one) => names.has(metadataOf(one)[tag.group] ?? ""));
  const steps = planSteps(id, app, hashes, { machines, volumes: found.volumes });
  try {
    await run.leases.take(
      name,
      machines.map((one) => one.id),
    );
    await new Rollout(run, app, steps, { version: version + 1, minSecrets: undefined }).go();
  } finally {
    if (!run.isEnding()) await run.leases.dropAll().catch(() => undefined);
  }
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
