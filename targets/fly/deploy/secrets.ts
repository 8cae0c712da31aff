import { secretNames, setSecrets } from "../api/secrets";
import type { FlyAppPlan } from "../plan";
import type { Run } from "./run";
import { isMarker } from "./tags";
import { withTokens } from "./tokens";

/** What an app's secrets are to be, and what there is of them, by name. */
export interface SecretsPlan {
  readonly app: FlyAppPlan;
  /** The name that stands for their values. */
  readonly mark: string;
  readonly names: readonly string[];
}

const marksOf = (run: Run, names: readonly string[]): string[] => names.filter((name) => isMarker(run.spec.id, name));

/** Whether the values are the planned ones. Two deploys at once leave two marks, and either one's values. */
export function areSet(run: Run, { mark, names }: Omit<SecretsPlan, "app">): boolean {
  const marks = marksOf(run, names);
  return marks.length === 1 && marks[0] === mark;
}

/** Whether nobody knows which values machines have seen that are there: those of another deploy have come between. */
export const areUnclear = (run: Run, names: readonly string[]): boolean => marksOf(run, names).length !== 1;

/** Names that the plan hasn't. */
const leftover = (run: Run, { app, names }: SecretsPlan): string[] =>
  names.filter((name) => !isMarker(run.spec.id, name) && !Object.hasOwn(app.secrets, name));

/** Of these the ones whose values a machine would see in the place of its plain variables: they can't stay until it is proven. */
export const shadowing = (run: Run, plan: SecretsPlan): string[] =>
  leftover(run, plan).filter((name) => plan.app.groups.some(({ config }) => Object.hasOwn(config.env ?? {}, name)));

const removed = (names: readonly string[]): Record<string, null> =>
  Object.fromEntries(names.map((name) => [name, null]));

/**
 * Sets the secrets where their values aren't these. Those that aren't declared any more stay until the new version is proven:
 * Fly tells no values, so the version before couldn't get them back.
 * @param unclear whether the mark has to wait until all machines have seen them
 * @returns the version that machines must have; asked for even where nothing changed, as a run before may have been cut off
 *   right after it had set them
 */
export async function applySecrets(run: Run, plan: SecretsPlan, unclear: boolean): Promise<number | undefined> {
  const { app, mark, names } = plan;
  const count = Object.keys(app.secrets).length;
  const shadows = removed(shadowing(run, plan));
  if (areSet(run, plan) && !unclear) {
    const isNothing = count === 0 && Object.keys(shadows).length === 0;
    return isNothing ? undefined : setSecrets(run.fly, app.name, { ...shadows, [mark]: "1" });
  }
  const values = await withTokens(run, app.secrets);
  const marks = removed(marksOf(run, names));
  const version = await setSecrets(run.fly, app.name, {
    ...shadows,
    ...marks,
    ...values,
    ...(unclear ? {} : { [mark]: "1" }),
  });
  run.changed(`${app.name}: ${count} secrets are set`);
  return version;
}

/** Takes those away that aren't declared any more. Machines that are up see it at their next start, which isn't worth one. */
export async function removeLeftover(run: Run, plan: SecretsPlan, unclear = false): Promise<void> {
  const names = leftover(run, plan);
  if (names.length === 0 && !unclear) return;
  await setSecrets(run.fly, plan.app.name, { ...removed(names), ...(unclear ? { [plan.mark]: "1" } : {}) });
  if (names.length > 0) run.changed(`${plan.app.name}: secrets of before are removed: ${names.join(", ")}`);
}

/** As they are now: what a deploy saw first may be long ago, and its list late. */
export const namesNow = (run: Run, app: string): Promise<string[]> => secretNames(run.fly, app);
