import type { Machine } from "./state";
import { machinesOf } from "./world";
import type { World } from "./world";

/** Whether a machine of an app goes by a name in front of `<app>.internal`. */
function isMeant(machine: Machine, front: string): boolean {
  const [name = "", kind = ""] = front.split(".");
  if (front === "") return true;
  if (kind === "process") return machine.config.metadata?.["fly_process_group"] === name;
  if (kind === "vm") return machine.id === name;
  if (kind === "nearest") return true; // top3.nearest.of
  return machine.region === front;
}

/**
 * The private addresses behind a name of https://fly.io/docs/networking/private-networking/: none where it has none,
 * undefined where the name isn't the platform's. Fly's are IPv6, these IPv4. `<app>.flycast` leads to the machines
 * themselves, past the proxy.
 */
export function lookUp(world: World, name: string): string[] | undefined {
  const [, front = "", appName = ""] = /^(?:(.+)\.)?([^.]+)\.(?:internal|flycast)$/.exec(name) ?? [];
  if (appName === "") return undefined;
  const started = machinesOf(world, appName).filter((machine) => machine.state === "started" && machine.isUp);
  return started
    .filter((machine) => isMeant(machine, front))
    .map((machine) => world.runtime.privateAddress(machine.index));
}
