import { randomBytes } from "node:crypto";
import type { EventEmitter } from "node:events";
import type { Clock } from "../platform/clock";
import type { Faults } from "../platform/faults";
import { Refusal } from "../platform/http";
import type { PostgresServers } from "../platform/postgres";
import type { Runtime } from "../platform/runtime";
import type { Store } from "../platform/store";
import type { App, FlyState, Machine, Token, Volume } from "./state";

/** How long the platform takes for what it does, in milliseconds. Containers' own time comes on top. */
export interface Timings {
  /** Until a new app can be read. */
  readonly appVisible: number;
  /** Until a new machine can be read. */
  readonly machineVisible: number;
  /** Until lists tell of a new volume, address or certificate, which can be read by itself at once, or of changed secrets. */
  readonly listed: number;
  /** That a volume stays with a machine that is destroyed. */
  readonly detach: number;
  /** In `created`, before it starts. */
  readonly create: number;
  /** In `starting`. */
  readonly start: number;
  /** In `replacing`. */
  readonly replace: number;
  /** In `destroying`. */
  readonly destroy: number;
  /** Before a command that ended is started again. */
  readonly restart: number;
  /** Between a check's probes, at most, whatever interval it declares. */
  readonly check: number;
  /** Until a certificate is issued. */
  readonly certificate: number;
  /** Until a Postgres cluster is ready. */
  readonly postgres: number;
  /** Without a request, before a machine that may be stopped is. */
  readonly idle: number;
}

/** Near enough to real life that what doesn't wait, fails, and short enough to be waited for. */
export const defaultTimings: Timings = {
  appVisible: 150,
  machineVisible: 60,
  listed: 60,
  detach: 300,
  create: 100,
  start: 150,
  replace: 100,
  destroy: 150,
  restart: 500,
  check: 1_000,
  certificate: 1_000,
  postgres: 2_000,
  idle: 60_000,
};

/** What the emulator's parts share. */
export interface World {
  readonly store: Store<FlyState>;
  readonly state: FlyState;
  readonly clock: Clock;
  readonly runtime: Runtime;
  readonly faults: Faults;
  readonly timings: Timings;
  /** Emits `machine` with its id when anything of it changes, `network` when something comes to an address or goes. */
  readonly changes: EventEmitter;
  readonly logs: LogBook;
  readonly settings: WorldSettings;
  /** What is under way with each machine: one thing after another. */
  readonly tasks: Map<string, Promise<void>>;
  /** Requests that the proxy has at each machine. */
  readonly load: Map<string, number>;
}

/** What differs between emulators. */
export interface WorldSettings {
  /** Whether calls are limited as the documentation says. */
  rateLimits: boolean;
  /** Whether a 429 says when to come again. The Machines API's doesn't. */
  retryAfter: boolean;
  /** How often machines are looked at for stopping. */
  readonly sweepMs?: number;
  /** Makes a bucket for an add-on of kind tigris; returns what the app is given. Default: made-up values. */
  readonly bucket?: (name: string) => Promise<Record<string, string>>;
  /** Removes such a bucket with what is in it. */
  readonly removeBucket?: (name: string) => Promise<void>;
  /** Starts a Redis server for an add-on of kind upstash_redis; returns its address with its password. */
  readonly redis?: (name: string) => Promise<string>;
  /** Starts Managed Postgres's clusters. Default: they are on paper. */
  readonly postgres?: PostgresServers;
}

/** One line that a machine wrote. */
export interface LogLine {
  readonly id: number;
  readonly app: string;
  readonly machine: string;
  readonly region: string;
  readonly timestamp: string;
  readonly level: string;
  readonly message: string;
}

/** The last lines of all machines. */
export class LogBook {
  private lines: LogLine[] = [];
  private count = 0;

  add(machine: Machine, message: string, level = "info"): void {
    const { id, app, region } = machine;
    this.lines.push({
      id: ++this.count,
      app,
      machine: id,
      region,
      timestamp: new Date().toISOString(),
      level,
      message,
    });
    if (this.lines.length > 20_000) this.lines = this.lines.slice(-10_000);
  }

  /** An app's lines after a line's number, oldest first. */
  of(app: string, after: number, limit = 200): LogLine[] {
    const all = this.lines.filter((line) => line.app === app && line.id > after);
    return after === 0 ? all.slice(-limit) : all.slice(0, limit);
  }
}

/** An error in the Machines API's form. `status` is one of its words, such as name_taken. */
export function refuse(status: number, error: string, word = "unknown", headers: Record<string, string> = {}): Refusal {
  return new Refusal({ status, body: { error, status: word }, headers });
}

const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** A ULID, by which versions, events and requests are named: 48 bits of time, 80 of chance (github.com/ulid/spec). */
export function ulid(now: number): string {
  let time = "";
  for (let rest = now, digit = 0; digit < 10; digit++, rest = Math.floor(rest / 32))
    time = crockford[rest % 32]! + time;
  return time + [...randomBytes(16)].map((byte) => crockford[byte % 32]!).join("");
}

/** A machine's id: 14 hexadecimal digits. */
export const machineId = (): string => randomBytes(7).toString("hex");

/** A volume's id. */
export const volumeId = (): string =>
  `vol_${[...randomBytes(16)]
    .map((byte) => crockford[byte % 32]!)
    .join("")
    .toLowerCase()}`;

/** A number that nothing else of the platform has. */
export function nextNumber(world: World): number {
  world.state.counter += 1;
  return world.state.counter;
}

const may = (token: Token, app: string, org: string): boolean =>
  token.org === org && (token.app === undefined || token.app === app);

/** The app of that name, if the token may see it and it has come to be known everywhere. */
export function appOf(world: World, token: Token, name: string): App {
  const app = world.state.apps[name];
  if (app === undefined) {
    if (world.state.takenNames.includes(name)) throw refuse(403, "unauthorized");
    throw refuse(404, `app not found`);
  }
  if (!may(token, name, app.org)) throw refuse(403, "unauthorized");
  if (world.clock.now() < app.visibleAt) {
    // Half of the propagation the name is unknown, then the token isn't allowed to see it yet.
    const half = app.createdAt + (app.visibleAt - app.createdAt) / 2;
    throw world.clock.now() < half ? refuse(404, "app not found") : refuse(401, "unauthorized");
  }
  return app;
}

/** Whether lists tell already of what was made then. */
export const isListed = (world: World, createdAt: string): boolean =>
  world.clock.now() >= Date.parse(createdAt) + world.timings.listed;

/** The machine of that id in an app. One that was just made isn't found yet. */
export function machineOf(world: World, app: App, id: string): Machine {
  const machine = world.state.machines[id];
  if (machine === undefined || machine.app !== app.name || world.clock.now() < machine.visibleAt)
    throw refuse(404, `machine not found, id: ${id}`);
  return machine;
}

/** An app's machines that are there, in the order they were made. */
export function machinesOf(world: World, app: string, alsoDestroyed = false): Machine[] {
  return Object.values(world.state.machines).filter(
    (machine) => machine.app === app && (alsoDestroyed || machine.state !== "destroyed"),
  );
}

/** The volume of that id in an app. */
export function volumeOf(world: World, app: App, id: string): Volume {
  const volume = world.state.volumes[id];
  if (volume === undefined || volume.app !== app.name) throw refuse(404, `volume not found, id: ${id}`);
  return volume;
}

/** Writes down what has changed of a machine and tells who waits for it. */
export function changed(world: World, machine: Machine): void {
  world.store.save();
  world.changes.emit("machine", machine.id);
}

/** Milliseconds of a duration as Go writes it, or of nanoseconds. */
export function durationMs(value: string | number | undefined, standard: number): number {
  if (value === undefined) return standard;
  if (typeof value === "number") return value / 1e6;
  const units: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1e3, m: 6e4, h: 36e5 };
  return [...value.matchAll(/([\d.]+)(ns|us|µs|ms|s|m|h)/g)].reduce(
    (sum, [, amount, unit]) => sum + Number(amount) * units[unit!]!,
    0,
  );
}
