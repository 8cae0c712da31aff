import type { FlyAppPlan } from "../plan";
import { metadataOf } from "../api/types";
import { explainCapacity } from "./capacity";
import { look, lookAgain, type Found } from "./claim";
import { growVolumes } from "./grow";
import { makeVolumes, NewVolumes } from "./newVolumes";
import { recorded } from "./record";
import { removeReleases, runRelease } from "./release";
import { yieldToRivals } from "./rivals";
import { rollOut } from "./rollout";
import type { Run } from "./run";
import { applySecrets, areUnclear, namesNow, removeLeftover, shadowing } from "./secrets";
import { settled } from "./settled";
import { planSteps, type Steps } from "./steps";
import { isProven, nextVersion, tag, type Hashes } from "./tags";

/** An app's plan, and what tells whether there is something of it already. */
export interface Wanted {
  readonly app: FlyAppPlan;
  /** By group. */
  readonly hashes: ReadonlyMap<string, Hashes>;
  /** The name that stands for the values of its secrets. */
  readonly mark: string;
}

/** Whether machines may have seen other secrets than the mark says. */
const isUnclear = (run: Run, { machines, secrets }: Found): boolean =>
  areUnclear(run, secrets) && machines.some((machine) => metadataOf(machine)[tag.owner] === run.spec.id);

/**
 * Brings an app to its plan.
 * @returns what there is then
 * @throws DriverError; what ran before runs on
 */
export async function change(run: Run, wanted: Wanted, seen: Found): Promise<Pick<Found, "machines" | "volumes">> {
  const { app, mark } = wanted;
  const fresh = new NewVolumes();
  try {
    const { found, steps } = await holdMachines(run, wanted, seen);
    // The app is this run's alone now, so what it reads stays so.
    const names = run.leases.any ? await namesNow(run, app.name) : found.secrets;
    const plan = { app, mark, names };
    const unclear = isUnclear(run, found);
    const shadows = shadowing(run, plan);
    const minSecrets = await applySecrets(run, plan, unclear);
    const made = new Set<string>();
    const prove = await recorded(run, app, steps, async (record) => {
      await growVolumes(run, app.name, steps);
      await makeVolumes(run, app, steps, { known: found.volumes, fresh });
      const release = steps.groups.find(({ group }) => group.name === app.release?.group);
      if (steps.release && release?.hashes.release !== undefined) {
        await runRelease(run, app, release.group, release.hashes.release, steps.releases, minSecrets);
      } else await removeReleases(run, app.name, steps.releases);
      const version = nextVersion(found.machines, steps, record);
      return rollOut(run, app, steps, { version, record: record?.id, minSecrets, volumes: fresh, made });
    });
    await prove();
    await removeLeftover(run, { ...plan, names: names.filter((name) => !shadows.includes(name)) }, unclear);
    const now = await lookAgain(run, app);
    await yieldToRivals(run, app, { made, before: found.machines, now: now.machines });
    return now;
  } catch (error) {
    if (!run.isEnding()) await fresh.remove(run, app.name);
    throw explainCapacity(error, app);
  } finally {
    // A run that is being ended can make no call; what it holds is free again within seconds.
    if (!run.isEnding()) await run.leases.dropAll().catch(() => undefined);
  }
}

/** How often a deploy looks again where others deploy, too. */
const rounds = 5;

/** Takes the leases of all machines that are to change. Whoever had one of them until now has changed the app meanwhile. */
async function holdMachines(
  run: Run,
  { app, hashes }: Wanted,
  seen: Found,
): Promise<{ readonly found: Found; readonly steps: Steps }> {
  for (let found = seen, round = 1; ; round++) {
    const steps = planSteps(run.spec.id, app, hashes, found, isUnclear(run, found));
    const isLate = await run.leases.take(app.name, touched(steps));
    if (!isLate || round === rounds) return { found, steps };
    await run.pause(1000);
    found = await settled(run, app, await look(run, app.name));
  }
}

/** Existing machines that this deploy changes or takes away. */
function touched(steps: Steps): string[] {
  const slots = steps.groups.flatMap(({ group, slots: all }) => all.map((slot) => ({ group, ...slot })));
  const changed = slots.flatMap(({ group, act, machine }) => {
    if (machine === undefined) return [];
    const asItIs = isProven(machine) && machine.cordoned !== true && (group.idle || machine.state === "started");
    return act === "keep" && asItIs ? [] : [machine.id];
  });
  const retired = slots.flatMap(({ retire }) => retire.map(({ id }) => id));
  return [...new Set([...changed, ...retired, ...steps.surplus.map(({ id }) => id)])];
}
