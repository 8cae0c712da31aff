import type { Run } from "./deploy/run";

/** Changes that wait in an environment to be committed, by anybody. */
type Staged = Readonly<Record<string, unknown>>;

const entriesOf = (part: unknown): [string, unknown][] =>
  typeof part === "object" && part !== null ? Object.entries(part) : [];

/** What is staged in an environment. */
export async function stagedIn(run: Run, environmentId: string): Promise<Staged> {
  const answer = await run.railway.ask<{ environmentStagedChanges: { readonly patch?: Staged | null } }>(
    "query Staged($id: String!) { environmentStagedChanges(environmentId: $id) { id status patch } }",
    { id: environmentId },
  );
  return answer.environmentStagedChanges.patch ?? {};
}

/**
 * Whether what is staged is a volume's change for one other in its service, as a copy's return stages it, and nothing else.
 * Pure.
 */
export function isReturn(staged: Staged, serviceId: string, volumeId: string): boolean {
  const parts = Object.entries(staged).filter(([, part]) => entriesOf(part).length > 0);
  const { services, volumes } = Object.fromEntries(parts);
  if (parts.some(([name]) => name !== "services" && name !== "volumes")) return false;
  const [service, ...others] = entriesOf(services);
  if (service?.[0] !== serviceId || others.length > 0) return false;
  const [mounts, ...settings] = entriesOf(service[1]);
  if (mounts?.[0] !== "volumeMounts" || settings.length > 0) return false;
  const mounted = entriesOf(mounts[1]);
  const added = mounted.filter(([, mount]) => mount !== null).map(([id]) => id);
  const taken = mounted.filter(([, mount]) => mount === null).map(([id]) => id);
  const isSwap = added.length === 1 && taken.length === 1 && taken[0] === volumeId;
  return isSwap && entriesOf(volumes).every(([id]) => id === volumeId || id === added[0]);
}

/** Takes back what is staged: an empty patch in the place of all of it. */
export async function discardStaged(run: Run, environmentId: string): Promise<void> {
  await run.railway.ask(
    `mutation Discard($id: String!, $input: EnvironmentConfig!) {
      environmentStageChanges(environmentId: $id, input: $input, merge: false) { id }
    }`,
    { id: environmentId, input: {} },
  );
}
