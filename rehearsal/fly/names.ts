import type { App, Cluster, Machine } from "./state";
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

/** Numbers of the private network's services: the API's own, then those of what is counted. */
const apiNumber = 0;

/** Where an app is reached by Flycast, once it has a private address. */
export function flycastAddress(world: World, app: App): string | undefined {
  const hasAddress = app.addresses.some(({ type }) => type === "private_v6");
  return hasAddress ? world.runtime.serviceAddress(app.number) : undefined;
}

/** `_api.internal`, by which machines reach the Machines API at port 4280. */
export const apiAddress = (world: World): string => world.runtime.serviceAddress(apiNumber);

/** The names of a Postgres cluster's endpoints, which the private network alone knows. */
export const postgresName = (cluster: Cluster, endpoint: "direct" | "pooler"): string =>
  `${endpoint === "direct" ? "direct" : "pgbouncer"}.${cluster.id}.flympg.net`;

export const postgresAddress = (world: World, cluster: Cluster, endpoint: "direct" | "pooler"): string =>
  world.runtime.serviceAddress(cluster.numbers[endpoint]);

function lookUpPostgres(world: World, name: string): string[] {
  for (const cluster of Object.values(world.state.clusters))
    for (const endpoint of ["direct", "pooler"] as const)
      if (postgresName(cluster, endpoint) === name) return [postgresAddress(world, cluster, endpoint)];
  return [];
}

/**
 * The private addresses behind a name of https://fly.io/docs/networking/private-networking/: none where it has none,
 * undefined where the name isn't the platform's. Fly's are IPv6, these IPv4. `<app>.flycast` leads to the proxy, all others
 * to the machines themselves.
 */
export function lookUp(world: World, name: string): string[] | undefined {
  if (name === "_api.internal") return [apiAddress(world)];
  if (name.endsWith(".flympg.net")) return lookUpPostgres(world, name);
  const [, front = "", appName = "", kind = ""] = /^(?:(.+)\.)?([^.]+)\.(internal|flycast)$/.exec(name) ?? [];
  if (appName === "") return undefined;
  if (kind === "flycast") {
    const app = front === "" ? world.state.apps[appName] : undefined;
    const address = app === undefined ? undefined : flycastAddress(world, app);
    return address === undefined ? [] : [address];
  }
  const started = machinesOf(world, appName).filter((machine) => machine.state === "started" && machine.isUp);
  return started
    .filter((machine) => isMeant(machine, front))
    .map((machine) => world.runtime.privateAddress(machine.index));
}
