import { Client, createOnce, Deadline, hasStatus, type CallOptions, type World } from "../../../drivers/http";
import type { DriverIo } from "../../../drivers/driver";
import { explainFly, isFinal } from "./explain";
import { flyLimit } from "./limits";
import { absent, authorization, bareToken, type FlyConnection } from "./connection";
import { isThere, type FlyApp, type Machine, type MachineConfig } from "./types";

export interface NewMachine {
  readonly region: string;
  readonly config: MachineConfig;
  /** Starts without being sent requests. */
  readonly skip_service_registration?: boolean;
  readonly skip_launch?: boolean;
  readonly min_secrets_version?: number;
}

export interface ExecResult {
  readonly exit_code?: number;
  readonly stdout?: string;
  readonly stderr?: string;
}

/** Metadata key that tells one attempt to make a machine from all others. */
export const launchKey = "homeport_launch";

const step = 60;

/** Milliseconds that an app may not be known everywhere after it was first seen. */
const youngMs = 30_000;

/** The Machines API's calls, one method each. Calls that make something find it where their answer was lost. */
export class Fly {
  readonly client: Client;
  private readonly nonces = new Map<string, string>();
  /** Apps that were made a moment ago, and when that is over. */
  private readonly young = new Map<string, number>();

  constructor(
    readonly connection: FlyConnection,
    io: Pick<DriverIo, "progress" | "signal">,
    secrets: Iterable<string>,
    world?: World,
  ) {
    this.client = new Client({
      base: connection.machinesUrl,
      headers: { authorization: authorization(connection.token) },
      secrets: [bareToken(connection.token), ...secrets],
      limit: flyLimit,
      requestIdHeader: "fly-request-id",
      explain: explainFly,
      final: isFinal,
      progress: io.progress,
      signal: io.signal,
      ...(world === undefined ? {} : { world }),
    });
  }

  deadline(seconds: number, what: string): Deadline {
    return Deadline.after(seconds, what, this.client.world);
  }

  async call<T>(method: string, path: string, options: Partial<CallOptions> = {}): Promise<T> {
    const deadline = options.deadline ?? this.deadline(step, `${method} ${path}`);
    for (;;) {
      try {
        return (await this.client.request(method, `/v1${path}`, { ...options, deadline })).body as T;
      } catch (error) {
        if (!this.isYoung(method, path, error) || !(await this.client.pause(1000, deadline))) throw error;
      }
    }
  }

  /** Whether a refusal says no more than that a new app isn't known yet where it was asked for. Nothing was done then. */
  private isYoung(method: string, path: string, error: unknown): boolean {
    const [, , name = "", part, id] = path.split("/");
    if (this.client.world.now() >= (this.young.get(name) ?? 0)) return false;
    const intoIt = method === "POST" && part !== undefined && (part !== "machines" || id === undefined);
    return hasStatus(error, 401) || (intoIt && hasStatus(error, 404));
  }

  /** @returns undefined where there is none of that name; throws 403 where it is another organization's */
  async app(name: string): Promise<FlyApp | undefined> {
    return absent(this.call<FlyApp>("GET", `/apps/${name}`));
  }

  /** @throws ApiError 422 where there is one of that name, perhaps one that isn't known everywhere yet; where it doesn't come */
  async createApp(name: string): Promise<void> {
    const body = { name, org_slug: this.connection.org };
    const deadline = this.deadline(step, `app ${name} to be created`);
    await createOnce<unknown>(this.client, {
      deadline,
      create: () => this.call("POST", "/apps", { body, deadline }),
      find: () =>
        this.app(name).catch((error: unknown) =>
          hasStatus(error, 401, 403) ? undefined : Promise.reject(error as Error),
        ),
    });
    if ((await this.appears(name, deadline)) !== undefined) return;
    const message = `the app was made, and isn't known after ${deadline.seconds} s`;
    throw this.client.refusal({ kind: "deadline", method: "GET", path: `/v1/apps/${name}`, status: 404, message });
  }

  /**
   * Waits for an app that was made a moment ago. Until it is known everywhere, it is absent for some of Fly, and its owner's
   * token isn't taken there (flyctl, WaitForApp).
   * @returns undefined where it doesn't come; throws 403 where it is another organization's
   */
  async appears(name: string, deadline = this.deadline(15, `app ${name} to be known`)): Promise<FlyApp | undefined> {
    for (;;) {
      const seen = await this.app(name).catch((error: unknown) => {
        if (hasStatus(error, 401)) return undefined;
        throw error;
      });
      if (seen !== undefined) this.young.set(name, this.client.world.now() + youngMs);
      if (seen !== undefined || !(await this.client.pause(1000, deadline))) return seen;
    }
  }

  /** Whether the token is good, whatever a single app answers to it. */
  async takesToken(): Promise<boolean> {
    try {
      await this.call("GET", "/apps", { query: { org_slug: this.connection.org } });
      return true;
    } catch (error) {
      // It may be good for one app alone.
      return hasStatus(error, 403);
    }
  }

  async deleteApp(name: string): Promise<void> {
    await this.call("DELETE", `/apps/${name}`, { query: { force: true }, accept: [404] });
  }

  async machines(app: string, metadata: Readonly<Record<string, string>> = {}): Promise<Machine[]> {
    const query = Object.fromEntries(Object.entries(metadata).map(([key, value]) => [`metadata.${key}`, value]));
    const machines = await this.call<Machine[] | null>("GET", `/apps/${app}/machines`, { query });
    return (machines ?? []).filter(isThere);
  }

  machine(app: string, id: string): Promise<Machine | undefined> {
    return absent(this.call<Machine>("GET", `/apps/${app}/machines/${id}`));
  }

  /** @param launch unique to this attempt of this deploy: it finds the machine where the answer was lost */
  createMachine(app: string, launch: string, machine: NewMachine): Promise<Machine> {
    const deadline = this.deadline(step * 3, `a machine in ${machine.region} to be created`);
    const metadata = { ...machine.config.metadata, [launchKey]: launch };
    const body = { ...machine, config: { ...machine.config, metadata } };
    return createOnce(this.client, {
      deadline,
      create: () => this.call<Machine>("POST", `/apps/${app}/machines`, { body, deadline, timeoutMs: 60_000 }),
      find: async () => (await this.machines(app, { [launchKey]: launch }))[0],
    });
  }

  /** Replaces the whole configuration; a machine that runs is restarted with it. */
  updateMachine(app: string, id: string, body: Omit<NewMachine, "region">): Promise<Machine> {
    return this.call("POST", `/apps/${app}/machines/${id}`, {
      body,
      ...this.held(id),
      deadline: this.deadline(step * 3, `machine ${id} to be updated`),
      timeoutMs: 60_000,
    });
  }

  async act(app: string, id: string, action: "start" | "stop" | "cordon" | "uncordon", body?: unknown): Promise<void> {
    const options = body === undefined ? {} : { body };
    await this.call("POST", `/apps/${app}/machines/${id}/${action}`, { ...options, ...this.held(id) });
  }

  async restart(app: string, id: string): Promise<void> {
    await this.call("POST", `/apps/${app}/machines/${id}/restart`, { ...this.held(id), timeoutMs: 60_000 });
  }

  async destroyMachine(app: string, id: string): Promise<void> {
    await this.call("DELETE", `/apps/${app}/machines/${id}`, {
      query: { force: true },
      accept: [404],
      ...this.held(id),
    });
    this.nonces.delete(id);
  }

  async setMetadata(app: string, id: string, key: string, value: string): Promise<void> {
    await this.call("POST", `/apps/${app}/machines/${id}/metadata/${key}`, { body: { value }, ...this.held(id) });
  }

  /**
   * Runs a short command in a machine. Done twice, it runs twice.
   * @param seconds that it may take
   * @param repeatable whether it may run twice: then it is asked for again where Fly's answer was lost
   */
  async exec(
    app: string,
    id: string,
    command: readonly string[],
    seconds = 30,
    repeatable = false,
  ): Promise<ExecResult> {
    return this.call("POST", `/apps/${app}/machines/${id}/exec`, {
      body: { command, timeout: seconds },
      idempotent: repeatable,
      timeoutMs: (seconds + 10) * 1000,
      deadline: this.deadline(seconds * 4, `a command in machine ${id}`),
    });
  }

  /** Earlier configurations, the newest first. */
  async versions(app: string, id: string): Promise<{ version: string; user_config?: MachineConfig }[]> {
    return (
      (await absent(
        this.call<{ version: string; user_config?: MachineConfig }[]>("GET", `/apps/${app}/machines/${id}/versions`),
      )) ?? []
    );
  }

  /** Takes or refreshes a machine's lease. @throws ApiError 409 where somebody else holds it */
  async lease(app: string, id: string, ttl: number): Promise<void> {
    const body = { ttl, description: "homeport deploy" };
    type Lease = { nonce?: string; data?: { nonce?: string } };
    const lease = await this.call<Lease>("POST", `/apps/${app}/machines/${id}/lease`, {
      body,
      ...this.held(id),
      idempotent: this.nonces.has(id),
    });
    // Documented bare, answered in an envelope.
    const nonce = lease.data?.nonce ?? lease.nonce;
    if (nonce !== undefined) this.nonces.set(id, nonce);
  }

  async release(app: string, id: string): Promise<void> {
    if (!this.nonces.has(id)) return;
    await this.call("DELETE", `/apps/${app}/machines/${id}/lease`, { ...this.held(id), accept: [404, 409] });
    this.nonces.delete(id);
  }

  /** All calls on a machine that change it are the same when done twice; with its lease held they need the nonce. */
  private held(id: string): { idempotent: true; headers?: Record<string, string> } {
    const nonce = this.nonces.get(id);
    return nonce === undefined
      ? { idempotent: true }
      : { idempotent: true, headers: { "fly-machine-lease-nonce": nonce } };
  }
}
