import { DriverError } from "../../../drivers/error";
import { hasStatus } from "../../../drivers/http";
import { absent } from "../api/connection";
import { listCertificates, listIps } from "../api/network";
import { secretNames } from "../api/secrets";
import { metadataOf, type IpAssignment, type Machine, type Volume } from "../api/types";
import { listVolumes } from "../api/volumes";
import type { FlyAppPlan, FlyGroup } from "../plan";
import { preflight } from "./preflight";
import type { Run } from "./run";
import { isMarker, tag } from "./tags";

/** What there is of one app of Fly. */
export interface Found {
  readonly machines: readonly Machine[];
  readonly volumes: readonly Volume[];
  readonly secrets: readonly string[];
  readonly ips: readonly IpAssignment[];
  /** Whether this run made it: then there is nothing in it. */
  readonly isNew?: true;
}

const nothing: Found = { machines: [], volumes: [], secrets: [], ips: [] };

/**
 * Looks at all of the spec's apps of Fly, and makes those that aren't there.
 * @throws DriverError where somebody else has one of the names, the region has no room or a volume is to shrink, before
 *   anything is changed
 */
export async function claimApps(run: Run): Promise<ReadonlyMap<string, Found>> {
  const found = await Promise.all(run.spec.apps.map(async (plan) => ({ plan, found: await findApp(run, plan) })));
  await preflight(
    run,
    found.map(({ plan, found: there }) => ({ plan, found: there ?? nothing })),
  );
  const claimed = new Map<string, Found>();
  for (const { plan, found: there } of found) claimed.set(plan.name, there ?? (await makeApp(run, plan)));
  return claimed;
}

/**
 * @returns undefined where there is no such app
 * @throws DriverError where it is somebody else's
 */
export function findApp(run: Run, plan: FlyAppPlan): Promise<Found | undefined> {
  return young(run, plan.name, () => lookInto(run, plan));
}

/** Looks at an app that a run may have made a moment ago: until it is known everywhere, its owner's token isn't taken there. */
async function young<T>(run: Run, name: string, look: () => Promise<T>): Promise<T> {
  const { fly } = run;
  try {
    return await look();
  } catch (error) {
    if (hasStatus(error, 401) && (await fly.takesToken()) && (await fly.appears(name)) !== undefined) return look();
    throw error;
  }
}

async function lookInto(run: Run, { name, groups }: FlyAppPlan): Promise<Found | undefined> {
  const { fly, spec } = run;
  const machines = await absent(fly.machines(name)).catch((error: unknown) => {
    throw hasStatus(error, 403) ? taken(spec.id, name, "it belongs to another organization") : error;
  });
  if (machines === undefined) return undefined;
  const stored = isStored(groups);
  const [secrets, ips, volumes] = await Promise.all([
    secretNames(fly, name),
    listIps(fly, name),
    stored ? listVolumes(fly, name) : [],
  ]);
  if (isOwn(spec.id, { machines, secrets })) return { machines, volumes, secrets, ips };
  // Nothing says whose it is, so what else is known of it does.
  const org = (await fly.app(name))?.organization?.slug;
  // Fly calls the personal organization by its owner's name when asked.
  if (org !== undefined && org !== spec.connection.org && spec.connection.org !== "personal") {
    throw taken(spec.id, name, `it is in your organization "${org}", not in "${spec.connection.org}"`);
  }
  const found = { machines, volumes: stored ? volumes : await listVolumes(fly, name), secrets, ips };
  const why = await strange(run, name, found);
  if (why !== undefined) {
    throw taken(spec.id, name, why, `; or, where nothing in it is needed any more: fly apps destroy ${name}`);
  }
  return found;
}

/** @returns what is in it where a run that was cut off had made it and Fly told of it only now */
export async function makeApp(run: Run, plan: FlyAppPlan): Promise<Found> {
  const { fly, spec } = run;
  const { name } = plan;
  try {
    await fly.createApp(name);
  } catch (error) {
    if (!hasStatus(error, 409, 422)) throw error;
    const known = await fly.appears(name).catch((refused: unknown) => {
      if (hasStatus(refused, 403)) return undefined;
      throw refused;
    });
    const found = known && (await findApp(run, plan));
    if (found === undefined) throw taken(spec.id, name, "Fly has it already");
    return found;
  }
  run.changed(`${name}: app created`);
  return { ...nothing, isNew: true };
}

export function look(run: Run, name: string): Promise<Found> {
  const { fly } = run;
  return young(run, name, async () => {
    const [machines, volumes, secrets, ips] = await Promise.all([
      fly.machines(name),
      listVolumes(fly, name),
      secretNames(fly, name),
      listIps(fly, name),
    ]);
    return { machines, volumes, secrets, ips };
  });
}

/** What a deploy has made of it. */
export async function lookAgain(
  run: Run,
  { name, groups }: Pick<FlyAppPlan, "name" | "groups">,
): Promise<Pick<Found, "machines" | "volumes">> {
  const { fly } = run;
  const [machines, volumes] = await Promise.all([fly.machines(name), isStored(groups) ? listVolumes(fly, name) : []]);
  return { machines, volumes };
}

const isStored = (groups: readonly FlyGroup[]): boolean => groups.some(({ volume }) => volume !== undefined);

/** Whether an app of Fly carries this stack's mark, or machines that it made. */
const isOwn = (id: string, { machines, secrets }: Pick<Found, "machines" | "secrets">): boolean =>
  secrets.some((name) => isMarker(id, name)) || machines.some((machine) => metadataOf(machine)[tag.owner] === id);

/** Why what is there isn't this stack's; undefined where it is, or where the app is still empty. */
export async function strange(run: Run, name: string, found: Found): Promise<string | undefined> {
  const { machines, volumes, secrets } = found;
  if (isOwn(run.spec.id, found)) return undefined;
  const owners = machines.map((machine) => metadataOf(machine)[tag.owner]);
  const other = owners.find((owner) => owner !== undefined);
  if (other !== undefined) return `it holds machines of "${other}"`;
  const marked = secrets.find((one) => one.startsWith("HOMEPORT_"));
  if (marked !== undefined) return `it carries the mark of another stack, ${marked}`;
  if (machines.length > 0) return `it has ${machines.length} machines that Homeport didn't make`;
  if (volumes.length > 0) return `it has ${volumes.length} volumes that Homeport didn't make`;
  // A deploy sets its mark by the call that sets its secrets, and asks for certificates last.
  if (secrets.length > 0) return `it has secrets that Homeport didn't set: ${secrets.join(", ")}`;
  const certificates = await listCertificates(run.fly, name);
  if (certificates.length === 0) return undefined;
  return `it has certificates that Homeport didn't ask for: ${certificates.map(({ hostname }) => hostname).join(", ")}`;
}

function taken(id: string, name: string, why: string, otherwise = ""): DriverError {
  return new DriverError({
    what: `The name "${name}" is taken on Fly.io.`,
    where: `app ${id}`,
    why: `${why}; names of apps are shared by all of Fly's customers. Nothing was changed.`,
    fix: `pulumi config set --path fly:names.APP ANOTHER-NAME (for the app of ${id})${otherwise}`,
  });
}
