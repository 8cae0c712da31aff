import type { Machine } from "../api/types";
import { isServed, type Attempt } from "./attempt";
import { create } from "./beside";
import { crowdedOut } from "./capacity";
import { waitHealthy } from "./health";
import { newMachine } from "./newConfig";
import type { GroupSteps, SlotStep } from "./steps";
import { maySleep } from "./tags";

/** Changes machines in their place, one after the other. */
export async function updateInPlace(attempt: Attempt): Promise<void> {
  await showHealthy(attempt);
  for (const group of attempt.steps.groups) {
    // One that the proxy has put to sleep is no proof of the new version, so those that run go first; of these, the ones
    // that a run that was cut off has hidden, so that never all are.
    const updates = group.slots
      .filter(({ act }) => act === "update")
      .sort((a, b) => asleep(group, a) - asleep(group, b) || isHidden(b) - isHidden(a));
    for (const step of updates) {
      if (step.machine !== undefined) await update(attempt, group, step, step.machine);
    }
  }
}

/**
 * Where machines are changed in their place, those that are through serve before the others stop to: a run that was cut off
 * may have left them hidden.
 */
async function showHealthy({ run, app, steps, placed }: Attempt): Promise<void> {
  const changing = steps.groups.filter(({ slots }) => slots.some(({ act }) => act === "update"));
  const hidden = placed.filter(({ group, cordoned }) => cordoned && changing.some((one) => one.group === group));
  for (const one of hidden) {
    await run.fly.act(app.name, one.id, "uncordon");
    one.cordoned = false;
  }
  if (hidden.length > 0) await run.pause(run.spec.propagationSeconds * 1000);
}

async function update(attempt: Attempt, group: GroupSteps, step: SlotStep, machine: Machine): Promise<void> {
  const { run, app } = attempt;
  const { fly } = run;
  const sleeping = asleep(group, step) === 1;
  // Alone, it keeps its place: the proxy holds requests for it while it restarts.
  const cordon = isServed(group.group) && group.slots.length > 1 && !sleeping;
  attempt.undo.push(attempt.backFrom(group.group, machine, step));
  if (cordon) {
    await fly.act(app.name, machine.id, "cordon");
    await run.pause(run.spec.propagationSeconds * 1000);
  }
  const updated = await fly
    .updateMachine(app.name, machine.id, {
      ...newMachine(attempt, group, step),
      ...(cordon ? { skip_service_registration: true } : {}),
      ...(sleeping ? { skip_launch: true } : {}),
    })
    .catch((error: unknown) => {
      crowdedOut(error, app.name, machine);
      return undefined;
    });
  if (updated === undefined) {
    attempt.undo.forgetLast();
    if (cordon) await fly.act(app.name, machine.id, "uncordon");
    await replace(attempt, group, step, machine);
    return;
  }
  run.changed(`${app.name}: ${group.group.name} ${step.slot} is updated (machine ${machine.id})`);
  if (sleeping) {
    if (machine.cordoned === true) await attempt.show(machine);
    return;
  }
  await waitHealthy(run, app.name, group.group, machine.id, updated.instance_id);
  if (cordon || machine.cordoned === true) await fly.act(app.name, machine.id, "uncordon");
  if (cordon) await run.pause(run.spec.propagationSeconds * 1000);
}

/** The machine's host has no room for its new version, others may: there it is made, and takes the old one's place. */
async function replace(attempt: Attempt, group: GroupSteps, step: SlotStep, machine: Machine): Promise<void> {
  const { run, app } = attempt;
  run.tell(`${app.name}: the host of machine ${machine.id} has no room for the new version; another is sought`);
  const made = await create(attempt, group, step);
  await attempt.verify([made]);
  attempt.replaced.push(machine);
}

const isHidden = ({ machine }: SlotStep): number => (machine?.cordoned === true ? 1 : 0);

/** 1 where the proxy has stopped the machine and may start it when it is needed. */
const asleep = ({ group }: GroupSteps, { machine, slot }: SlotStep): number =>
  maySleep(group, slot) && (machine?.state === "stopped" || machine?.state === "suspended") ? 1 : 0;
