import { randomUUID } from "node:crypto";
import type { EventEmitter } from "node:events";
import type { Clock } from "../platform/clock";
import type { Faults } from "../platform/faults";
import { Refusal } from "../platform/http";
import type { Repositories } from "../platform/repositories";
import type { Runtime } from "../platform/runtime";
import type { Store } from "../platform/store";
import type { LogBook } from "./logs";
import type { BucketCredentials, Deployment, Instance, RailwayState } from "./state";

/** How long the platform takes for what it does, in milliseconds. Containers' own time comes on top. */
export interface Timings {
  /** In `QUEUED`. */
  readonly queue: number;
  /** In `BUILDING`, on top of the build. */
  readonly build: number;
  /** In `DEPLOYING`, before the first container starts. */
  readonly deploy: number;
  /** Between two tries of a health check. */
  readonly check: number;
  /** Before a command that ended is started again. */
  readonly restart: number;
  /** In `REMOVING`, on top of overlap and draining. */
  readonly remove: number;
  /** Until a workflow that was just made is known. */
  readonly workflowVisible: number;
  /** Until a workflow is over. */
  readonly workflow: number;
  /** Until a custom domain has its certificate. */
  readonly certificate: number;
  /** The least time between two volumes of a project. */
  readonly volumeGap: number;
  /** Until what was just made is in lists. Whoever knows its id can use it at once. */
  readonly listed: number;
}

/** Near enough to real life that what doesn't wait, fails, and short enough to be waited for. */
export const defaultTimings: Timings = {
  queue: 100,
  build: 150,
  deploy: 150,
  check: 250,
  restart: 500,
  remove: 150,
  workflowVisible: 100,
  workflow: 500,
  certificate: 1_000,
  volumeGap: 300,
  listed: 0,
};

/** An image to build from a repository. */
export interface BuildOrder {
  readonly name: string;
  /** The service's root directory, as a tar archive. */
  readonly context: Buffer;
  /** Where the Dockerfile is in it. */
  readonly dockerfile: string;
  /** The variables that the Dockerfile declares by ARG. */
  readonly args: Readonly<Record<string, string>>;
  /** Takes a line of the build's log. */
  readonly say: (line: string) => void;
}

/** What differs between emulators. */
export interface WorldSettings {
  /** Whether calls are limited as the plan says. */
  rateLimits: boolean;
  /** Calls an hour, instead of the plan's. */
  hourlyLimit?: number;
  /** A health check's longest time in milliseconds, whatever a service declares. Default: no other than that. */
  healthcheckMs?: number;
  /** Builds an image. Default: it is taken as built. */
  readonly build?: (order: BuildOrder) => Promise<void>;
  /** Makes a bucket of that name. Default: made-up values. */
  readonly bucket?: (name: string) => Promise<Omit<BucketCredentials, "createdAt">>;
  /** Removes one with all that is in it. Default: nothing. */
  readonly removeBucket?: (name: string) => Promise<void>;
  /** The most entries of a page. Default: 5000. */
  readonly pageSize?: number;
  /** How often cron services are looked at, in milliseconds. Default: a second. */
  readonly sweepMs?: number;
}

/** What the emulator's parts share. */
export interface World {
  readonly store: Store<RailwayState>;
  readonly state: RailwayState;
  readonly clock: Clock;
  readonly runtime: Runtime;
  readonly repositories: Repositories;
  readonly faults: Faults;
  readonly timings: Timings;
  /** Emits a deployment's id when anything of it changes; "edges" when domains or proxies do. */
  readonly changes: EventEmitter;
  readonly logs: LogBook;
  readonly settings: WorldSettings;
  /** What is under way with each instance: one thing after another. */
  readonly tasks: Map<string, Promise<void>>;
  /** Where domains and TCP proxies are reached. */
  readonly host: string;
}

/** An error of GraphQL in Railway's form. */
export const refuse = (error: string, status = 400): Refusal => new Refusal({ status, body: { error } });

/** Said of a bad token, of what isn't there and of what is somebody else's alike. */
export const notAuthorized = (): Refusal => refuse("Not Authorized", 403);

export const newId = (): string => randomUUID();

/** Of those that were made, what lists show by now. */
export const listed = <Item extends { readonly createdAt: number }>(world: World, items: readonly Item[]): Item[] => {
  const now = world.clock.now();
  return items.filter(({ createdAt }) => now - createdAt >= world.timings.listed);
};

/** A number that nothing else of the platform has. */
export function nextNumber(world: World): number {
  world.state.counter += 1;
  return world.state.counter;
}

/** Writes down what has changed of a deployment and tells who waits for it. */
export function changed(world: World, deployment: Deployment): void {
  deployment.updatedAt = world.clock.now();
  world.store.save();
  world.changes.emit("deployment", deployment.id);
}

export const instanceKey = (serviceId: string, environmentId: string): string => `${serviceId}:${environmentId}`;

/** A service in an environment; undefined where it isn't in there. */
export function instanceOf(world: World, serviceId: string, environmentId: string): Instance | undefined {
  return world.state.instances[instanceKey(serviceId, environmentId)];
}

/** A service's deployments in an environment, newest first. */
export function deploymentsOf(world: World, serviceId: string, environmentId: string): Deployment[] {
  return Object.values(world.state.deployments)
    .filter((one) => one.serviceId === serviceId && one.environmentId === environmentId)
    .reverse();
}

/** Does something with an instance once all that was asked of it before is done. */
export function enqueue(world: World, key: string, task: () => Promise<void>): Promise<void> {
  const before = world.tasks.get(key) ?? Promise.resolve();
  const done = before.then(task).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  });
  world.tasks.set(key, done);
  void done.then(() => {
    if (world.tasks.get(key) === done) world.tasks.delete(key);
  });
  return done;
}

/** A name as it is in host names: `My Service` is `my-service`. */
export const slug = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "");
