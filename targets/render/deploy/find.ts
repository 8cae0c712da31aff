import { DriverError } from "../../../drivers/error";
import type { Database, Named, Owner, Service } from "../api/types";
import { strangeHost } from "./hosts";
import { mark } from "./marks";
import type { Run } from "./run";

/** What there is of an app before anything is changed. */
export interface Found {
  readonly ownerId: string;
  /** undefined where it has yet to be made. */
  readonly projectId: string | undefined;
  readonly environmentId: string | undefined;
  readonly services: ReadonlyMap<string, FoundService>;
  readonly postgres: ReadonlyMap<string, Database>;
  readonly keyValues: ReadonlyMap<string, Database>;
  /** The app's own, and not in its plan. */
  readonly retired: readonly Pick<FoundService, "service" | "env">[];
}

export interface FoundService {
  readonly service: Service;
  readonly env: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, string>>;
}

/** What keeps an app from being deployed: all of it is told at once. */
interface Obstacle {
  readonly name: string;
  readonly why: string;
  readonly fix: string;
}

/**
 * Looks at everything that the plan names. Changes nothing.
 * @throws DriverError where a name is another's or somebody has it twice, or a change would need a replacement
 */
export async function look(run: Run): Promise<Found> {
  const { render, spec } = run;
  const ownerId = workspaceOf(run, await render.owners());
  const { project, extra, environment, double, named, inside, postgres, keyValues } = await listSettled(run, ownerId);
  const services = new Map(
    await Promise.all(named.map(async (service) => [service.name, await contents(run, service)] as const)),
  );
  const unplanned = inside.filter(({ name }) => !services.has(name));
  const looked = await Promise.all(
    unplanned.map(async (service) => ({ service, env: await render.variables(service.id) })),
  );
  const retired = looked.filter(({ env }) => env[mark.owner] === spec.id);
  const obstacles = [
    ...doubles("project", spec.project, extra),
    ...doubles("environment", spec.environment, double),
    ...[...services.values()].flatMap(({ service, env }) => strange(run, service, environment, env[mark.owner])),
    ...[...postgres, ...keyValues].flatMap((one) => strange(run, one, environment)),
    ...twice([...postgres, ...keyValues]),
    ...fixed(run, services, postgres, keyValues),
    ...elsewhere(run, services),
  ];
  if (obstacles.length > 0) throw refusal(run, obstacles);
  return {
    ...{ ownerId, projectId: project?.id, environmentId: environment?.id, services, retired },
    postgres: byName(postgres),
    keyValues: byName(keyValues),
  };
}

/** What lists have of an app. */
interface Listed {
  readonly project: Named | undefined;
  readonly extra: Named | undefined;
  readonly environment: Named | undefined;
  readonly double: Named | undefined;
  readonly named: readonly Service[];
  readonly inside: readonly Service[];
  readonly postgres: readonly Database[];
  readonly keyValues: readonly Database[];
}

/** Milliseconds before it is looked again for what lists don't have. */
const laterLooks = [2_000, 8_000];

/**
 * All that lists have of an app. What lacks is looked for again: a run that was cut off may have made it just now, and
 * nothing keeps Render from making a second database or project of the name.
 */
async function listSettled(run: Run, ownerId: string): Promise<Listed> {
  const { client } = run.render;
  const deadline = run.render.deadline(300, `a look at ${run.spec.id}`);
  let listed = await list(run, ownerId);
  for (const wait of laterLooks) {
    if (isWhole(run, listed) || !(await client.pause(wait, deadline))) break;
    listed = await list(run, ownerId);
  }
  return listed;
}

function isWhole({ spec }: Run, { environment, named, postgres, keyValues }: Listed): boolean {
  const there = new Set([...named, ...postgres, ...keyValues].map(({ name }) => name));
  const planned = [...spec.services, ...spec.postgres, ...spec.keyValues];
  return environment !== undefined && planned.every(({ name }) => there.has(name));
}

async function list({ render, spec }: Run, ownerId: string): Promise<Listed> {
  const [project, extra] = await render.projects(ownerId, spec.project);
  const [environment, double] = project === undefined ? [] : await render.environments(project.id, spec.environment);
  const names = spec.services.map(({ name }) => name).join(",");
  const [named, inside, postgres, keyValues] = await Promise.all([
    names === "" ? [] : render.services(ownerId, { name: names }),
    environment === undefined ? [] : render.services(ownerId, { environmentId: environment.id }),
    spec.postgres.length === 0 ? [] : render.postgres(ownerId, spec.postgres.map(({ name }) => name).join(",")),
    spec.keyValues.length === 0 ? [] : render.keyValues(ownerId, spec.keyValues.map(({ name }) => name).join(",")),
  ]);
  return { project, extra, environment, double, named, inside, postgres, keyValues };
}

const byName = (all: readonly Database[]): Map<string, Database> => new Map(all.map((one) => [one.name, one]));

async function contents({ render }: Run, service: Service): Promise<FoundService> {
  const [env, files] = await Promise.all([render.variables(service.id), render.files(service.id)]);
  return { service, env, files };
}

/** The workspace that is meant. @throws DriverError where it isn't clear */
export function workspaceOf({ spec }: Run, owners: readonly Owner[]): string {
  const { workspace } = spec.connection;
  const fitting = owners.filter(({ id, name }) => workspace === undefined || id === workspace || name === workspace);
  const [only] = fitting;
  if (only !== undefined && fitting.length === 1) return only.id;
  const list = owners.map(({ id, name }) => `${name} (${id})`).join(", ");
  throw new DriverError({
    what: workspace === undefined ? "The key sees several workspaces." : `The key sees no workspace "${workspace}".`,
    where: "render:workspace",
    why: `it sees ${list === "" ? "none" : list}`,
    fix: "pulumi config set render:workspace ID",
  });
}

const doubles = (kind: string, name: string, double: Named | undefined): Obstacle[] =>
  double === undefined
    ? []
    : [{ name, why: `the workspace has two of the ${kind} ${name}`, fix: `rename one at dashboard.render.com` }];

function twice(all: readonly Database[]): Obstacle[] {
  const names = all.map(({ name }) => name);
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))].map((name) => ({
    name,
    why: `the workspace has ${name} more than once (${all
      .filter((one) => one.name === name)
      .map(({ id }) => id)
      .join(", ")})`,
    fix: "rename or delete the one that isn't this app's at dashboard.render.com",
  }));
}

/** Whether something of the planned name is somebody else's. Data services have no variables: their environment tells. */
function strange(
  { spec }: Run,
  one: Named & { readonly environmentId?: string },
  environment: Named | undefined,
  owner = environment?.id === one.environmentId ? spec.id : undefined,
): Obstacle[] {
  if (spec.adopt.includes(one.name)) return [];
  if (owner === spec.id && environment !== undefined) return [];
  return [
    {
      name: one.name,
      why: `${one.name} (${one.id}) is there already, and isn't ${spec.id}'s`,
      fix: `give it another name (pulumi config set --path render:names.APP-PART NAME), or take it over (pulumi config set --path 'render:adopt[0]' APP-PART)`,
    },
  ];
}

/** Fields that the API can't change. Replacing would lose what is stored, so that it isn't done by itself. */
function fixed(
  { spec }: Run,
  services: Found["services"],
  postgres: readonly Database[],
  keyValues: readonly Database[],
): Obstacle[] {
  const obstacle = (name: string, field: string, has: string, wanted: string, lost: string): Obstacle[] =>
    has === wanted
      ? []
      : [
          {
            name,
            why: `${name}'s ${field} is ${has}, and Render can't change it to ${wanted}: it would have to be made anew, ${lost}`,
            fix: `set it back, or rename or delete ${name} at dashboard.render.com after its data is elsewhere`,
          },
        ];
  const data = "and come up empty";
  return [
    ...spec.services.flatMap(({ name, type, disk }) => {
      const found = services.get(name)?.service;
      if (found === undefined) return [];
      const lost = disk === undefined ? "under another id" : "without what its disk holds";
      return [
        ...obstacle(name, "type", found.type, type, lost),
        ...obstacle(name, "region", found.serviceDetails.region ?? spec.region, spec.region, lost),
      ];
    }),
    ...[...postgres, ...keyValues].flatMap(({ name, region }) => obstacle(name, "region", region, spec.region, data)),
    ...spec.postgres.flatMap(({ name, version }) => {
      const found = postgres.find((one) => one.name === name);
      return found === undefined ? [] : obstacle(name, "version", found.version ?? version, version, data);
    }),
  ];
}

/** Services that are reached at another host name than the app's variables say. */
const elsewhere = ({ spec }: Run, services: Found["services"]): Obstacle[] =>
  spec.services.flatMap((service) => {
    const found = services.get(service.name)?.service;
    const strange = found === undefined ? undefined : strangeHost(spec, service, found);
    return strange === undefined ? [] : [{ name: service.name, ...strange }];
  });

function refusal({ spec }: Run, obstacles: readonly Obstacle[]): DriverError {
  return new DriverError({
    what: `${spec.id} can't be deployed to Render as it is planned. Nothing was changed.`,
    where: [...new Set(obstacles.map(({ name }) => name))].join(", "),
    why: obstacles.map(({ why }) => why).join("; "),
    fix: [...new Set(obstacles.map(({ fix }) => fix))].join("; "),
  });
}
