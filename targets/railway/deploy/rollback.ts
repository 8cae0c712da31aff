import type { Place } from "./find";
import type { Found } from "./look";
import { rollBack } from "./rollout";
import type { Run } from "./run";
import { writeState, type RecordedService } from "./state";
import { lookWhenEnded, waitHealthy, type Awaited } from "./wait";

const seconds = 20 * 60;
/** What a version may take to end that was replaced a moment ago: longer than any drain that is usual. */
const endSeconds = 15 * 60;

/**
 * Brings the services that the last deploys changed back to what ran before: image, settings and variables, as Railway keeps
 * them with a deployment. Databases' volumes stay as they are.
 * @throws DriverError where nothing is known of versions before, or Railway doesn't keep them any more
 */
export async function rollBackApp(run: Run, place: Place, found: Found): Promise<void> {
  const services = found.state?.services ?? {};
  const back = Object.entries(services).filter(([, { previous }]) => previous !== undefined);
  const known = await lookWhenEnded(
    run,
    back.flatMap(([, { previous }]) => (previous === undefined ? [] : [previous.deployment])),
    endSeconds,
  );
  const able = back.filter(([, { previous }]) => known.get(previous?.deployment ?? "")?.canRollback === true);
  if (able.length === 0) {
    throw run.error(
      "There is no version to go back to.",
      back.length === 0 ? "nothing is written down of one before" : "Railway doesn't keep those before any more",
      "deploy the code of before: pulumi up with its commit",
    );
  }
  const book: Record<string, RecordedService> = { ...services };
  const started: Awaited[] = [];
  for (const [name, recorded] of able) {
    const { previous, spec, deployment = "", id } = recorded;
    const to = known.get(previous?.deployment ?? "");
    if (previous === undefined || to === undefined) continue;
    const made = await rollBack(run, place, { name, serviceId: id }, to, deployment);
    if (made === undefined) continue;
    // Its settings aren't known for certain, so the next deploy sets everything.
    book[name] = {
      ...recorded,
      settings: "",
      spec: previous.spec,
      deployment: made,
      previous: { spec: spec ?? "", deployment },
    };
    started.push({ name, deployment: made, seconds, unchecked: true });
  }
  const failed = await waitHealthy(run, started);
  await writeState(run.railway, place, { app: run.spec.id, services: book });
  if (failed !== undefined) {
    throw run.error(
      `The version before of ${failed.name} doesn't get healthy.`,
      failed.why,
      "pulumi up deploys the declared one",
    );
  }
}
