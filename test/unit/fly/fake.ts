import { randomBytes } from "node:crypto";
import type { World } from "../../../drivers/http";
import type { Machine, MachineConfig, Volume } from "../../../targets/fly/api/types";

/** What happens to a call: nothing, or one of the ways in which calls go wrong. */
export type Fault = "none" | "429" | "500" | "lost before" | "lost after" | "crash before" | "crash after";

interface FakeMachine {
  id: string;
  config: MachineConfig;
  region: string;
  instance_id: string;
  created: number;
  /** When this configuration was given, and the program started with it; undefined while it is stopped. */
  since: number | undefined;
  stopped: boolean;
  cordoned: boolean;
  lease?: { nonce: string; until: number };
  versions: { version: string; user_config: MachineConfig }[];
}
interface FakeRelease {
  id: string;
  app: string;
  version: number;
  status: string;
  image_ref: string;
  definition: unknown;
  metadata: unknown;
}
interface FakeApp {
  machines: FakeMachine[];
  volumes: (Volume & { attached_machine_id: string | null })[];
  secrets: Map<string, string>;
  version: number;
  ips: { ip: string; shared?: boolean; created_at?: string }[];
  certificates: string[];
  org: string;
  created: number;
  /** When volumes, addresses and certificates come to be listed, and when volumes are let go, by what they are called. */
  listed: Map<string, number>;
  detached: Map<string, number>;
}

/** As Fly answers it: `autostop` was given as text, and nothing was null. */
function told(config: MachineConfig): MachineConfig {
  const copy = structuredClone(config);
  for (const service of copy.services ?? [])
    Object.assign(service, { autostop: service.autostop === "stop", force_instance_key: null });
  return copy;
}

/** A refusal, as Fly words it. */
class Refused extends Error {
  constructor(
    readonly status: number,
    readonly body: unknown,
  ) {
    super("refused");
  }
}

/**
 * A small Fly.io in memory, with a clock that runs only while somebody waits. Images say how they behave: `bad` never gets
 * healthy, `crash` ends at once, `badrelease` fails its release command; `noroom` has no room.
 */
export class FakeFly {
  time = 1_800_000_000_000;
  readonly apps = new Map<string, FakeApp>();
  readonly log: string[] = [];
  /** What the calls of the log were sent with. */
  readonly sent: { readonly line: string; readonly body: unknown }[] = [];
  readonly clusters: { id: string; name: string; status: string; endpoints: unknown; extensions: string[] }[] = [];
  /** The newest first. */
  readonly releases: FakeRelease[] = [];
  readonly abort: AbortController[] = [];
  /** By the number of the call, from 0, and its path. */
  fault: (call: number, path: string) => Fault = () => "none";
  calls = 0;
  retryAfter: string | undefined;
  /** Called after each change, to look at what holds at every moment. */
  onChange: () => void = () => undefined;
  foreign = new Set<string>();
  /** Calls that changed a machine of which nobody held the lease. */
  readonly unleased: string[] = [];
  /** Milliseconds until a new app is known: half of them nobody has heard of it, then its owner's token isn't taken there. */
  appKnownMs = 0;
  /** Milliseconds until a list tells of a volume, an address or a certificate that was made. */
  listedMs = 0;
  /** Milliseconds that a volume stays with a machine that is gone. */
  detachMs = 0;
  /** What Fly answers in the place of what it would, by the call, as `GET /apps/x/volumes`. */
  instead: (call: string) => { readonly status: number; readonly body: unknown } | undefined = () => undefined;
  /** Milliseconds from a program's start to its health. */
  startMs = 2000;
  /** How many more machines each region has room for. */
  readonly rooms = new Map([
    ["fra", 50],
    ["ams", 50],
    ["lhr", 1],
  ]);
  /** Images that a machine's host has no room for, though others have. */
  readonly crowded = new Set<string>();
  /** Images that don't get healthy any more. */
  readonly spoiled = new Set<string>();
  token = "fm2_testtokentesttoken";
  nonce = (): string => randomBytes(4).toString("hex");
  private ids = 0;

  get world(): World {
    return {
      now: () => this.time,
      sleep: (ms, signal) => {
        signal?.throwIfAborted();
        this.time += ms;
        return Promise.resolve();
      },
      random: () => 0.5,
      fetch: (url, init) => this.answer(new URL(url), init),
    };
  }

  /** Takes over what another one has, and its clock. */
  copyOf(other: FakeFly): void {
    for (const [name, app] of other.apps) this.apps.set(name, structuredClone(app));
    this.releases.push(...structuredClone(other.releases));
    this.time = other.time;
    this.ids = other.ids;
  }

  /** Calls that change something, as `POST /apps/x/machines`. */
  changing(): string[] {
    return this.log.filter((line) => !line.startsWith("GET ") && !line.endsWith("/placements"));
  }

  serving(app: string, group: string): FakeMachine[] {
    return (this.apps.get(app)?.machines ?? []).filter(
      (machine) => machine.config.metadata?.fly_process_group === group && !machine.cordoned && this.healthy(machine),
    );
  }

  private healthy(machine: FakeMachine): boolean {
    const { image } = machine.config;
    if (this.spoiled.has(image)) return false;
    return (
      this.state(machine) === "started" && !image.includes("bad") && this.time - (machine.since ?? 0) >= this.startMs
    );
  }

  private async answer(url: URL, init: RequestInit): Promise<Response> {
    const call = this.calls++;
    const fault = this.fault(call, url.pathname);
    const signal = init.signal ?? undefined;
    const path = url.pathname.replace(/^\/v1/, "");
    this.time += 20;
    if (fault === "crash before") this.crash();
    signal?.throwIfAborted();
    if (fault === "lost before") throw new TypeError("fetch failed");
    if (fault === "500") return this.respond(500, { error: "internal" });
    if (fault === "429") {
      const headers = this.retryAfter === undefined ? {} : { "retry-after": this.retryAfter };
      return this.respond(429, { error: "rate limit exceeded" }, headers);
    }
    this.log.push(`${String(init.method)} ${path}`);
    let response: Response;
    try {
      const authorization = new Headers(init.headers).get("authorization") ?? "";
      if (authorization !== `FlyV1 ${this.token}`) throw new Refused(401, { error: "invalid token" });
      const body =
        init.body === undefined || init.body === null ? undefined : (JSON.parse(init.body as string) as unknown);
      this.sent.push({ line: `${String(init.method)} ${path}${url.search}`, body });
      const instead = this.instead(`${String(init.method)} ${path}`);
      if (instead !== undefined) throw new Refused(instead.status, instead.body);
      const nonce = new Headers(init.headers).get("fly-machine-lease-nonce") ?? undefined;
      const [status, answer] = this.act(String(init.method), path.split("/").slice(1), url, body, nonce);
      response = this.respond(status, answer);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      response = this.respond(error.status, error.body);
    }
    this.onChange();
    if (fault === "crash after") this.crash();
    signal?.throwIfAborted();
    if (fault === "lost after") throw new TypeError("fetch failed");
    return await Promise.resolve(response);
  }

  private crash(): void {
    this.abort.at(-1)?.abort(new Error("killed"));
  }

  private respond(status: number, body: unknown, headers: Record<string, string> = {}): Response {
    const text = body === undefined || status === 204 ? null : JSON.stringify(body);
    return new Response(text, { status, headers: { "fly-request-id": `01FAKE${this.calls}`, ...headers } });
  }

  private act(method: string, parts: string[], url: URL, body: unknown, nonce: string | undefined): [number, unknown] {
    const [kind, name = "", part, id = "", action, key] = parts;
    const call = `${method} ${[kind, "", part, id === "" ? "" : "x", action].join("/").replace(/\/+$/, "")}`;
    if (kind === "api" && parts.includes("releases")) return this.releaseCall(method, parts, body);
    if (kind === "api")
      return [200, { data: [{ attributes: { message: `last words of ${url.searchParams.get("instance") ?? ""}` } }] }];
    if (kind === "postgres") return this.postgresCall(method, parts, body);
    if (kind === "platform") {
      return [200, { regions: [...this.rooms].map(([region, count]) => ({ region, count })) }];
    }
    if (call === "POST apps") return this.createApp(body as { name: string; org_slug: string });
    if (call === "GET apps" && name === "") return [200, { total_apps: this.apps.size, apps: [] }];
    if (this.foreign.has(name)) throw new Refused(403, { error: "unauthorized" });
    const app = this.apps.get(name);
    if (app === undefined) throw new Refused(404, { error: "app not found" });
    for (const volume of app.volumes) {
      if (this.time >= (app.detached.get(volume.id) ?? Infinity)) {
        volume.attached_machine_id = null;
        app.detached.delete(volume.id);
      }
    }
    const isListed = (what: string): boolean => this.time >= (app.listed.get(what) ?? 0);
    const age = this.time - app.created;
    if (age < this.appKnownMs / 2) throw new Refused(404, { error: "app not found" });
    if (age < this.appKnownMs) throw new Refused(401, { error: "unauthorized" });
    if (part === undefined) {
      if (method === "DELETE") this.apps.delete(name);
      return [200, { id: name, name, organization: { slug: app.org } }];
    }
    if (part === "machines" && id !== "") return this.machineCall(app, method, id, action, key, body, nonce);
    switch (`${method} ${part}${id === "" ? "" : " id"}${action === undefined ? "" : ` ${action}`}`) {
      case "GET machines": {
        const wanted = [...url.searchParams].flatMap(([k, v]) => (k.startsWith("metadata.") ? [[k.slice(9), v]] : []));
        const all = app.machines.filter(({ config }) => wanted.every(([k = "", v]) => config.metadata?.[k] === v));
        return [200, all.map((machine) => this.show(machine))];
      }
      case "POST machines":
        return [200, this.createMachine(app, body as Parameters<FakeFly["createMachine"]>[1])];
      case "GET volumes":
        return [200, app.volumes.filter((volume) => isListed(volume.id)).map((volume) => ({ ...volume }))];
      case "GET volumes id":
      case "DELETE volumes id": {
        const volume = app.volumes.find((one) => one.id === id);
        if (volume === undefined) throw new Refused(404, { error: "volume not found" });
        if (method === "GET") return [200, { ...volume }];
        if (volume.attached_machine_id !== null) throw new Refused(412, { error: "volume is attached" });
        app.volumes = app.volumes.filter((one) => one !== volume);
        return [200, volume];
      }
      case "POST volumes": {
        const {
          name: volumeName,
          region,
          size_gb,
          compute,
          snapshot_retention,
          auto_backup_enabled,
        } = body as {
          name: string;
          region: string;
          size_gb: number;
          compute?: unknown;
          snapshot_retention: number;
          auto_backup_enabled: boolean;
        };
        if (compute === undefined || !/^[a-z0-9_]{1,30}$/.test(volumeName))
          throw new Refused(422, { error: "bad volume" });
        const volume = {
          id: `vol_${++this.ids}`,
          name: volumeName,
          state: "created",
          size_gb,
          region,
          attached_machine_id: null,
          created_at: new Date(this.time).toISOString(),
          snapshot_retention,
          auto_backup_enabled,
        };
        app.volumes.push(volume);
        app.listed.set(volume.id, this.time + this.listedMs);
        return [200, volume];
      }
      case "PUT volumes id extend": {
        const volume = app.volumes.find((one) => one.id === id);
        const { size_gb } = body as { size_gb: number };
        if (volume === undefined || size_gb < volume.size_gb) throw new Refused(422, { error: "can't shrink" });
        Object.assign(volume, { size_gb });
        return [200, { volume, needs_restart: true }];
      }
      case "PUT volumes id": {
        const volume = app.volumes.find((one) => one.id === id);
        Object.assign(volume ?? {}, body);
        return [200, volume];
      }
      case "GET secrets":
        return [200, { secrets: [...app.secrets.keys()].map((one) => ({ name: one, digest: "d" })) }];
      case "POST secrets": {
        for (const [secret, value] of Object.entries((body as { values: Record<string, string | null> }).values)) {
          if (value === null) app.secrets.delete(secret);
          else app.secrets.set(secret, value);
        }
        return [200, { version: ++app.version }];
      }
      case "POST deploy_token":
        return [200, { token: `fm2_token-of-${name}` }];
      case "GET ip_assignments":
        return [200, { ips: app.ips.filter(({ ip }) => isListed(ip)) }];
      case "POST ip_assignments": {
        const { type } = body as { type: string };
        const v6 = type === "private_v6" ? `fdaa:0:1::${++this.ids}` : `2a09:8280:1::${++this.ids}`;
        const ip = type.endsWith("v6") ? { ip: v6 } : { ip: `66.241.0.${++this.ids}`, shared: type === "shared_v4" };
        app.ips.push({ ...ip, created_at: new Date(this.time).toISOString() });
        app.listed.set(ip.ip, this.time + this.listedMs);
        return [200, ip];
      }
      case "DELETE ip_assignments id":
        app.ips = app.ips.filter(({ ip }) => ip !== id);
        return [204, undefined];
      case "GET certificates id":
        if (!app.certificates.includes(id)) throw new Refused(404, { error: "not found" });
        return [200, { hostname: id, configured: false }];
      case "GET certificates":
        return [200, { certificates: app.certificates.filter(isListed).map((hostname) => ({ hostname })) }];
      case "DELETE certificates id":
        app.certificates = app.certificates.filter((hostname) => hostname !== id);
        return [204, undefined];
      case "POST certificates id": {
        const { hostname } = body as { hostname: string };
        if (app.certificates.includes(hostname)) throw new Refused(422, { error: "exists" });
        app.certificates.push(hostname);
        app.listed.set(hostname, this.time + this.listedMs);
        return [201, { hostname, configured: false, dns_requirements: { a: ["66.241.0.1"], aaaa: ["2a09::1"] } }];
      }
      default:
        throw new Error(`The fake has no ${method} /${parts.join("/")}`);
    }
  }

  private releaseCall(method: string, parts: readonly string[], body: unknown): [number, unknown] {
    if (method === "GET") return [200, { releases: this.releases.filter(({ app }) => app === parts[3]) }];
    if (method === "PATCH") {
      const release = this.releases.find(({ id }) => id === parts[3]);
      return [200, Object.assign(release ?? {}, body)];
    }
    const { app_name: app, image, definition } = body as { app_name: string; image: string; definition: unknown };
    const version = this.releases.filter((one) => one.app === app).length + 1;
    const id = `rel_${this.releases.length + 1}`;
    this.releases.unshift({ id, app, version, status: "pending", image_ref: image, definition, metadata: null });
    return [201, { release: this.releases[0] }];
  }

  /** A cluster is ready as soon as it is there. */
  private postgresCall(method: string, parts: readonly string[], body: unknown): [number, unknown] {
    const [, id, part, , extensions] = parts;
    const cluster = this.clusters.find((one) => one.id === id);
    if (id === undefined && method === "GET") return [200, { data: this.clusters }];
    if (id === undefined) {
      const direct = { host: `direct.${String(this.clusters.length + 1)}.flympg.net`, port: 5432 };
      const { name } = body as { name: string };
      const endpoints = { primary: { direct } };
      const made = { id: `pg${this.clusters.length + 1}`, name, status: "ready", endpoints, extensions: [] };
      this.clusters.push(made);
      return [201, { data: made }];
    }
    if (cluster === undefined) throw new Refused(404, { error: "cluster not found" });
    if (part === "users") return [200, { data: { username: "fly-user", password: "pass-of-cluster" } }];
    if (extensions === undefined) return [200, { data: cluster }];
    if (method === "POST") cluster.extensions.push((body as { name: string }).name);
    return [200, { data: cluster.extensions.map((name) => ({ name })) }];
  }

  private createApp({ name, org_slug }: { name: string; org_slug: string }): [number, unknown] {
    if (this.apps.has(name) || this.foreign.has(name)) throw new Refused(422, { error: "taken", status: "name_taken" });
    this.addApp(name, org_slug);
    return [201, { id: name }];
  }

  addApp(name: string, org: string): FakeApp {
    const nothing = { machines: [], volumes: [], ips: [], certificates: [] };
    const maps = { secrets: new Map<string, string>(), listed: new Map(), detached: new Map() };
    const app: FakeApp = { ...nothing, ...maps, version: 0, org, created: this.time };
    this.apps.set(name, app);
    return app;
  }

  private createMachine(
    app: FakeApp,
    body: { config: MachineConfig; region: string; skip_service_registration?: boolean; min_secrets_version?: number },
  ): unknown {
    if (body.config.image.includes("noroom"))
      throw new Refused(422, { error: "no room", status: "insufficient_capacity" });
    this.checkSecrets(app, body.min_secrets_version);
    const id = `m${String(++this.ids).padStart(4, "0")}`;
    for (const mount of body.config.mounts ?? []) {
      const volume = app.volumes.find((one) => one.id === mount.volume);
      if (volume?.region !== body.region) throw new Refused(422, { error: "wrong region" });
      if (volume.attached_machine_id !== null) throw new Refused(412, { error: "volume is attached" });
      volume.attached_machine_id = id;
    }
    const instance_id = `01V${++this.ids}`;
    const machine: FakeMachine = {
      id,
      config: structuredClone(body.config),
      region: body.region,
      instance_id,
      created: this.time,
      since: this.time + 500,
      stopped: false,
      cordoned: body.skip_service_registration ?? false,
      versions: [{ version: instance_id, user_config: structuredClone(body.config) }],
    };
    app.machines.push(machine);
    return this.show(machine);
  }

  private checkSecrets(app: FakeApp, version: number | undefined): void {
    if (version !== undefined && version > app.version) throw new Refused(412, { error: "secrets version" });
  }

  private machineCall(
    app: FakeApp,
    method: string,
    id: string,
    action: string | undefined,
    key: string | undefined,
    body: unknown,
    nonce: string | undefined,
  ): [number, unknown] {
    const machine = app.machines.find((one) => one.id === id);
    if (machine === undefined) throw new Refused(404, { error: "machine not found" });
    if (method === "GET" && action === undefined) return [200, this.show(machine)];
    if (method === "GET" && action === "versions") return [200, [...machine.versions].reverse()];
    const lease = machine.lease !== undefined && machine.lease.until > this.time ? machine.lease : undefined;
    if (lease !== undefined && lease.nonce !== nonce) {
      throw new Refused(409, { status: "error", message: `machine ID ${id} lease currently held by somebody` });
    }
    if (lease === undefined && action !== "lease") this.unleased.push(`${method} ${action ?? ""} ${id}`);
    switch (`${method} ${action ?? ""}`.trim()) {
      case "POST lease":
        machine.lease = {
          nonce: lease?.nonce ?? this.nonce(),
          until: this.time + (body as { ttl: number }).ttl * 1000,
        };
        return [200, { status: "success", data: { nonce: machine.lease.nonce } }];
      case "DELETE lease":
        delete machine.lease;
        return [200, {}];
      case "POST": {
        const update = body as {
          config: MachineConfig;
          skip_launch?: boolean;
          skip_service_registration?: boolean;
          min_secrets_version?: number;
        };
        this.checkSecrets(app, update.min_secrets_version);
        if (this.crowded.has(update.config.image)) {
          throw new Refused(412, { error: "could not reserve resource for machine: insufficient memory available" });
        }
        if (/"autostop":(true|false)|:null/.test(JSON.stringify(update.config))) {
          throw new Refused(400, { error: "a field has the wrong type" });
        }
        const before = JSON.stringify(machine.config.mounts ?? []);
        if (JSON.stringify(update.config.mounts ?? []) !== before)
          throw new Refused(422, { error: "mounts can't change" });
        machine.config = structuredClone(update.config);
        machine.instance_id = `01V${++this.ids}`;
        machine.versions.push({ version: machine.instance_id, user_config: structuredClone(update.config) });
        machine.cordoned ||= update.skip_service_registration ?? false;
        if (update.skip_launch !== true) Object.assign(machine, { since: this.time + 500, stopped: false });
        return [200, this.show(machine)];
      }
      case "POST start":
        if (machine.stopped) Object.assign(machine, { since: this.time + 500, stopped: false });
        return [200, {}];
      case "POST stop":
        machine.stopped = true;
        return [200, {}];
      case "POST cordon":
      case "POST uncordon":
        machine.cordoned = action === "cordon";
        return [200, {}];
      case "POST metadata":
        machine.config = {
          ...machine.config,
          metadata: { ...machine.config.metadata, [key ?? ""]: (body as { value: string }).value },
        };
        return [204, undefined];
      case "DELETE": {
        app.machines = app.machines.filter((one) => one !== machine);
        for (const volume of app.volumes) {
          if (volume.attached_machine_id !== id) continue;
          if (this.detachMs === 0) volume.attached_machine_id = null;
          else app.detached.set(volume.id, this.time + this.detachMs);
        }
        return [200, {}];
      }
      default:
        throw new Error(`The fake has no ${method} ${action ?? ""}`);
    }
  }

  private state(machine: FakeMachine): string {
    if (machine.stopped) return "stopped";
    if (machine.since === undefined || this.time < machine.since) return "starting";
    const ends = machine.config.image.includes("crash") || machine.config.metadata?.homeport_role === "release";
    return ends && this.time - machine.since > 1000 ? "stopped" : "started";
  }

  private show(machine: FakeMachine): Machine {
    const state = this.state(machine);
    const release = machine.config.metadata?.homeport_role === "release";
    const code = machine.config.image.includes("badrelease") || !release ? 1 : 0;
    const ended = state === "stopped" && !machine.stopped;
    return {
      id: machine.id,
      state,
      region: machine.region,
      instance_id: machine.instance_id,
      config: told(machine.config),
      created_at: new Date(machine.created).toISOString(),
      cordoned: machine.cordoned,
      host_status: "ok",
      checks: (machine.config.services ?? []).flatMap(({ checks }) =>
        checks.map((_, index) => ({
          name: `servicecheck-0${index}-http-8080`,
          status: this.healthy(machine) ? "passing" : "critical",
          output: "connect: connection refused",
        })),
      ),
      events: ended
        ? [{ type: "exit", status: "stopped", timestamp: this.time, request: { exit_event: { exit_code: code } } }]
        : [],
    };
  }
}
