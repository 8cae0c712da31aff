import { bucketName, leftBehind } from "./choose";
import type { Place } from "./find";
import { look, type Found } from "./look";
import type { Run } from "./run";
import { partOf } from "./state";

/** Seconds until what was made is surely listed. */
const listSeconds = 120;
/** Seconds for what is written down with its id: it was listed before. */
const againSeconds = 30;
/** Seconds between looks: the first and the longest. */
const pauses = { first: 2, longest: 16 };

/**
 * Looks until all is listed that runs before have made, or were about to make: Railway takes two services of one name, so one
 * that isn't listed yet would be made a second time, with an empty volume. What a person has deleted costs a wait.
 */
export async function lookSettled(run: Run, place: Place): Promise<Found> {
  const { world } = run.railway.client;
  const began = world.now();
  let found = await look(run, place);
  for (let seconds = pauses.first; ; seconds = Math.min(pauses.longest, seconds * 2)) {
    const missing = unlisted(run, found);
    // Times of another machine's clock may lie in the future.
    const ends = missing.map(
      ({ since }) => Math.min(since ?? began, began) + 1000 * (since === undefined ? againSeconds : listSeconds),
    );
    const left = Math.max(0, ...ends) - world.now();
    if (missing.length === 0 || left <= 0) return found;
    if (seconds === pauses.first) {
      run.tell(`Railway doesn't list ${missing.map(({ part }) => part).join(", ")}, which may be there: looking again`);
    }
    const ms = Math.min(seconds * 1000, left);
    await run.pause(ms, run.railway.deadline(ms / 1000 + 60, "a wait"));
    found = await look(run, place);
  }
}

interface Unlisted {
  readonly part: string;
  /** When it was about to be made; undefined for what is written down as made. */
  readonly since?: number;
}

/** What is wanted and written down, and isn't listed. */
function unlisted({ spec }: Run, found: Found): Unlisted[] {
  const { state, services } = found;
  if (state?.app !== spec.id) return [];
  const ids = new Set(services.values());
  const isThere: Record<string, boolean> = {};
  for (const { name, volume } of spec.services) {
    isThere[name] = services.has(name) || found.doubtful.has(name);
    if (volume === undefined) continue;
    const id = services.get(name);
    const isMounted = found.volumes.some(({ serviceId }) => id !== undefined && serviceId === id);
    isThere[partOf("volume", name)] = isMounted || leftBehind(spec, found, name).length > 0;
  }
  for (const { name } of spec.buckets) {
    isThere[partOf("bucket", name)] = found.buckets.some((one) => one.name === bucketName(spec, name));
  }
  const made = spec.services.flatMap(({ name }): Unlisted[] => {
    const id = state.services[name]?.id;
    return id === undefined || ids.has(id) ? [] : [{ part: name }];
  });
  const begun = Object.entries(state.making ?? {}).flatMap(([part, since]): Unlisted[] =>
    isThere[part] === false ? [{ part, since: Date.parse(since) || 0 }] : [],
  );
  return [...made, ...begun];
}
