import { DriverError } from "../../../drivers/error";
import { ApiError } from "../../../drivers/http";
import { metadataOf, type Machine } from "../api/types";
import { placementsFor } from "../api/placements";
import type { FlyAppPlan, FlyGroup } from "../plan";
import type { Found } from "./claim";
import type { Run } from "./run";
import { keptVolumes } from "./steps";
import { tag, volumeName } from "./tags";

/** One of a spec's apps of Fly, and what there is of it. */
export interface Seen {
  readonly plan: FlyAppPlan;
  readonly found: Found;
}

/** @throws DriverError with all that keeps the apps from being deployed, as far as it can be seen before anything is changed */
export async function preflight(run: Run, apps: readonly Seen[]): Promise<void> {
  const shrinking = apps.flatMap((one) => shrunk(one));
  if (shrinking.length > 0) {
    throw new DriverError({
      what: "Fly's volumes grow, and never shrink. Nothing was changed.",
      where: `app ${run.spec.id}`,
      why: shrinking.join("; "),
      fix: "declare at least what there is; less takes a new volume and a copy of the data",
    });
  }
  const elsewhere = apps.flatMap((one) => misplaced(run.spec.id, one));
  if (elsewhere.length > 0) {
    throw new DriverError({
      what: "Fly's volumes don't move to another region. Nothing was changed.",
      where: `app ${run.spec.id}`,
      why: elsewhere.map(({ why }) => why).join("; "),
      fix:
        `pulumi config set --path fly:regions.APP ${elsewhere[0]?.region ?? ""} (for the app of ${run.spec.id}); or, to move with the data: ` +
        "homeport backup APP DATABASE, then fly machine destroy and fly volumes destroy of those, pulumi up, and homeport restore APP DATABASE",
    });
  }
  const crowded = (await Promise.all(apps.map((one) => withoutRoom(run, one)))).flat();
  if (crowded.length === 0) return;
  const fitting = crowded
    .map(({ regions }) => regions)
    .reduce((all, some) => all.filter((code) => some.includes(code)));
  throw new DriverError({
    what: "Fly has no room for all of the app's machines. Nothing was changed.",
    where: `app ${run.spec.id}`,
    why: crowded.map(({ why }) => why).join("; "),
    fix:
      fitting.length === 0
        ? "pulumi up again later, or smaller machines"
        : `pulumi up again later, or where there is room (${fitting.slice(0, 8).join(", ")}): pulumi config set --path fly:regions.APP ${fitting[0] ?? ""} (for the app of ${run.spec.id})`,
  });
}

/** Volumes that are larger than they are planned, in words. Pure. */
export function shrunk({ plan, found }: Seen): string[] {
  return plan.groups.flatMap((group) => {
    const { volume } = group;
    if (volume === undefined) return [];
    const names = new Set(Array.from({ length: group.count }, (_, index) => volumeName(group.name, index + 1)));
    return found.volumes
      .filter(({ name, size_gb }) => names.has(name) && size_gb > volume.sizeGb)
      .map((one) => `${one.id} of ${plan.name} (${one.name}) has ${one.size_gb} GB, and ${volume.sizeGb} are declared`);
  });
}

/** Volumes that the deploy goes on with and that are in another region than the plan, in words. Pure. */
function misplaced(id: string, { plan, found }: Seen): { readonly why: string; readonly region: string }[] {
  return plan.groups
    .flatMap((group) => keptVolumes(id, group, found))
    .filter(({ region }) => region !== plan.region)
    .map((one) => ({
      why: `${one.id} of ${plan.name} (${one.name}) is in ${one.region}, and ${plan.region} is declared`,
      region: one.region,
    }));
}

/** How many machines of a group a deploy makes in its region, beside those that are there. Pure. */
export function lackingOf(group: FlyGroup, machines: readonly Machine[]): number {
  const members = machines.filter(
    (machine) => metadataOf(machine)[tag.group] === group.name && metadataOf(machine)[tag.role] === "service",
  );
  return Math.max(0, group.count - members.length);
}

/** Groups that the region has no room for, each with the regions that have. */
async function withoutRoom(run: Run, { plan, found }: Seen): Promise<{ why: string; regions: string[] }[]> {
  const crowded: { why: string; regions: string[] }[] = [];
  for (const group of plan.groups) {
    const count = lackingOf(group, found.machines);
    if (count === 0) continue;
    const places = await placementsFor(run.fly, group, count).catch((error: unknown) => {
      // Advice is not to keep anyone from trying.
      if (error instanceof ApiError && !run.isEnding() && error.failure.status !== 401) return undefined;
      throw error;
    });
    const here = places?.find(({ region }) => region === plan.region)?.count ?? 0;
    if (places === undefined || here >= count) continue;
    const { cpu_kind, cpus, memory_mb } = group.config.guest;
    crowded.push({
      why: `${plan.region} has room for ${here} of ${count} machines of ${plan.name}'s ${group.name} (${cpu_kind} ${cpus} CPU, ${memory_mb} MiB)`,
      regions: places.filter((place) => place.count >= count).map(({ region }) => region),
    });
  }
  return crowded;
}
