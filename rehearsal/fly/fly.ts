import { readFileSync } from "node:fs";
import { join } from "node:path";
import { removeGroup } from "../host/cgroup";
import type { Machine } from "../host/machine";
import type { Network } from "../host/network";
import type { Log } from "../host/run";
import { machineNameservers } from "../host/seed";
import { handleOf, type Watched } from "../platform/handle";
import { type PlatformPlan, startPlatform } from "../platform/process";
import { ensurePlatformTools } from "../platform/tools";
import { freePort } from "../s3/moto";
import type { FlyProcess } from "./main";
import type { FlyState, Token } from "./state";
import type { Timings } from "./world";

/** Fly.io on this machine: its APIs and registry on one address, machines as containers in a host of the site. */
export interface Fly extends Watched {
  /** Of the Machines API (below /v1), GraphQL (/graphql) and the registry (/v2), `http://10.…:port`. */
  readonly endpoint: string;
  /** The registry, `10.…:port`. Machines name it registry.fly.io. */
  readonly registry: string;
  /** A token of the organization `personal`. */
  readonly token: string;
  /** Where an app answers, by its public port: a listener of Fly's proxy, without TLS. undefined before it has a machine. */
  url(app: string, port?: number): Promise<string | undefined>;
  /** Sets how many more machines a region takes. */
  capacity(region: string, machines: number): Promise<void>;
  /** Makes these app names other people's. */
  takeNames(names: readonly string[]): Promise<void>;
  /** Makes another token: of one app alone, or one that ends. */
  issueToken(wanted: Omit<Token, "token">): Promise<string>;
  /** Switches the documented rate limits, and whether a 429 says when to come again. */
  limits(settings: { readonly rateLimits?: boolean; readonly retryAfter?: boolean }): Promise<void>;
  /** Sets how long the platform takes for what it does; until the emulator is started again. */
  timings(timings: Partial<Timings>): Promise<void>;
  /** Ends the emulator as a crash does, and starts it again. State, containers and volumes stay. */
  restart(): Promise<void>;
}

/** Chooses the emulator's port and names. Nothing is started yet. */
export async function planFly(tag: string, network: Network, folder: string): Promise<PlatformPlan> {
  const address = network.gateway;
  return { name: "fly", unit: `homeport-${tag}.fly`, address, port: await freePort(address), folder };
}

/** What the emulator works with. */
export interface FlyParts {
  /** Where machines' containers run. Booted. */
  readonly machine: Machine;
  readonly network: Network;
  readonly s3: FlyProcess["s3"];
}

/** Starts the emulator, unless it runs, and waits until it answers. It outlives this process. */
export async function openFly(plan: PlatformPlan, parts: FlyParts, log: Log): Promise<Fly> {
  const tools = await ensurePlatformTools(log);
  const { address, port, folder } = plan;
  const given: FlyProcess = { ...parts, folder, address, port, tools, nameservers: machineNameservers() };
  const start = (): Promise<void> => startPlatform(plan, join(__dirname, "main.ts"), given);
  await start();
  const endpoint = `http://${address}:${port}`;
  const { ask, tell, watched } = handleOf("Fly.io", endpoint);
  const state = JSON.parse(readFileSync(join(folder, "state.json"), "utf8")) as FlyState;
  return {
    endpoint,
    registry: `${address}:${port}`,
    token: state.tokens[0]!.token,
    url: async (app, publicPort = 443) => {
      const edges = await ask<FlyState["edges"]>("GET", "edges");
      const found = edges[`${app}:${publicPort}`];
      return found === undefined ? undefined : `http://${address}:${found}`;
    },
    ...watched,
    capacity: (code, capacity) => tell("POST", "regions", { code, capacity }),
    takeNames: (taken) => tell("POST", "names", { taken }),
    issueToken: async (wanted) => (await ask<Token>("POST", "tokens", wanted)).token,
    limits: (settings) => tell("POST", "settings", settings),
    timings: (timings) => tell("POST", "timings", timings),
    restart: async () => {
      await removeGroup(plan.unit);
      await start();
    },
  };
}
