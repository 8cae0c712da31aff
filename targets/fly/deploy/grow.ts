import { extendVolume, keepSnapshots } from "../api/volumes";
import { waitHealthy } from "./health";
import type { Run } from "./run";
import type { Outgrown, Steps } from "./steps";
import { tag } from "./tags";

/** Seconds that a machine may take to stop: Fly lets it ask for 300 at most. */
const stopSeconds = 330;

/** Has snapshots kept as planned, grows volumes, and restarts the machines that don't see the new size otherwise. One that is updated restarts anyway. */
export async function growVolumes(run: Run, app: string, steps: Steps): Promise<void> {
  for (const { volume, days } of steps.resnapshot) {
    await keepSnapshots(run.fly, app, volume.id, days);
    run.changed(`${app}: snapshots of volume ${volume.id} are kept for ${days} days`);
  }
  const seenAtOnce = new Set<string>();
  for (const { volume, sizeGb } of steps.grow) {
    const { needs_restart } = await extendVolume(run.fly, app, volume.id, sizeGb);
    run.changed(`${app}: volume ${volume.id} grows from ${volume.size_gb} to ${sizeGb} GB`);
    if (needs_restart !== true) seenAtOnce.add(volume.id);
  }
  for (const one of steps.outgrown) {
    const { machine, volume, sizeGb } = one;
    await run.leases.take(app, [machine.id]);
    // One that is down sees it when it starts.
    const isDown = machine.state === "stopped" || machine.state === "suspended" || machine.state === "created";
    if (!seenAtOnce.has(volume.id) && !isDown) await restart(run, app, one);
    await run.fly.setMetadata(app, machine.id, tag.size, String(sizeGb));
  }
}

async function restart(run: Run, app: string, { group, machine: { id } }: Outgrown): Promise<void> {
  await run.fly.act(app, id, "stop");
  const deadline = run.fly.deadline(stopSeconds, `machine ${id} to stop`);
  while ((await run.fly.machine(app, id))?.state !== "stopped") {
    if (!(await run.pause(1000, deadline))) break;
  }
  await run.fly.act(app, id, "start");
  run.changed(`${app}: ${group.name} restarts with its larger volume (machine ${id})`);
  await waitHealthy(run, app, group, id);
}
