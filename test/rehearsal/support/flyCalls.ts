import assert from "node:assert/strict";
import { poll } from "../../../rehearsal/host/run";
import type { Fly } from "../../../rehearsal/site";

/** What tests read of a machine. */
export interface FlyMachine {
  readonly id: string;
  readonly state: string;
  readonly instance_id: string;
  readonly region: string;
  readonly checks: readonly { readonly status: string }[];
  readonly events: readonly { readonly type: string; readonly request?: unknown }[];
}

/** Calls to the emulated Fly, as its organization. */
export interface FlyCalls {
  raw(method: string, path: string, body?: unknown): Promise<Response>;
  /** A call of the Machines API that has to succeed. */
  call<T = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<T>;
  graphql<T>(query: string, variables: unknown): Promise<T>;
  /** Makes an app with these kinds of addresses, and waits until it is known. */
  app(name: string, ...addresses: readonly string[]): Promise<void>;
  /** Makes a machine and waits until it is started and its checks pass, if it has any. */
  machine(app: string, config: object, rest?: object): Promise<string>;
  read(app: string, id: string): Promise<FlyMachine>;
  reach(app: string, id: string, what: string, wanted: (machine: FlyMachine) => boolean): Promise<FlyMachine>;
  /** An app's machines that don't end; undefined where there is no such app. */
  machines<T extends Pick<FlyMachine, "state"> = FlyMachine>(app: string): Promise<T[] | undefined>;
  destroy(app: string, id: string): Promise<void>;
  /** Waits until a volume has no machine: Fly lets it go some time after that one is gone. */
  freed(app: string, volume: string): Promise<void>;
  /** What a command in a machine prints; it has to succeed. */
  inside(app: string, id: string, ...command: readonly string[]): Promise<string>;
  /** Records of an app's deploys, the newest first. */
  releases(app: string): Promise<string[]>;
  logs(app: string, id: string): Promise<string>;
  says(app: string, id: string, wanted: RegExp): Promise<void>;
}

export const isHealthy = ({ state, checks }: FlyMachine): boolean =>
  state === "started" && checks.length > 0 && checks.every(({ status }) => status === "passing");

/** A test that watches for something isn't to fail by the limits that apply to it as to everybody. */
export const withinLimits = (ask: () => Promise<Response>): Promise<Response> =>
  poll(
    async () => {
      const answer = await ask();
      return answer.status === 429 ? undefined : answer;
    },
    { timeoutMs: 30_000, everyMs: 1_000, failure: () => "rate limit exceeded for 30 s" },
  );

export function flyCalls(fly: Fly): FlyCalls {
  const headers = { authorization: `Bearer ${fly.token}`, "content-type": "application/json" };
  const raw: FlyCalls["raw"] = (method, path, body) =>
    fetch(`${fly.endpoint}/v1${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const call: FlyCalls["call"] = async <T>(method: string, path: string, body?: unknown) => {
    const answer = await withinLimits(() => raw(method, path, body));
    const text = await answer.text();
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
    return (text === "" ? undefined : JSON.parse(text)) as T;
  };
  const known = (path: string): Promise<true> =>
    poll(async () => ((await raw("GET", path)).ok ? true : undefined), {
      timeoutMs: 5_000,
      failure: () => `${path} doesn't appear`,
    });
  const read: FlyCalls["read"] = (app, id) => call<FlyMachine>("GET", `/apps/${app}/machines/${id}`);
  const reach: FlyCalls["reach"] = (app, id, what, wanted) =>
    poll(
      async () => {
        const machine = await read(app, id);
        return wanted(machine) ? machine : undefined;
      },
      { timeoutMs: 60_000, failure: async () => `${what}: ${JSON.stringify(await read(app, id))}` },
    );
  const logs: FlyCalls["logs"] = async (app, id) => {
    const answer = await fetch(`${fly.endpoint}/api/v1/apps/${app}/logs?instance=${id}`, { headers });
    const { data } = (await answer.json()) as { data: { attributes: { message: string } }[] };
    return data.map(({ attributes }) => attributes.message).join("\n");
  };
  return {
    raw,
    call,
    read,
    reach,
    logs,
    graphql: async <T>(query: string, variables: unknown) => {
      const body = JSON.stringify({ query, variables });
      const answer = await fetch(`${fly.endpoint}/graphql`, { method: "POST", headers, body });
      const { data, errors } = (await answer.json()) as { data: T; errors?: unknown };
      assert.equal(errors, undefined, JSON.stringify(errors));
      return data;
    },
    app: async (name, ...addresses) => {
      await call("POST", "/apps", { name, org_slug: "personal" });
      await known(`/apps/${name}`);
      for (const type of addresses) await call("POST", `/apps/${name}/ip_assignments`, { type });
    },
    machine: async (app, config, rest = {}) => {
      const { id } = await call<FlyMachine>("POST", `/apps/${app}/machines`, { region: "iad", config, ...rest });
      await known(`/apps/${app}/machines/${id}`);
      const hasChecks = JSON.stringify(config).includes('"checks"');
      await reach(app, id, "the machine isn't healthy", (machine) =>
        hasChecks ? isHealthy(machine) : machine.state === "started",
      );
      return id;
    },
    machines: async <T extends Pick<FlyMachine, "state">>(app: string) => {
      const answer = await withinLimits(() => raw("GET", `/apps/${app}/machines`));
      if (answer.status === 404) return undefined;
      assert.ok(answer.ok, `machines of ${app}: ${answer.status}`);
      // Machines are told of while they end, too.
      return ((await answer.json()) as T[]).filter(({ state }) => !state.startsWith("destroy"));
    },
    releases: async (app) => {
      type Listed = { readonly releases: readonly { readonly version: number; readonly status: string }[] };
      const answer = await withinLimits(() => fetch(`${fly.endpoint}/api/v1/apps/${app}/releases`, { headers }));
      return ((await answer.json()) as Listed).releases.map(({ version, status }) => `v${version} ${status}`);
    },
    destroy: async (app, id) => {
      await call("DELETE", `/apps/${app}/machines/${id}?force=true`);
      await call("GET", `/apps/${app}/machines/${id}/wait?state=destroyed&timeout=30`);
    },
    freed: async (app, volume) => {
      await poll(
        async () => {
          const { attached_machine_id: holder } = await call("GET", `/apps/${app}/volumes/${volume}`);
          return (holder ?? "") === "" ? true : undefined;
        },
        { timeoutMs: 10_000, failure: () => `volume ${volume} isn't let go` },
      );
    },
    inside: async (app, id, ...command) => {
      const done = await call<{ exit_code: number; stdout: string; stderr: string }>(
        "POST",
        `/apps/${app}/machines/${id}/exec`,
        { command, timeout: 60 },
      );
      assert.equal(done.exit_code, 0, `${command.join(" ")}: ${done.stdout}${done.stderr}`);
      return done.stdout.trim();
    },
    says: async (app, id, wanted) => {
      await poll(async () => (wanted.test(await logs(app, id)) ? true : undefined), {
        timeoutMs: 20_000,
        failure: async () => `${id} doesn't log ${wanted.source}: ${await logs(app, id)}`,
      });
    },
  };
}
