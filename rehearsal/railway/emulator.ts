import { EventEmitter } from "node:events";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { type Clock, realClock } from "../platform/clock";
import { Faults } from "../platform/faults";
import { Journal } from "../platform/journal";
import { Repositories } from "../platform/repositories";
import type { Runtime } from "../platform/runtime";
import { Store } from "../platform/store";
import { issueToken } from "./access";
import { Scheduler, cronEnded } from "./cron";
import { retire, run } from "./deploying";
import { Edge } from "./edge";
import { LogBook } from "./logs";
import { pushed } from "./pushes";
import { commandEnded, start } from "./replicas";
import { railwayServer } from "./server";
import type { Deployment, RailwayState, Token } from "./state";
import { isBuilding } from "./status";
import { type Timings, type World, type WorldSettings, defaultTimings, enqueue, instanceKey, newId } from "./world";

/** What an emulator of Railway is started with. */
export interface RailwayOptions {
  /** Where its state is kept. The repositories that it builds from lie beside it. */
  readonly file: string;
  readonly runtime: Runtime;
  /** What it listens on, the API and domains alike. Default: 127.0.0.1. */
  readonly host?: string;
  /** Default: a free one. */
  readonly port?: number;
  readonly timings?: Partial<Timings>;
  readonly settings?: Partial<WorldSettings>;
  readonly clock?: Clock;
}

/** A running emulator. */
export interface RailwayEmulator {
  /** `http://address:port/graphql/v2`. Control calls are below /rehearsal of the same server. */
  readonly endpoint: string;
  /** `http://address:port`. */
  readonly url: string;
  /** An account's token, for `Authorization: Bearer`. */
  readonly token: string;
  /** The account's workspace, on the plan PRO. */
  readonly workspaceId: string;
  readonly world: World;
  readonly journal: Journal;
  /** Makes another token: `{kind: "workspace", workspaceId, name}` or `{kind: "project", projectId, environmentId, name}`. */
  issueToken(wanted: Omit<Token, "id" | "token" | "createdAt">): Token;
  /** Commits a folder's state to the repository `owner/name`, as a push does. Returns the commit's id. */
  repository(name: string, folder: string, branch?: string): Promise<string>;
  /** Ends it. Its state and containers stay. */
  close(): Promise<void>;
}

const freshState = (): RailwayState => ({
  version: 1,
  counter: 0,
  tokens: [],
  workspaces: [{ id: newId(), name: "Rehearsal", plan: "PRO", createdAt: Date.now() }],
  projects: {},
  environments: {},
  services: {},
  instances: {},
  deployments: {},
  volumes: {},
  volumeInstances: {},
  buckets: {},
  domains: {},
  tcpProxies: {},
  workflows: {},
  hours: {},
  edges: {},
});

/** Container ids begin with their deployment's. */
const deploymentIdLength = 36;

/** Acts on what the runtime tells of containers. */
function follow(world: World): void {
  const find = (id: string): Deployment | undefined => world.state.deployments[id.slice(0, deploymentIdLength)];
  world.runtime.watch({
    exited: (id, { code }) => {
      world.changes.emit(`exit:${id}`, code);
      const deployment = find(id);
      const replica = deployment?.replicas.find((one) => one.id === id);
      if (deployment === undefined) return;
      if (replica !== undefined) commandEnded(world, deployment, replica, code);
      else cronEnded(world, deployment, id, code);
    },
    logged: (id, line) => {
      const deployment = find(id);
      if (deployment !== undefined) world.logs.add(deployment, "deploy", line);
    },
  });
}

/** Goes on with what was under way when the last emulator ended: every deployment comes to its end. */
async function resume(world: World): Promise<void> {
  const deployments = Object.values(world.state.deployments);
  const running = deployments.flatMap(({ replicas, runs }) => [
    ...replicas.filter(({ isUp }) => isUp).map(({ id }) => id),
    ...runs.filter(({ endedAt }) => endedAt === undefined).map(({ id }) => id),
  ]);
  await world.runtime.adopt(running);
  for (const deployment of deployments) {
    const { serviceId, environmentId, status, replicas } = deployment;
    if (isBuilding(deployment) || status === "DEPLOYING")
      void enqueue(world, instanceKey(serviceId, environmentId), async () => {
        for (const { id } of replicas) await world.runtime.remove(id);
        deployment.replicas = [];
        await run(world, deployment);
      });
    else if (status === "SUCCESS")
      for (const replica of replicas.filter((one) => one.status === "RESTARTING"))
        void start(world, deployment, replica);
    else if (status === "REMOVING") {
      deployment.status = "SUCCESS";
      void retire(world, deployment);
    }
  }
  for (const workflow of Object.values(world.state.workflows))
    if (workflow.status === "Running") Object.assign(workflow, { status: "Error", error: "interrupted" });
}

/** Starts an emulator of Railway in this process. */
export async function startRailway(options: RailwayOptions): Promise<RailwayEmulator> {
  const { file, runtime, host = "127.0.0.1", port = 0, clock = realClock } = options;
  const store = new Store(file, freshState);
  const changes = new EventEmitter();
  changes.setMaxListeners(0);
  let isClosed = false;
  const never = new Promise<void>(() => undefined);
  const world: World = {
    store,
    state: store.state,
    // What waits when the emulator ends never goes on, as after a crash.
    clock: { now: () => clock.now(), sleep: (ms) => clock.sleep(ms).then(() => (isClosed ? never : undefined)) },
    runtime,
    repositories: new Repositories(join(dirname(file), "repositories")),
    faults: new Faults(),
    timings: { ...defaultTimings, ...options.timings },
    changes,
    logs: new LogBook(),
    settings: { rateLimits: true, ...options.settings },
    tasks: new Map(),
    host,
  };
  const token = world.state.tokens[0] ?? issueToken(world, { kind: "account", name: "account" });
  follow(world);
  await resume(world);
  const edge = new Edge(world);
  const scheduler = new Scheduler(world);
  const journal = new Journal();
  const server = railwayServer(world, journal);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  const url = `http://${host}:${(server.address() as AddressInfo).port}`;
  return {
    endpoint: `${url}/graphql/v2`,
    url,
    token: token.token,
    workspaceId: world.state.workspaces[0]!.id,
    world,
    journal,
    issueToken: (wanted) => issueToken(world, wanted),
    repository: (name, folder, branch) => pushed(world, name, folder, branch),
    close: async () => {
      isClosed = true;
      store.close();
      scheduler.close();
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
