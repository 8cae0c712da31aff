import { DriverError } from "../../../drivers/error";
import { hasStatus } from "../../../drivers/http";
import { listIps } from "../api/network";
import { secretNames } from "../api/secrets";
import { metadataOf, type IpAssignment, type Machine, type Volume } from "../api/types";
import { listVolumes } from "../api/volumes";
import type { Run } from "./run";
import { markerStart, tag } from "./tags";

/** What there is of one app of Fly. */
export interface Found {
  readonly machines: readonly Machine[];
  readonly volumes: readonly Volume[];
  readonly secrets: readonly string[];
  readonly ips: readonly IpAssignment[];
}

const nothing: Found = { machines: [], volumes: [], secrets: [], ips: [] };

/**
 * Looks at all of the spec's apps of Fly, and makes those that aren't there.
 * @throws DriverError where somebody else has one of the names, before anything is changed
 */
export async function claimApps(run: Run): Promise<ReadonlyMap<string, Found>> {
  const names = run.spec.apps.map(({ name }) => name);
  const found = await Promise.all(names.map(async (name) => [name, await findApp(run, name)] as const));
  const claimed = new Map<string, Found>();
  for (const [name, app] of found) claimed.set(name, app ?? (await makeApp(run, name)));
  return claimed;
}

/** @returns undefined where there is no such app */
async function findApp(run: Run, name: string): Promise<Found | undefined> {
  const { fly, spec } = run;
  const app = await fly.app(name).catch((error: unknown) => {
    throw hasStatus(error, 403) ? taken(spec.id, name, "it belongs to another organization") : error;
  });
  if (app === undefined) return undefined;
  const org = app.organization?.slug;
  // Fly calls the personal organization by its owner's name when asked.
  if (org !== undefined && org !== spec.connection.org && spec.connection.org !== "personal") {
    throw taken(spec.id, name, `it is in your organization "${org}", not in "${spec.connection.org}"`);
  }
  const found = await look(run, name);
  const why = strange(spec.id, found);
  if (why !== undefined) throw taken(spec.id, name, why);
  return found;
}

async function makeApp(run: Run, name: string): Promise<Found> {
  await run.fly.createApp(name).catch((error: unknown) => {
    throw hasStatus(error, 409, 422) ? taken(run.spec.id, name, "Fly has it already") : error;
  });
  run.changed(`${name}: app created`);
  return nothing;
}

export async function look(run: Run, name: string): Promise<Found> {
  const { fly } = run;
  const [machines, volumes, secrets, ips] = await Promise.all([
    fly.machines(name),
    listVolumes(fly, name),
    secretNames(fly, name),
    listIps(fly, name),
  ]);
  return { machines, volumes, secrets, ips };
}

/** Why what is there isn't this stack's; undefined where it is, or where the app is still empty. */
export function strange(id: string, { machines, volumes, secrets }: Found): string | undefined {
  if (
    secrets.some(
      (name) => name.startsWith(markerStart(id)) && /^[0-9A-F]{16}$/.test(name.slice(markerStart(id).length)),
    )
  ) {
    return undefined;
  }
  const owners = machines.map((machine) => metadataOf(machine)[tag.owner]);
  if (owners.includes(id)) return undefined;
  const other = owners.find((owner) => owner !== undefined);
  if (other !== undefined) return `it holds machines of "${other}"`;
  const marked = secrets.find((name) => name.startsWith("HOMEPORT_"));
  if (marked !== undefined) return `it carries the mark of another stack, ${marked}`;
  if (machines.length > 0) return `it has ${machines.length} machines that Homeport didn't make`;
  if (volumes.length > 0) return `it has ${volumes.length} volumes that Homeport didn't make`;
  return undefined;
}

function taken(id: string, name: string, why: string): DriverError {
  return new DriverError({
    what: `The name "${name}" is taken on Fly.io.`,
    where: `app ${id}`,
    why: `${why}; names of apps are shared by all of Fly's customers. Nothing was changed.`,
    fix: `pulumi config set --path fly:names.APP ANOTHER-NAME (for the app of ${id})`,
  });
}
