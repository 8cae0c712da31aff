import type { Place } from "./find";
import { refuseHeld } from "./lease";
import { Ledger } from "./ledger";
import type { Found } from "./look";
import { reasonOf, rollBack } from "./rollout";
import type { Run } from "./run";
import { lookWhenEnded, waitHealthy, type Awaited } from "./wait";

const seconds = 20 * 60;
/** What a version may take to end that was replaced a moment ago: longer than any drain that is usual. */
const endSeconds = 15 * 60;

/**
 * Brings the services that the last deploy changed back to what ran before it: image, settings and variables, as Railway keeps
 * them with a deployment. What it didn't change stays, and so do databases' volumes.
 * @throws DriverError where nothing is known of versions before, or Railway doesn't keep them any more, or refuses
 */
export async function rollBackApp(run: Run, place: Place, found: Found): Promise<void> {
  const ledger = new Ledger(run, place, found.state);
  const { services } = ledger;
  refuseHeld(run, found.state);
  refuseUnfinished(run, ledger);
  const changed = Object.entries(services).filter(([name]) => ledger.deployed?.includes(name) === true);
  const back = changed.filter(([, { previous }]) => previous !== undefined);
  const known = await lookWhenEnded(
    run,
    back.flatMap(([, { previous }]) => (previous === undefined ? [] : [previous.deployment])),
    endSeconds,
  );
  const able = back.filter(([, { previous }]) => known.get(previous?.deployment ?? "")?.canRollback === true);
  if (able.length === 0) {
    throw run.error(
      "There is no version to go back to.",
      back.length === 0
        ? changed.length === 0
          ? "nothing is written down of one before the last deploy"
          : `the last deploy was the first one of ${changed.map(([name]) => name).join(", ")}`
        : "Railway doesn't keep those before any more",
      "deploy the code of before: pulumi up with its commit",
    );
  }
  for (const [name] of changed.filter((one) => !able.includes(one))) {
    run.tell(`${name}: has no version before that Railway keeps; it stays as it is`);
  }
  await ledger.holding("homeport rollback", endSeconds + seconds, async () => {
    const started: Awaited[] = [];
    const refused = new Map<string, string>();
    for (const [name, recorded] of able) {
      const { previous, spec, deployment = "", id } = recorded;
      const to = known.get(previous?.deployment ?? "");
      if (previous === undefined || to === undefined) continue;
      try {
        const made = await rollBack(run, place, { name, serviceId: id }, to, deployment);
        if (made === undefined) continue;
        // Its settings aren't known for certain, so the next deploy sets everything.
        services[name] = {
          ...recorded,
          settings: "",
          spec: previous.spec,
          deployment: made,
          previous: { spec: spec ?? "", deployment },
        };
        started.push({ name, deployment: made, seconds, unchecked: true });
      } catch (error) {
        if (run.isEnding()) throw error;
        refused.set(name, reasonOf(error));
      }
      await ledger.write();
    }
    const failed = await waitHealthy(run, started);
    if (failed !== undefined) refused.set(failed.name, failed.why);
    if (refused.size > 0) {
      throw run.error(
        `The version before of ${[...refused.keys()].join(", ")} doesn't run.`,
        [...refused].map(([name, why]) => `${name}: ${why}`).join("; "),
        "homeport status shows what runs; pulumi up deploys the declared version",
      );
    }
  });
}

/** After a run that was cut off nobody knows which version is the one before. */
function refuseUnfinished(run: Run, { deploying, services }: Ledger): void {
  const open = Object.entries(services).filter(([, { pending }]) => pending !== undefined);
  const names = new Set([...deploying, ...open.map(([name]) => name)]);
  if (names.size === 0) return;
  throw run.error(
    "The last deploy was cut off, or is under way.",
    `it isn't known which version of ${[...names].join(", ")} is the one before`,
    "pulumi up, which goes on with it; then homeport rollback",
  );
}
