import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { removeGroup } from "../host/cgroup";
import type { Machine } from "../host/machine";
import type { Network } from "../host/network";
import type { Log } from "../host/run";
import { must } from "../host/run";
import { machineNameservers } from "../host/seed";
import { handleOf, type Watched } from "../platform/handle";
import { type PlatformPlan, type PlatformProcess, startPlatform } from "../platform/process";
import { ensurePlatformTools } from "../platform/tools";
import { freePort } from "../s3/moto";
import type { Blueprint, RenderState } from "./state";

/** Render on this machine: its API on one address, services as containers in a host of the site. */
export interface Render extends Watched {
  /** Of the API (below /v1), `http://10.…:port`. */
  readonly endpoint: string;
  /** An API key of the workspace `rehearsal`. */
  readonly token: string;
  /** That workspace's id. */
  readonly ownerId: string;
  /** Where a web service answers, without TLS; undefined for a name that no web service has. */
  url(service: string): Promise<string | undefined>;
  /** Commits a folder's present state to a repository that services are built from, `owner/name`. Returns the commit. */
  repository(name: string, folder: string): Promise<string>;
  /** Where this machine reads such a repository, as a stack names sources: `git+file://…`. */
  remote(name: string): string;
  /** Switches the rate limits. */
  limits(settings: { readonly rateLimits: boolean }): Promise<void>;
  /** Makes these names below onrender.com other people's. */
  takeNames(names: readonly string[]): Promise<void>;
  /** Makes a key of other workspaces, which are made if they aren't there. */
  key(owners: readonly string[]): Promise<string>;
  /** Connects a blueprint, as the dashboard does. Returns its id. */
  blueprint(wanted: Omit<Blueprint, "id">): Promise<string>;
  /** Makes a snapshot of each disk, as Render does once a day. */
  snapshots(): Promise<void>;
  /** Ends the emulator as a crash does, and starts it again. State, containers and disks stay. */
  restart(): Promise<void>;
}

/** Chooses the emulator's port and names. Nothing is started yet. */
export async function planRender(tag: string, network: Network, folder: string): Promise<PlatformPlan> {
  // An address of its own, as each platform's nameserver is asked at port 53.
  const address = `${network.subnet}.4`;
  await addAddress(network, address);
  return { name: "render", unit: `homeport-${tag}.render`, address, port: await freePort(address), folder };
}

async function addAddress(network: Network, address: string): Promise<void> {
  await must(["ip", "addr", "replace", `${address}/32`, "dev", network.bridge]);
}

/** What the emulator works with. */
export interface RenderParts {
  /** Where services' containers run. Booted. */
  readonly machine: Machine;
  readonly network: Network;
}

/** Starts the emulator, unless it runs, and waits until it answers. It outlives this process. */
export async function openRender(plan: PlatformPlan, parts: RenderParts, log: Log): Promise<Render> {
  const tools = await ensurePlatformTools(log);
  const { address, port, folder } = plan;
  const given: PlatformProcess = { ...parts, folder, address, port, tools, nameservers: machineNameservers() };
  const start = async (): Promise<void> => {
    await addAddress(parts.network, address);
    await startPlatform(plan, join(__dirname, "main.ts"), given);
  };
  await start();
  const endpoint = `http://${address}:${port}`;
  const { ask, tell, watched } = handleOf("Render", endpoint);
  const state = JSON.parse(readFileSync(join(folder, "state.json"), "utf8")) as RenderState;
  return {
    endpoint,
    token: state.apiKeys[0]!.key,
    ownerId: state.owners[0]!.id,
    url: async (service) => {
      const edges = await ask<Record<string, number>>("GET", "edges");
      return edges[service] === undefined ? undefined : `http://${address}:${edges[service]}`;
    },
    repository: async (name, from) =>
      (await ask<{ commit: string }>("POST", "repositories", { name, folder: resolve(from) })).commit,
    remote: (name) => `git+file://${join(folder, "repositories", `${name}.git`)}`,
    ...watched,
    limits: (settings) => tell("POST", "settings", settings),
    takeNames: (taken) => tell("POST", "names", { taken }),
    key: async (owners) => (await ask<{ key: string }>("POST", "keys", { owners })).key,
    blueprint: async (wanted) => (await ask<{ id: string }>("POST", "blueprints", wanted)).id,
    snapshots: () => tell("POST", "snapshots"),
    restart: async () => {
      await removeGroup(plan.unit);
      await start();
    },
  };
}
