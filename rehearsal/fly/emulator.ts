import { EventEmitter } from "node:events";
import type { AddressInfo } from "node:net";
import { type Clock, realClock } from "../platform/clock";
import { Faults } from "../platform/faults";
import { Journal } from "../platform/journal";
import type { Registry } from "../platform/registry";
import type { Runtime } from "../platform/runtime";
import { Store } from "../platform/store";
import { Prober } from "./checks";
import { bringUp, enqueue, removeMachine } from "./lifecycle";
import { followRuntime } from "./machines";
import { regions } from "./placements";
import { buildCluster } from "./postgresServers";
import { PrivateNetwork } from "./privateNetwork";
import { Edge } from "./proxy";
import { flyServer } from "./server";
import type { FlyState } from "./state";
import { issueToken } from "./tokens";
import { type Timings, type World, type WorldSettings, LogBook, defaultTimings } from "./world";

/** What an emulator of Fly.io is started with. */
export interface FlyOptions {
  /** Where its state is kept. */
  readonly file: string;
  readonly runtime: Runtime;
  /** What it listens on, the API and the proxy alike. Default: 127.0.0.1. */
  readonly host?: string;
  /** Default: a free one. */
  readonly port?: number;
  readonly timings?: Partial<Timings>;
  readonly settings?: Partial<WorldSettings>;
  readonly clock?: Clock;
  /** The image registry, answered below /v2 to whoever has a token. Default: none. */
  readonly registry?: Registry;
}

/** A running emulator. */
export interface FlyEmulator {
  /** `http://address:port`, for the Machines API (below /v1), GraphQL (/graphql) and the control calls (/rehearsal). */
  readonly endpoint: string;
  /** A token of the organization `personal`, without a scheme. */
  readonly token: string;
  readonly world: World;
  readonly journal: Journal;
  /** Ends it. Its state and containers stay. */
  close(): Promise<void>;
}

const freshState = (): FlyState => ({
  version: 1,
  counter: 0,
  organizations: [{ id: "org_1personal", number: 1, slug: "personal", name: "Personal" }],
  tokens: [],
  regions: regions(),
  takenNames: [],
  apps: {},
  machines: {},
  volumes: {},
  clusters: {},
  addOns: {},
  agreedProviders: [],
  edges: {},
});

/** Goes on with what was under way when the last emulator ended: every machine comes to rest. */
async function resume(world: World): Promise<void> {
  const machines = Object.values(world.state.machines).filter((machine) => machine.state !== "destroyed");
  for (const volume of Object.values(world.state.volumes))
    if (world.state.machines[volume.machine ?? ""]?.state === "destroyed") delete volume.machine;
  await world.runtime.adopt(machines.filter((machine) => machine.isUp).map((machine) => machine.id));
  for (const machine of machines) {
    if (machine.state === "destroying") void removeMachine(world, machine);
    else if (["starting", "replacing", "created", "restarting"].includes(machine.state) && !machine.isUp)
      void enqueue(world, machine, () => bringUp(world, machine, "flyd"));
    else if (machine.state === "stopping" && !machine.isUp) machine.state = "stopped";
  }
  for (const cluster of Object.values(world.state.clusters))
    if (cluster.ports === undefined && cluster.failure === undefined) buildCluster(world, cluster);
}

/** Starts an emulator of Fly.io in this process. */
export async function startFly(options: FlyOptions): Promise<FlyEmulator> {
  const { file, runtime, host = "127.0.0.1", port = 0, clock = realClock } = options;
  const store = new Store(file, freshState);
  const changes = new EventEmitter();
  changes.setMaxListeners(0);
  const world: World = {
    store,
    state: store.state,
    clock,
    runtime,
    faults: new Faults(),
    timings: { ...defaultTimings, ...options.timings },
    changes,
    logs: new LogBook(),
    settings: { rateLimits: true, retryAfter: false, ...options.settings },
    tasks: new Map(),
    load: new Map(),
  };
  const token = world.state.tokens[0] ?? issueToken(world, { org: "personal" });
  followRuntime(world);
  await resume(world);
  const prober = new Prober(world);
  const edge = new Edge(world, host);
  const journal = new Journal();
  const server = flyServer(world, journal, options.registry);
  // A wait may take a minute; Node.js ends a request's reading after five.
  server.keepAliveTimeout = 65_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  const listening = (server.address() as AddressInfo).port;
  const network = new PrivateNetwork(world, { host, port: listening });
  await network.sync();
  return {
    endpoint: `http://${host}:${listening}`,
    token: token.token,
    world,
    journal,
    close: async () => {
      prober.close();
      await network.close();
      await edge.close();
      await new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      });
      options.registry?.stop();
      await runtime.close();
    },
  };
}
