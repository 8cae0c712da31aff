import type { ReleaseRecord } from "../api/releases";
import type { FlyAppPlan } from "../plan";
import { definitionOf } from "./definition";
import type { Run } from "./run";
import { bringsVersion, type Steps } from "./steps";
import { firstWords } from "./undo";

/**
 * Does a deploy under a record of it at Fly, as flyctl keeps one: `fly releases` and `fly status` show it. It is for people
 * alone: where it can't be kept, that is told, and the deploy goes on. Only a new version is worth one.
 * @param whole the app with all of its groups, whichever of them the deploy changes
 * @throws what `work` throws
 */
export async function recorded<T>(
  run: Run,
  whole: FlyAppPlan,
  steps: Steps,
  work: (record: ReleaseRecord | undefined) => Promise<T>,
): Promise<T> {
  const { name } = whole;
  const changing = bringsVersion(steps);
  const record =
    changing || steps.unproven ? await attempted(run, name, () => open(run, whole, steps, changing)) : undefined;
  try {
    const done = await work(record);
    if (record !== undefined) await attempted(run, name, () => run.releases.update(record, "complete"));
    return done;
  } catch (error) {
    // A run that is being ended can make no call: the next one finds the record open.
    if (record !== undefined && !run.isEnding())
      await attempted(run, name, () => run.releases.update(record, "failed", run.fly.client.redact(firstWords(error))));
    throw error;
  }
}

const isOpen = ({ status }: ReleaseRecord): boolean => status === "pending" || status === "running";

/** Takes up the record that a run left open, where it is of the same image, or makes one. Others that are open are closed. */
async function open(run: Run, whole: FlyAppPlan, steps: Steps, make: boolean): Promise<ReleaseRecord | undefined> {
  const { releases } = run;
  const image = whole.groups[0]?.config.image ?? "";
  const left = (await releases.list(whole.name)).filter(isOpen);
  const same = left.find(({ image_ref }) => image_ref === image);
  for (const one of left) if (one !== same) await releases.update(one, "interrupted");
  if (same === undefined && !make) return undefined;
  const beside = steps.groups.some(({ slots }) => slots.some(({ act }) => act === "create"));
  const strategy = beside ? "BLUEGREEN" : "ROLLING";
  const record =
    same ?? (await releases.create({ app_name: whole.name, image, strategy, definition: definitionOf(whole) }));
  if (record.status !== "running") await releases.update(record, "running");
  return record;
}

/** Makes calls about a record. @returns undefined where that failed, which is told */
async function attempted<T>(run: Run, app: string, calls: () => Promise<T>): Promise<T | undefined> {
  try {
    return await calls();
  } catch (error) {
    if (run.isEnding()) throw error;
    run.tell(`${app}: fly releases won't show this deploy: ${firstWords(error)}`);
    return undefined;
  }
}
