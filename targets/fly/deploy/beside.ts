import { randomUUID } from "node:crypto";
import { DriverError } from "../../../drivers/error";
import { ApiError } from "../../../drivers/http";
import { configOf, type Machine } from "../api/types";
import { volumeOf } from "../api/volumes";
import type { FlyGroup } from "../plan";
import { isServed, type Attempt, type Placed } from "./attempt";
import { explainTied } from "./capacity";
import { newMachine } from "./newConfig";
import { stopGently } from "./retire";
import type { GroupSteps, SlotStep } from "./steps";
import { isProven, volumeName } from "./tags";

/** Makes the new version's machines beside the old ones, out of the proxy's sight, and takes up those that are there already. */
export async function createBeside(attempt: Attempt): Promise<void> {
  for (const { group, step } of attempt.each()) {
    if (step.act === "keep" && step.machine !== undefined) await keep(attempt, group.group, step, step.machine);
    if (step.act !== "create") continue;
    await freeVolume(attempt, step);
    await create(attempt, group, step);
  }
}

export async function create(attempt: Attempt, group: GroupSteps, step: SlotStep): Promise<Placed> {
  const { run, app } = attempt;
  const served = isServed(group.group);
  const region = step.volume?.region ?? app.region;
  const { volumes } = attempt.release;
  const fresh = step.volume === undefined ? volumes.get(volumeName(group.group.name, step.slot)) : undefined;
  if (fresh !== undefined) volumes.use(fresh);
  const made = await run.fly
    .createMachine(app.name, randomUUID(), {
      ...newMachine(attempt, group, step),
      region,
      ...(served ? { skip_service_registration: true } : {}),
    })
    .catch((error: unknown) => {
      if (fresh !== undefined && error instanceof ApiError && error.failure.kind === "refused") volumes.unuse(fresh);
      throw step.volume === undefined ? error : explainTied(error, app.name, step.volume);
    });
  attempt.release.made.add(made.id);
  attempt.undo.push({ what: `machine ${made.id} removed`, how: () => attempt.destroy(made.id) });
  run.changed(`${app.name}: ${group.group.name} ${step.slot} is created in ${region} (machine ${made.id})`);
  const version = made.instance_id === undefined ? {} : { version: made.instance_id };
  const placed = { group: group.group, id: made.id, cordoned: served, ...version };
  attempt.placed.push(placed);
  return placed;
}

/** Seconds that Fly may take to let a volume go whose machine is gone. */
const detachSeconds = 180;

/** A volume has one machine at a time: the old one has to go before the new one comes, and to be gone from the volume's view, too. */
async function freeVolume(attempt: Attempt, { retire, volume }: SlotStep): Promise<void> {
  if (volume === undefined) return;
  const { run, app } = attempt;
  const holder = retire.find((machine) => configOf(machine)?.mounts?.some((mount) => mount.volume === volume.id));
  if (holder !== undefined) {
    await stopGently(run, app.name, [holder]);
    await attempt.destroy(holder.id);
  } else if ((volume.attached_machine_id ?? "") === "") return;
  const deadline = run.fly.deadline(detachSeconds, `volume ${volume.id} to be let go`);
  for (;;) {
    const last = (await volumeOf(run.fly, app.name, volume.id))?.attached_machine_id ?? "";
    if (last === "") return;
    if (await run.pause(1000, deadline)) continue;
    throw new DriverError({
      what: "Fly doesn't let a volume go whose machine is gone.",
      where: `volume ${volume.id} of Fly app ${app.name}`,
      why: `it is still with machine ${last} after ${detachSeconds} s; a new volume would be empty, so none is made`,
      fix: `pulumi up again later; fly volumes show ${volume.id} tells whether it is free`,
    });
  }
}

/** A machine that is as planned: it is only looked at, unless its deploy didn't end or it isn't running. */
async function keep(attempt: Attempt, group: FlyGroup, step: SlotStep, machine: Machine): Promise<void> {
  const { run, app } = attempt;
  const down = machine.state === "stopped" || machine.state === "suspended" || machine.state === "created";
  if (!isProven(machine)) attempt.undo.push(attempt.backFrom(group, machine, step));
  else if (!down || group.idle) {
    if (machine.cordoned !== true) return;
    if (down) await attempt.show(machine);
    else attempt.placed.push({ group, id: machine.id, cordoned: true });
    return;
  }
  if (down) {
    await run.fly.act(app.name, machine.id, "start");
    run.changed(`${app.name}: ${group.name} ${step.slot} is started (machine ${machine.id})`);
  }
  attempt.placed.push({ group, id: machine.id, cordoned: machine.cordoned ?? false });
}
