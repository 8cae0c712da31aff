import type { Handler } from "./operation";
import type { Machine } from "./state";
import { appOf, machineOf, refuse } from "./world";

const settled = ["started", "stopped", "suspended", "failed", "destroyed"];

/** Whether a machine is in one of the states that are waited for, in the version that is meant. */
function reached(machine: Machine, states: readonly string[], version: string | undefined): boolean {
  if (!states.some((state) => (state === "settled" ? settled.includes(machine.state) : state === machine.state)))
    return false;
  return version === undefined || version === machine.instanceId || machine.state === "destroyed";
}

/** Waits up to 60 seconds, which is also the default: https://fly.io/docs/machines/api/machines-resource/#wait-for-a-machine-to-reach-a-specified-state */
export const waitMachine: Handler = async ({ world, token, values, query }) => {
  const app = appOf(world, token, values["app_name"]!);
  const machine = machineOf(world, app, values["machine_id"]!);
  const states = query.getAll("state").flatMap((text) => text.split(","));
  if (states.length === 0) states.push("started");
  const version = query.get("version") ?? query.get("instance_id") ?? undefined;
  if (states.includes("stopped") && version === undefined)
    throw refuse(400, "invalid_argument: an instance_id is required to wait for the state stopped");
  const seconds = Number(query.get("timeout") ?? 60);
  if (seconds < 1 || seconds > 60) throw refuse(400, "invalid_argument: timeout is to be 1 to 60 seconds");
  const isReached = await new Promise<boolean>((resolve) => {
    const look = (): void => {
      if (reached(machine, states, version)) end(true);
    };
    const timer = setTimeout(() => {
      end(false);
    }, seconds * 1000);
    const end = (answer: boolean): void => {
      clearTimeout(timer);
      world.changes.off("machine", look);
      resolve(answer);
    };
    world.changes.on("machine", look);
    look();
  });
  if (!isReached)
    throw refuse(
      408,
      `deadline_exceeded: machine failed to reach desired state, ${states.join(" or ")}, currently ${machine.state}`,
    );
  return { status: 200, body: { ok: true, state: machine.state, version: machine.instanceId } };
};
