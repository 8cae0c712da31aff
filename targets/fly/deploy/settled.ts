import { DriverError } from "../../../drivers/error";
import { isThere, metadataOf, type Machine } from "../api/types";
import type { FlyAppPlan } from "../plan";
import { lookAgain } from "./claim";
import type { Run } from "./run";
import { unlisted, type Observed } from "./steps";
import { tag } from "./tags";

/** Seconds that Fly's lists may take to tell of what is there. */
const patience = 60;

/**
 * What there is of an app, once Fly's lists of machines and of volumes fit together: a volume that a list leaves out isn't gone,
 * and another one in its place would be empty.
 * @param again looks once more
 * @throws DriverError where a machine has a volume that isn't listed
 */
export async function settled<T extends Observed>(
  run: Run,
  app: Pick<FlyAppPlan, "name" | "groups">,
  found: T,
  again: () => Promise<Observed> = () => lookAgain(run, app),
): Promise<T> {
  const deadline = run.fly.deadline(patience, `the volumes of ${app.name} to be listed`);
  for (let seen = found; ; seen = { ...seen, ...(await again()) }) {
    const { holders } = unlisted(run.spec.id, app.groups, seen);
    const known = await Promise.all(holders.map((id) => run.fly.machine(app.name, id)));
    const more = known.filter((machine): machine is Machine => machine !== undefined && isThere(machine));
    const isMember = (machine: Machine) => app.groups.some(({ name }) => name === metadataOf(machine)[tag.group]);
    if (more.length > 0) {
      seen = {
        ...seen,
        machines: [...seen.machines, ...more.filter(isMember)],
        others: [...(seen.others ?? []), ...more.filter((machine) => !isMember(machine))],
      };
    }
    const [lost] = unlisted(run.spec.id, app.groups, seen).mounts;
    if (lost === undefined) return seen;
    if (await run.pause(2000, deadline)) continue;
    throw new DriverError({
      what: `Fly doesn't tell of a volume that a machine has. Nothing of the machine was changed.`,
      where: `volume ${lost.volume} of machine ${lost.machine.id}, Fly app ${app.name}`,
      why: `it isn't among the app's volumes after ${patience} s, and a new one would be empty`,
      fix:
        `pulumi up again later; where the volume is gone for good (fly volumes list --app ${app.name} --all): ` +
        `fly machine destroy --force ${lost.machine.id} --app ${app.name}, then pulumi up, which makes both anew, empty`,
    });
  }
}
