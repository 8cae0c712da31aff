import { checksOf } from "./checks";
import { bringUp, enqueue } from "./lifecycle";
import type { Machine, Port, Service } from "./state";
import { machinesOf } from "./world";
import type { World } from "./world";

/** Whether a service's port entry covers a public port. */
export function covers(port: Port, wanted: number): boolean {
  return (
    port.port === wanted ||
    (port.start_port !== undefined && wanted >= port.start_port && wanted <= (port.end_port ?? 0))
  );
}

/** The service of a machine that answers on a public port. */
export function serviceOf(machine: Machine, port: number): Service | undefined {
  return machine.config.services?.find(
    (service) => service.protocol === "tcp" && (service.ports ?? []).some((one) => covers(one, port)),
  );
}

/** Whether the proxy may send requests to a machine: started, not cordoned, and its checks passing. */
export function isGood(machine: Machine): boolean {
  if (machine.state !== "started" || !machine.isUp || machine.cordoned || machine.hostStatus !== "ok") return false;
  return checksOf(machine.config)
    .filter((check) => check.routes)
    .every(({ name }) => machine.checks.find((status) => status.name === name)?.status === "passing");
}

const loadOf = (world: World, machine: Machine): number => world.load.get(machine.id) ?? 0;

/**
 * The machine for a request: the least busy one below its soft limit, or below its hard limit where all are above the
 * soft one. https://fly.io/docs/reference/load-balancing/
 * @param only the one machine that may be chosen. Default: any
 */
export function choose(
  world: World,
  app: string,
  port: number,
  not: ReadonlySet<string>,
  only?: string,
): Machine | undefined {
  const good = machinesOf(world, app)
    .filter((machine) => only === undefined || machine.id === only)
    .filter((machine) => serviceOf(machine, port) !== undefined && isGood(machine) && !not.has(machine.id))
    .sort((a, b) => loadOf(world, a) - loadOf(world, b));
  const below = (limit: "soft_limit" | "hard_limit"): Machine | undefined =>
    good.find((machine) => loadOf(world, machine) < (serviceOf(machine, port)?.concurrency?.[limit] ?? Infinity));
  // A machine that sleeps is woken where all others are above their soft limit.
  if (below("soft_limit") === undefined) wake(world, app, port, only);
  return below("soft_limit") ?? below("hard_limit");
}

/** Starts one of an app's stopped machines, where they may be started for a request. */
function wake(world: World, app: string, port: number, only: string | undefined): void {
  const machines = machinesOf(world, app).filter((machine) => only === undefined || machine.id === only);
  if (machines.some((machine) => machine.state === "starting" && serviceOf(machine, port) !== undefined)) return;
  const sleeping = machines.find(
    (machine) =>
      ["stopped", "suspended"].includes(machine.state) &&
      !machine.cordoned &&
      // autostart is on unless it is switched off.
      (serviceOf(machine, port)?.autostart ?? serviceOf(machine, port) !== undefined) &&
      !world.tasks.has(machine.id),
  );
  if (sleeping !== undefined) void enqueue(world, sleeping, () => bringUp(world, sleeping, "proxy"));
}

/** The machines that have had nothing to do for long enough and may be stopped for that. One app keeps its floor. */
export function idle(world: World, app: string, lastUsed: ReadonlyMap<string, number>): Machine[] {
  const stops = (machine: Machine): Service | undefined =>
    machine.config.services?.find((service) => ![undefined, "off", false].includes(service.autostop));
  const running = machinesOf(world, app).filter(
    (machine) => machine.state === "started" && stops(machine) !== undefined,
  );
  const floor = Math.max(0, ...running.map((machine) => stops(machine)?.min_machines_running ?? 0));
  // Those that are never stopped make up the floor as much as others.
  const others = machinesOf(world, app).filter(
    (machine) =>
      machine.state === "started" && (machine.config.services ?? []).length > 0 && stops(machine) === undefined,
  );
  const now = world.clock.now();
  return running
    .filter((machine) => {
      const since = Math.max(lastUsed.get(machine.id) ?? 0, machine.updatedAt);
      return loadOf(world, machine) === 0 && now - since >= world.timings.idle;
    })
    .slice(0, Math.max(0, running.length + others.length - floor));
}
