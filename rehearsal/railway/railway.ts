import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { removeGroup } from "../host/cgroup";
import type { Machine } from "../host/machine";
import type { Network } from "../host/network";
import { type Log, must } from "../host/run";
import { machineNameservers } from "../host/seed";
import { handleOf, type Watched } from "../platform/handle";
import { type PlatformPlan, startPlatform } from "../platform/process";
import { ensurePlatformTools } from "../platform/tools";
import { freePort } from "../s3/moto";
import type { EdgeView } from "./control";
import type { RailwayProcess } from "./main";
import type { CronRun, RailwayState, Token } from "./state";

/**
 * Railway on this machine: its API on one address, services as containers in a host of the site. The path of a call, in faults
 * and in `calls`, is `/graphql/v2/` and its root fields, joined by `+`.
 */
export interface Railway extends Watched {
  /** Of GraphQL, `http://10.…:port/graphql/v2`. */
  readonly endpoint: string;
  /** An account's token, for `Authorization: Bearer`. */
  readonly token: string;
  /** The account's workspace. Its plan is PRO. */
  readonly workspaceId: string;
  /**
   * Where a service answers, without TLS: by one of its domains, or by its name and its environment's.
   * undefined for what has no domain. Default of `environment`: the first one that has such a service with a domain.
   */
  url(domainOrService: string, environment?: string): Promise<string | undefined>;
  /** Commits a folder's present state to the repository `owner/name`, as a push does: what is connected is deployed. */
  repository(name: string, folder: string, branch?: string): Promise<string>;
  /** Where git reads that repository on this machine, as a stack's `<app>:source` has it. */
  remote(name: string): string;
  /** Starts a cron service's command now, whatever its schedule says. */
  runNow(serviceId: string, environmentId: string): Promise<void>;
  /** A cron service's runs, oldest first. */
  runs(serviceId: string): Promise<readonly CronRun[]>;
  /** Makes another token: a workspace's, or one environment's. */
  issueToken(wanted: Omit<Token, "id" | "token" | "createdAt">): Promise<string>;
  /** Switches the rate limits, and sets how many calls an hour there are instead of the plan's. */
  limits(settings: { readonly rateLimits?: boolean; readonly hourlyLimit?: number }): Promise<void>;
  /** Ends the emulator as a crash does, and starts it again. State, containers and volumes stay. */
  restart(): Promise<void>;
}

async function addAddress(network: Network, address: string): Promise<void> {
  await must(["ip", "addr", "replace", `${address}/32`, "dev", network.bridge]);
}

/** Chooses the emulator's port and names. Nothing is started yet. */
export async function planRailway(tag: string, network: Network, folder: string): Promise<PlatformPlan> {
  // An address of its own, as each platform's nameserver is asked at port 53.
  const address = `${network.subnet}.5`;
  await addAddress(network, address);
  return { name: "railway", unit: `homeport-${tag}.railway`, address, port: await freePort(address), folder };
}

/** What the emulator works with. */
export interface RailwayParts {
  /** Where services' containers run. Booted. */
  readonly machine: Machine;
  readonly network: Network;
  readonly s3: RailwayProcess["s3"];
}

/** Starts the emulator, unless it runs, and waits until it answers. It outlives this process. */
export async function openRailway(plan: PlatformPlan, parts: RailwayParts, log: Log): Promise<Railway> {
  const tools = await ensurePlatformTools(log);
  const { address, port, folder } = plan;
  const given: RailwayProcess = { ...parts, folder, address, port, tools, nameservers: machineNameservers() };
  const start = async (): Promise<void> => {
    await addAddress(parts.network, address);
    await startPlatform(plan, join(__dirname, "main.ts"), given);
  };
  await start();
  const server = `http://${address}:${port}`;
  const { ask, tell, watched } = handleOf("Railway", server);
  const state = JSON.parse(readFileSync(join(folder, "state.json"), "utf8")) as RailwayState;
  return {
    endpoint: `${server}/graphql/v2`,
    token: state.tokens[0]!.token,
    workspaceId: state.workspaces[0]!.id,
    url: async (name, environment) => {
      const edges = await ask<readonly EdgeView[]>("GET", "edges");
      const found = edges.find(
        (edge) =>
          edge.domain === name ||
          (edge.service === name && (environment === undefined || edge.environment === environment)),
      );
      return found?.port === undefined ? undefined : `http://${address}:${found.port}`;
    },
    repository: async (name, from, branch) => {
      const wanted = { name, folder: resolve(from), ...(branch === undefined ? {} : { branch }) };
      return (await ask<{ commit: string }>("POST", "repositories", wanted)).commit;
    },
    remote: (name) => `git+file://${join(folder, "repositories", name)}.git`,
    runNow: (service, environment) => tell("POST", "runs", { service, environment }),
    runs: async (service) => await ask<readonly CronRun[]>("GET", `runs?service=${service}`),
    ...watched,
    issueToken: async (wanted) => (await ask<Token>("POST", "tokens", wanted)).token,
    limits: (settings) => tell("POST", "settings", settings),
    restart: async () => {
      await removeGroup(plan.unit);
      await start();
    },
  };
}
