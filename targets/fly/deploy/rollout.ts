import { metadataOf } from "../api/types";
import type { FlyAppPlan } from "../plan";
import { Attempt, type NewRelease } from "./attempt";
import { createBeside } from "./beside";
import { updateInPlace } from "./inPlace";
import { lookAtWriters } from "./newConfig";
import { stopGently } from "./retire";
import type { Run } from "./run";
import type { Steps } from "./steps";
import { isProven, tag } from "./tags";

/**
 * Brings an app's machines to the new version: new ones first, beside the old; then those that are changed in their place,
 * one after the other; only when all are healthy, the switch. If any doesn't get healthy, all go back to what they were.
 * @returns what marks the machines as proven, to be called last: until then the next run takes the deploy up
 * @throws DriverError; everything is as it was before then, or the next run sees to it
 */
export async function rollOut(
  run: Run,
  app: FlyAppPlan,
  steps: Steps,
  release: NewRelease,
): Promise<() => Promise<void>> {
  const attempt = new Attempt(run, app, await lookAtWriters(run.fly, app.name, steps), release);
  try {
    await createBeside(attempt);
    await attempt.verify(attempt.placed);
    await updateInPlace(attempt);
  } catch (error) {
    await attempt.undo.all(error);
    throw error;
  }
  await switchOver(attempt);
  return () => prove(attempt);
}

/** Shows the new machines to the proxy, and takes the old ones away. */
async function switchOver(attempt: Attempt): Promise<void> {
  const { run, app, steps } = attempt;
  const shown = attempt.placed.filter(({ cordoned }) => cordoned);
  for (const { id } of shown) await run.fly.act(app.name, id, "uncordon");
  const retiring = attempt.each().flatMap(({ step }) => step.retire.filter(({ id }) => !attempt.isGone(id)));
  const old = [...retiring, ...steps.surplus, ...attempt.replaced];
  if (old.length === 0) return;
  // The proxy has to know of the new ones before the old ones go.
  if (shown.length > 0) await run.pause(run.spec.propagationSeconds * 1000);
  await run.leases.take(
    app.name,
    old.map(({ id }) => id),
  );
  await stopGently(run, app.name, old);
  for (const machine of old) {
    await attempt.destroy(machine.id);
    run.changed(
      `${app.name}: ${metadataOf(machine)[tag.group] ?? "machine"} of before is removed (machine ${machine.id})`,
    );
  }
}

async function prove(attempt: Attempt): Promise<void> {
  const { run, app, replaced, placed } = attempt;
  const steps = attempt.each().map(({ step }) => step);
  const updated = steps.flatMap(({ act, machine }) =>
    act === "update" && machine !== undefined && !replaced.includes(machine) ? [machine.id] : [],
  );
  const kept = steps.flatMap(({ act, machine }) =>
    act === "keep" && machine !== undefined && !isProven(machine) ? [machine.id] : [],
  );
  for (const id of new Set([...updated, ...kept, ...placed.map((one) => one.id)])) {
    await run.fly.setMetadata(app.name, id, tag.state, "proven");
  }
}
