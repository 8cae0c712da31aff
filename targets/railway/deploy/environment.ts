import type { Connection, Instance } from "../api/types";
import { bucketName } from "./choose";
import type { Place } from "./find";
import type { Found } from "./look";
import { allOf, pageInfo } from "./pages";
import type { Run } from "./run";
import type { Step } from "./steps";

/** Part of an environment's configuration, by ids (railwayapp/cli, src/controllers/config/environment.rs). */
export interface Patch {
  readonly services?: Readonly<Record<string, unknown>>;
  readonly volumes?: Readonly<Record<string, unknown>>;
  readonly buckets?: Readonly<Record<string, unknown>>;
}

/** Commits this patch and nothing else: what others have staged isn't in it. */
export async function commitPatch(run: Run, environmentId: string, patch: Patch, message: string): Promise<void> {
  await run.railway.ask(
    `mutation Patch($environmentId: String!, $patch: EnvironmentConfig!, $commitMessage: String) {
      environmentPatchCommit(environmentId: $environmentId, patch: $patch, commitMessage: $commitMessage)
    }`,
    { environmentId, patch, commitMessage: `${message} (homeport ${run.spec.id})` },
  );
}

/**
 * Refuses where a commit is needed in an environment in which somebody has staged changes: Railway's dashboard puts both in one
 * commit, and whoever staged them hasn't decided yet. Called before anything is changed.
 */
export function refuseStaged(run: Run, found: Found, steps: readonly Step[], removed: boolean): void {
  const { spec } = run;
  const isNew = steps.some(({ id }) => id === undefined);
  const needed =
    removed ||
    spec.buckets.some(({ name }) => found.buckets.every((bucket) => bucket.name !== bucketName(spec, name))) ||
    steps.some(
      ({ id, instance, service, volume, recorded }) =>
        (id !== undefined && instance === undefined) ||
        recorded?.tcpPort !== service.tcpPort ||
        (service.volume !== undefined && (volume === undefined || volume.sizeMB < service.volume.sizeMb)),
    );
  const looked = [...(needed ? [found.environment] : []), ...(isNew ? found.others : [])];
  const staged = looked.filter(({ unmergedChangesCount }) => (unmergedChangesCount ?? 0) > 0);
  if (staged.length > 0) {
    throw run.error(
      `Somebody has staged changes in environment ${staged.map(({ name }) => name).join(" and ")}.`,
      "this deploy has to commit a change there, and theirs aren't decided yet; nothing was changed",
      "deploy or discard them in the project's page at railway.com, then pulumi up",
    );
  }
  if ((found.environment.unmergedChangesCount ?? 0) > 0) {
    run.tell(`environment ${found.environment.name} has changes that somebody staged: they are left as they are`);
  }
}

/** A project's token can't take a new service out of the other environments that Railway makes it in. */
export function refuseNewByProjectToken(run: Run, found: Found, steps: readonly Step[]): void {
  const fresh = steps.filter(({ id }) => id === undefined).map(({ service }) => service.name);
  if (run.railway.connection.kind !== "project" || fresh.length === 0 || found.others.length === 0) return;
  throw run.error(
    "A project's token can't make services here.",
    `Railway makes ${fresh.join(", ")} in ${found.others.map(({ name }) => name).join(", ")}, too, where the token may not take them away`,
    "deploy once with a token of the workspace: pulumi config set --secret railway:apiToken",
  );
}

type Leaked = Pick<Instance, "serviceId" | "source" | "latestDeployment">;

/** Milliseconds between looks for services that Railway makes elsewhere, too: lists may show them a moment later. */
const leakLooks = [0, 2_000, 5_000, 15_000];

/**
 * Takes services that were just made out of the other environments: Railway makes a service in all that aren't forks. Those
 * that have a source or a deployment there are another stack's by now.
 * @param made those of them that this run has made, which are looked for until all are seen
 */
export async function keepApart(
  run: Run,
  found: Found,
  ids: readonly string[],
  made: readonly string[],
): Promise<void> {
  if (ids.length === 0 || found.others.length === 0 || run.railway.connection.kind === "project") return;
  const open = new Map(found.others.map((other) => [other.id, new Set(made)]));
  for (const wait of leakLooks) {
    if (wait > 0) await run.pause(wait, run.railway.deadline(wait / 1000 + 60, "a wait"));
    for (const other of found.others) {
      const awaited = open.get(other.id);
      if (awaited === undefined) continue;
      const there = await instancesIn(run, other.id);
      for (const { serviceId } of there) awaited.delete(serviceId);
      if (awaited.size === 0) open.delete(other.id);
      const leaked = there.filter((one) => ids.includes(one.serviceId) && isBare(one));
      if (leaked.length === 0) continue;
      const services = Object.fromEntries(leaked.map(({ serviceId }) => [serviceId, { isDeleted: true }]));
      await commitPatch(run, other.id, { services }, "Keep services of another environment out");
      run.changed(`environment ${other.name}: services that are ${run.spec.environment}'s alone are kept out`);
    }
    if (open.size === 0) return;
  }
}

const isBare = ({ source, latestDeployment }: Leaked): boolean =>
  (latestDeployment ?? null) === null && (source?.image ?? null) === null && (source?.repo ?? null) === null;

async function instancesIn(run: Run, id: string): Promise<Leaked[]> {
  const query = `query Leaked($id: String!, $after: String) {
    environment(id: $id) {
      serviceInstances(after: $after) {
        edges { node { serviceId source { image repo } latestDeployment { id status } } } ${pageInfo}
      }
    }
  }`;
  const ask = async (page: Readonly<Record<string, string>>) => {
    interface Told {
      readonly environment: { readonly serviceInstances: Connection<Leaked> };
    }
    return (await run.railway.ask<Told>(query, { id, ...page })).environment.serviceInstances;
  };
  return allOf(await ask({}), (after) => ask({ after }));
}

/** Puts services of the project, which another environment has, into this one. */
export async function bringIn(run: Run, place: Place, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  const services = Object.fromEntries(ids.map((id) => [id, { isCreated: true }]));
  await commitPatch(run, place.environmentId, { services }, "Bring services in");
}
