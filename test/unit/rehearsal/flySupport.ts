import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FlyEmulator, type FlyOptions, startFly } from "../../../rehearsal/fly/emulator";
import { PaperRuntime } from "../../../rehearsal/platform/paper";

/** The fields that tests read of answers, whichever has them. What they hold is the tests' own matter. */
export interface Body extends Readonly<Record<string, unknown>> {
  readonly id: string;
  readonly error: string;
  readonly message: string;
  readonly status: string;
  readonly state: string;
  readonly nonce: string;
  readonly token: string;
  readonly instance_id: string;
  readonly version: number;
  /** Of a list. */
  readonly length: number;
}

/** An answer, read whole. */
export interface Got {
  readonly status: number;
  readonly body: Body;
  readonly headers: Headers;
}

/** An emulator with machines on paper, for one test, and calls to it as its organization. */
export interface Bench {
  readonly fly: FlyEmulator;
  readonly runtime: PaperRuntime;
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Got>;
  control(method: string, path: string, body?: unknown): Promise<unknown>;
  graphql(query: string, variables?: unknown): Promise<Record<string, unknown>>;
  /** Makes an app and waits until it is known. */
  app(name: string): Promise<void>;
  /** Makes a machine and waits until it runs. */
  machine(app: string, config?: unknown, rest?: unknown): Promise<string>;
  state(app: string, id: string): Promise<string>;
  /** Ends the emulator and starts another one on the same state. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** Short enough for a test, long enough to be seen. */
export const timings = {
  ...{
    appVisible: 40,
    machineVisible: 20,
    listed: 0,
    detach: 0,
    create: 10,
    start: 15,
    replace: 10,
    destroy: 10,
    restart: 10,
  },
  ...{ check: 10, certificate: 30, postgres: 30, idle: 60 },
};

/** Opens a bench. Calls aren't limited unless a test says so. */
export async function openBench(options: Partial<FlyOptions> & { runtime?: PaperRuntime } = {}): Promise<Bench> {
  const folder = mkdtempSync(join(tmpdir(), "homeport-fly-"));
  const runtime = options.runtime ?? new PaperRuntime();
  const start = (): Promise<FlyEmulator> =>
    startFly({
      file: join(folder, "state.json"),
      timings,
      ...options,
      runtime,
      settings: { rateLimits: false, sweepMs: 20, ...options.settings },
    });
  let fly = await start();
  const ask = async (method: string, url: string, body: unknown, headers: Record<string, string>): Promise<Got> => {
    const response = await fetch(url, {
      method,
      headers: { "content-type": "application/json", ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const read = text === "" ? undefined : (JSON.parse(text) as unknown);
    return { status: response.status, body: read as Body, headers: response.headers };
  };
  const call: Bench["call"] = (method, path, body, headers = {}) =>
    ask(method, `${fly.endpoint}/v1${path}`, body, { authorization: `Bearer ${fly.token}`, ...headers });
  const bench: Bench = {
    get fly() {
      return fly;
    },
    runtime,
    call,
    control: async (method, path, body) => (await ask(method, `${fly.endpoint}/rehearsal/${path}`, body, {})).body,
    graphql: async (query, variables) =>
      (await ask("POST", `${fly.endpoint}/graphql`, { query, variables }, { authorization: `FlyV1 ${fly.token}` }))
        .body,
    app: async (name) => {
      const made = await call("POST", "/apps", { name, org_slug: "personal" });
      if (made.status !== 201) throw new Error(`the app can't be made: ${JSON.stringify(made.body)}`);
      while ((await call("GET", `/apps/${name}`)).status !== 200) await pause(5);
    },
    machine: async (app, config = {}, rest = {}) => {
      const made = await call("POST", `/apps/${app}/machines`, {
        config: { image: "registry.fly.io/web:1", ...(config as object) },
        ...(rest as object),
      });
      if (made.status !== 200) throw new Error(`the machine can't be made: ${JSON.stringify(made.body)}`);
      const id = made.body.id;
      while ((await call("GET", `/apps/${app}/machines/${id}`)).status === 404) await pause(5);
      await call("GET", `/apps/${app}/machines/${id}/wait?state=settled&timeout=5`);
      return id;
    },
    state: async (app, id) => (await call("GET", `/apps/${app}/machines/${id}`)).body.state,
    restart: async () => {
      await fly.close();
      fly = await start();
    },
    close: async () => {
      await fly.close();
      rmSync(folder, { recursive: true });
    },
  };
  return bench;
}

/** Waits so many milliseconds. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Asks until the answer is true; throws after two seconds. */
export async function until(what: string, ask: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (await ask()) return;
    await pause(10);
  }
  throw new Error(`${what} didn't come about`);
}
