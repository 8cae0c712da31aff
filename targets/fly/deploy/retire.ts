import { asGiven, configOf, metadataOf, type Machine } from "../api/types";
import type { FlyGroup } from "../plan";
import { waitHealthy } from "./health";
import type { Run } from "./run";
import { isProven, tag } from "./tags";

/** Seconds from a machine's stop signal to its end, as its configuration has it. */
const stopSeconds = (machine: Machine): number => Number.parseInt(configOf(machine)?.stop_config?.timeout ?? "30", 10);

/** Out of the proxy's sight first, then the stop signal, and the time to end. */
export async function stopGently(run: Run, app: string, machines: readonly Machine[]): Promise<void> {
  const { fly, spec } = run;
  const running = machines.filter(({ state, host_status }) => state === "started" && (host_status ?? "ok") === "ok");
  const served = running.filter((machine) => (configOf(machine)?.services ?? []).length > 0);
  for (const { id } of served) await fly.act(app, id, "cordon");
  if (served.length > 0) await run.pause(spec.propagationSeconds * 1000);
  for (const machine of running) {
    await fly.act(app, machine.id, "stop", { signal: "SIGTERM", timeout: `${stopSeconds(machine)}s` });
  }
  const deadline = fly.deadline(Math.max(0, ...machines.map(stopSeconds)) + 30, "the old machines to stop");
  for (const { id } of running) {
    for (;;) {
      const state = (await fly.machine(app, id))?.state;
      if (state === undefined || state === "stopped" || state === "destroyed" || state === "failed") break;
      if (!(await run.pause(1000, deadline))) break;
    }
  }
}

export async function destroyMachine(run: Run, app: string, id: string): Promise<void> {
  await run.fly.destroyMachine(app, id);
  run.leases.forget(id);
}

/** The proven configuration's version: the machine's own, or the one that it was to take the place of. */
export const previousOf = (machine: Machine | undefined): string | undefined =>
  machine === undefined ? undefined : isProven(machine) ? machine.instance_id : metadataOf(machine)[tag.previous];

/**
 * Gives a machine the configuration back that was proven: the one it was found with, or an earlier one of Fly's own record
 * where a run that was cut off had changed it already.
 * @returns false where there is no such configuration any more
 */
export async function putBack(
  run: Run,
  app: string,
  group: FlyGroup,
  machine: Machine,
  previous: string | undefined,
): Promise<boolean> {
  const { fly } = run;
  const earlier = async () =>
    (await fly.versions(app, machine.id)).find(({ version }) => version === previous)?.user_config;
  const config = isProven(machine) ? configOf(machine) : await earlier();
  if (config === undefined) return false;
  const metadata = {
    ...config.metadata,
    // Not the hash of before: it may run with secrets that are newer than it.
    [tag.spec]: `${(config.metadata?.[tag.spec] ?? "").replace(/-back$/, "")}-back`,
    [tag.state]: "proven",
  };
  await run.leases.take(app, [machine.id]);
  const hide = await hideFirst(run, app, group, machine.id);
  const { instance_id } = await fly.updateMachine(app, machine.id, {
    config: { ...asGiven(config), metadata },
    ...(hide ? { skip_service_registration: true } : {}),
  });
  // Sent requests again whether it gets healthy or not: it is all there is.
  await waitHealthy(run, app, group, machine.id, instance_id).catch((error: unknown) => {
    if (run.isEnding()) throw error;
    run.tell(`${app}: machine ${machine.id} isn't healthy with its previous version either`);
  });
  await fly.act(app, machine.id, "uncordon");
  return true;
}

/** One that serves while others do, too, is hidden before it restarts; alone, it keeps its place. @returns whether it is hidden */
async function hideFirst(run: Run, app: string, { count, config }: FlyGroup, id: string): Promise<boolean> {
  if (count < 2 || (config.services ?? []).length === 0) return false;
  const now = await run.fly.machine(app, id);
  if (now?.state === "started" && now.cordoned !== true) {
    await run.fly.act(app, id, "cordon");
    await run.pause(run.spec.propagationSeconds * 1000);
  }
  return true;
}
