import { createHash } from "node:crypto";
import type { AddressInfo } from "node:net";
import { type Clock, realClock } from "../platform/clock";
import { Faults } from "../platform/faults";
import { Journal } from "../platform/journal";
import type { Runtime } from "../platform/runtime";
import { Store } from "../platform/store";
import type { Extras } from "./control";
import { Edge } from "./edge";
import { bringUpKeyValue } from "./keyValues";
import { followRuntime } from "./instances";
import { addKey } from "./keys";
import { LogBook } from "./logBook";
import { bringUpPostgres } from "./postgres";
import { resumeDeploys } from "./rollout";
import { lookAtCronJobs } from "./runs";
import { renderServer } from "./server";
import { lookAtDisks } from "./snapshots";
import type { RenderState } from "./state";
import { type Timings, type World, type WorldSettings, defaultTimings } from "./world";

/** What an emulator of Render is started with. */
export interface RenderOptions {
  /** Where its state is kept. */
  readonly file: string;
  readonly runtime: Runtime;
  /** What it listens on, the API and web services alike. Default: 127.0.0.1. */
  readonly host?: string;
  /** Default: a free one. */
  readonly port?: number;
  readonly timings?: Partial<Timings>;
  /** Default: repositories and builds on paper, where every repository has one commit and every build works. */
  readonly settings?: Partial<WorldSettings>;
  readonly clock?: Clock;
  readonly extras?: Extras;
}

/** A running emulator. */
export interface RenderEmulator {
  /** `http://address:port`, for the API (below /v1) and the control calls (/rehearsal). */
  readonly endpoint: string;
  /** An API key of the workspace `rehearsal`. */
  readonly token: string;
  /** That workspace's id. */
  readonly ownerId: string;
  readonly world: World;
  readonly journal: Journal;
  /** Ends it. Its state and containers stay. */
  close(): Promise<void>;
}

const freshState = (): RenderState => ({
  ...{ version: 1, counter: 0, apiKeys: [], owners: [], projects: {}, environments: {}, services: {}, disks: {} },
  snapshots: {},
  ...{
    deploys: {},
    instances: {},
    runs: {},
    postgres: {},
    keyValues: {},
    dataServers: {},
    domains: {},
    credentials: {},
    blueprints: {},
  },
  ...{ takenSlugs: [], edges: {} },
});

const shaOf = (text: string): string => createHash("sha1").update(text).digest("hex");

const onPaper: WorldSettings = {
  rateLimits: true,
  restoreDeploys: true,
  commit: (repo, branch, commit) =>
    Promise.resolve({ id: commit ?? shaOf(`${repo} ${branch ?? ""}`), message: "On paper" }),
  build: ({ repo, commit }) => Promise.resolve(`localhost/build/${shaOf(repo).slice(0, 12)}:${commit.slice(0, 12)}`),
};

/** Goes on with what was under way when the last emulator ended. */
async function resume(world: World): Promise<void> {
  const up = Object.values(world.state.instances).filter(({ isUp }) => isUp);
  await world.runtime.adopt([...up.map(({ id }) => id), ...Object.keys(world.state.dataServers)]);
  for (const run of Object.values(world.state.runs))
    if (run.status === "pending" || run.status === "running") run.status = "canceled";
  for (const postgres of Object.values(world.state.postgres))
    if (!["available", "suspended"].includes(postgres.status)) bringUpPostgres(world, postgres);
  for (const keyValue of Object.values(world.state.keyValues))
    if (keyValue.status !== "available") bringUpKeyValue(world, keyValue);
  await resumeDeploys(world);
}

/** Starts an emulator of Render in this process. */
export async function startRender(options: RenderOptions): Promise<RenderEmulator> {
  const { file, runtime, host = "127.0.0.1", port = 0, clock = realClock } = options;
  const store = new Store(file, freshState);
  // What an older emulator left lacks what came since.
  Object.assign(store.state, { ...freshState(), ...store.state });
  const world: World = {
    ...{ store, state: store.state, clock, runtime, faults: new Faults(), isClosed: false, tasks: new Map() },
    timings: { ...defaultTimings, ...options.timings },
    logs: new LogBook(() => clock.now()),
    settings: { ...onPaper, ...options.settings },
  };
  const token = world.state.apiKeys[0]?.key ?? addKey(world, ["rehearsal"]);
  followRuntime(world);
  await resume(world);
  const edge = new Edge(world, host);
  const journal = new Journal();
  const server = renderServer(world, journal, options.extras ?? {});
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  const looking = setInterval(() => {
    lookAtCronJobs(world);
    lookAtDisks(world).catch((error: unknown) => {
      process.stderr.write(`a disk's snapshot: ${String(error)}\n`);
    });
  }, world.timings.cron);
  return {
    endpoint: `http://${host}:${(server.address() as AddressInfo).port}`,
    token,
    ownerId: world.state.owners[0]!.id,
    world,
    journal,
    close: async () => {
      world.isClosed = true;
      clearInterval(looking);
      await edge.close();
      await new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      });
      await runtime.close();
    },
  };
}
