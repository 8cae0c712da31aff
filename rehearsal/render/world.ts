import { randomBytes } from "node:crypto";
import type { Clock } from "../platform/clock";
import type { Faults } from "../platform/faults";
import { Refusal } from "../platform/http";
import type { Runtime } from "../platform/runtime";
import type { Store } from "../platform/store";
import type { LogBook } from "./logBook";
import type { RenderState, Service } from "./state";

/** How long the platform takes for what it does, in milliseconds. Containers' own time comes on top. */
export interface Timings {
  /** Until a new service, database, project or environment shows up in lists. */
  readonly listed: number;
  /** Before a deploy begins. */
  readonly queue: number;
  /** A build's least time. */
  readonly build: number;
  /** From an image to its instances. */
  readonly update: number;
  /** Between probes of an instance that isn't healthy yet. */
  readonly probe: number;
  /** That an instance may take to be healthy; on Render 15 minutes. */
  readonly healthy: number;
  /** That an instance without a port has to stay up for. */
  readonly settle: number;
  /** From a deploy's cancellation to its end. */
  readonly cancel: number;
  /** Before what ended by itself is started again. */
  readonly restart: number;
  /** Until a database is available. */
  readonly database: number;
  /** Until a domain's records are found. */
  readonly domain: number;
  /** Between looks at cron jobs' schedules. */
  readonly cron: number;
}

/** Near enough to real life that what doesn't wait, fails, and short enough to be waited for. */
export const defaultTimings: Timings = {
  ...{ listed: 150, queue: 100, build: 300, update: 200, probe: 250, healthy: 60_000, settle: 1_500 },
  ...{ cancel: 200, restart: 500, database: 1_500, domain: 1_000, cron: 1_000 },
};

/** What is to be built. */
export interface BuildOrder {
  readonly repo: string;
  readonly commit: string;
  readonly rootDir: string;
  readonly runtime: string;
  readonly dockerfilePath: string;
  readonly dockerContext: string;
  readonly buildCommand: string;
}

/** What differs between emulators. */
export interface WorldSettings {
  /** Whether calls are limited as Render's are. */
  rateLimits: boolean;
  /** Whether a disk's restore deploys its service: the contract says that it might. */
  restoreDeploys: boolean;
  /** A repository's commit, a branch's last one where none is named; undefined where there is none. */
  readonly commit: (
    repo: string,
    branch: string | undefined,
    commit: string | undefined,
  ) => Promise<{ readonly id: string; readonly message: string } | undefined>;
  /** Builds an image; returns its name. Throws with the build's last lines. */
  readonly build: (order: BuildOrder) => Promise<string>;
}

/** What the emulator's parts share. */
export interface World {
  readonly store: Store<RenderState>;
  readonly state: RenderState;
  readonly clock: Clock;
  readonly runtime: Runtime;
  readonly faults: Faults;
  readonly timings: Timings;
  readonly logs: LogBook;
  readonly settings: WorldSettings;
  /** What is under way with each service: one deploy after another. */
  readonly tasks: Map<string, Promise<void>>;
  /** Set once the emulator ends: what is under way stops at its next step. */
  isClosed: boolean;
}

/** An error in Render's form. */
export function refuse(status: number, message: string, headers: Record<string, string> = {}): Refusal {
  return new Refusal({ status, body: { id: newId("req"), message }, headers });
}

const alphabet = "0123456789abcdefghijklmnopqrstuv";

/** So many characters of chance, as Render's ids have them. */
export const chance = (length: number): string => [...randomBytes(length)].map((byte) => alphabet[byte % 32]!).join("");

/** An id such as `srv-…`: the prefix and 20 characters. */
export const newId = (prefix: string): string => `${prefix}-${chance(20)}`;

/** A number that nothing else of the platform has. */
export function nextNumber(world: World): number {
  world.state.counter += 1;
  return world.state.counter;
}

/** Whether lists show by now what was made at a time. By its id it is there at once. */
export const isListed = ({ clock, timings }: World, createdAt: number): boolean =>
  clock.now() >= createdAt + timings.listed;

/** A moment as the API writes it. */
export const isoTime = (ms: number): string => new Date(ms).toISOString();

/** Optional fields that there are. */
export function present<Fields extends object>(fields: Fields): Partial<Fields> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<Fields>;
}

/** How faults name a service: `name/id`. */
export const subjectOf = (service: Service): string => `${service.name}/${service.id}`;

/** Waits; throws once the emulator has ended, so that nothing goes on behind its back. */
export async function pause(world: World, ms: number): Promise<void> {
  await world.clock.sleep(ms);
  if (world.isClosed) throw new Closed();
}

/** The emulator has ended meanwhile. */
export class Closed extends Error {
  override readonly name = "Closed";
}
