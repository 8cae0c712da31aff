import type { Answer } from "../platform/http";
import { bringUp, commandEnded, enqueue, record, removeMachine, replaceMachine, stopMachine } from "./lifecycle";
import { grantLease, requireLease } from "./leases";
import { viewMachine } from "./machineView";
import type { Handler, Request } from "./operation";
import { authenticateOrg } from "./operation";
import type { App, Machine, MachineConfig } from "./state";
import { admit, attach, takePlace } from "./admission";
import { appOf, changed, durationMs, machineId, machineOf, machinesOf, nextNumber, refuse, ulid } from "./world";
import type { World } from "./world";

interface MachineInput {
  readonly name?: string;
  readonly region?: string;
  readonly config: MachineConfig;
  readonly skip_launch?: boolean;
  readonly skip_service_registration?: boolean;
  readonly skip_secrets?: boolean;
  readonly min_secrets_version?: number;
  readonly lease_ttl?: number;
  readonly current_version?: string;
}

const target = ({ world, token, values }: Request): { app: App; machine: Machine } => {
  const app = appOf(world, token, values["app_name"]!);
  return { app, machine: machineOf(world, app, values["machine_id"]!) };
};

/** The machine that a call is to change, whose lease nobody else holds. */
const held = (request: Request): { app: App; machine: Machine } => {
  const both = target(request);
  requireLease(request.world, both.machine, request.nonce);
  if (both.machine.state === "destroyed") throw refuse(404, `machine not found, id: ${both.machine.id}`);
  return both;
};

const ok: Answer = { status: 200, body: { ok: true } };

export const createMachine: Handler = async ({ world, token, values, body }) => {
  const app = appOf(world, token, values["app_name"]!);
  const input = body as MachineInput;
  const region = takePlace(world, input.region, input.config, app.name);
  const digest = await admit(world, app, input.config, { region, minSecrets: input.min_secrets_version });
  const now = world.clock.now();
  const number = nextNumber(world);
  const machine: Machine = {
    id: machineId(),
    app: app.name,
    name: input.name ?? `quiet-water-${number}`,
    region,
    createdAt: now,
    visibleAt: now + world.timings.machineVisible,
    index: number,
    state: "created",
    instanceId: ulid(now),
    config: input.config,
    digest,
    updatedAt: now,
    cordoned: input.skip_service_registration === true,
    secretsVersion: app.secretsVersion,
    skipSecrets: input.skip_secrets === true,
    restarts: 0,
    isUp: false,
    isSick: false,
    stopRequested: false,
    checks: [],
    events: [],
    versions: [],
    hostStatus: "ok",
  };
  if (machinesOf(world, app.name).some((other) => other.name === machine.name))
    throw refuse(422, `machine name ${machine.name} is already taken in this app`);
  attach(world, machine);
  world.state.regions.find((one) => one.code === region)!.capacity -= 1;
  machine.versions.unshift({ version: machine.instanceId, config: machine.config });
  record(world, machine, { type: "launch", status: "created", source: "user" });
  world.state.machines[machine.id] = machine;
  const lease = input.lease_ttl === undefined ? undefined : grantLease(world, machine, input.lease_ttl);
  changed(world, machine);
  void enqueue(world, machine, async () => {
    await world.clock.sleep(world.timings.create);
    if (machine.state !== "created") return;
    if (input.skip_launch !== true) return bringUp(world, machine);
    machine.state = "stopped";
    changed(world, machine);
  });
  return {
    status: 200,
    body: { ...viewMachine(world, machine), ...(lease === undefined ? {} : { nonce: lease.nonce }) },
  };
};

export const updateMachine: Handler = async (request) => {
  const { world, body } = request;
  const { app, machine } = held(request);
  const input = body as MachineInput;
  if (input.current_version !== undefined && input.current_version !== machine.instanceId)
    throw refuse(412, `failed_precondition: current_version ${input.current_version} isn't the machine's latest`);
  if (input.region !== undefined && input.region !== machine.region)
    throw refuse(400, "invalid_argument: a machine's region can't be changed");
  if (input.name !== undefined && input.name !== machine.name)
    throw refuse(400, "invalid_argument: a machine's name can't be changed");
  if (["destroying", "replacing"].includes(machine.state))
    throw refuse(412, `failed_precondition: unable to update machine from current state: '${machine.state}'`);
  const { config } = input;
  const digest = await admit(world, app, config, {
    region: machine.region,
    minSecrets: input.min_secrets_version,
    machine,
  });
  machine.secretsVersion = app.secretsVersion;
  machine.skipSecrets = input.skip_secrets === true;
  if (input.skip_service_registration !== undefined) machine.cordoned = input.skip_service_registration;
  if (input.lease_ttl !== undefined) grantLease(world, machine, input.lease_ttl);
  replaceMachine(world, machine, digest, config, input.skip_launch !== true);
  return { status: 200, body: viewMachine(world, machine) };
};

export const getMachine: Handler = (request) => {
  const { machine } = target(request);
  return { status: 200, body: viewMachine(request.world, machine, request.query.get("include_leases") === "true") };
};

function filtered(world: World, machines: Machine[], query: URLSearchParams): Machine[] {
  const states = query.get("state")?.split(",");
  const region = query.get("region");
  const metadata = [...query].filter(([name]) => name.startsWith("metadata."));
  return machines.filter(
    (machine) =>
      world.clock.now() >= machine.visibleAt &&
      (states === undefined || states.includes(machine.state)) &&
      (region === null || region === machine.region) &&
      metadata.every(([name, value]) => machine.config.metadata?.[name.slice("metadata.".length)] === value),
  );
}

export const listMachines: Handler = ({ world, token, values, query }) => {
  const app = appOf(world, token, values["app_name"]!);
  const all = machinesOf(world, app.name, query.get("include_deleted") === "true");
  const isWithLeases = query.get("include_leases") === "true";
  return { status: 200, body: filtered(world, all, query).map((machine) => viewMachine(world, machine, isWithLeases)) };
};

export const listOrgMachines: Handler = ({ world, token, values, query }) => {
  const slug = authenticateOrg(world, token, values["org_slug"]);
  const apps = Object.values(world.state.apps).filter((app) => app.org === slug);
  const all = apps.flatMap((app) => machinesOf(world, app.name, query.get("include_deleted") === "true"));
  const machines = filtered(world, all, query).map((machine) => ({
    ...viewMachine(world, machine),
    app_name: machine.app,
  }));
  return { status: 200, body: { machines, next_cursor: "", last_updated: "" } };
};

export const startMachine: Handler = (request) => {
  const { world } = request;
  const { machine } = held(request);
  const previous = machine.state;
  if (previous === "started" || previous === "starting")
    return { status: 200, body: { previous_state: previous, migrated: false, new_host: "" } };
  if (!["stopped", "suspended", "failed"].includes(previous))
    throw refuse(412, `failed_precondition: unable to start machine from current state: '${previous}'`);
  void enqueue(world, machine, () => bringUp(world, machine));
  return { status: 200, body: { previous_state: previous, migrated: false, new_host: "" } };
};

export const stopMachineNow: Handler = (request) => {
  const { world } = request;
  const { machine } = held(request);
  const { signal, timeout } = (request.body ?? {}) as { signal?: string; timeout?: string | number };
  machine.stopRequested = true;
  void enqueue(world, machine, () =>
    stopMachine(world, machine, {
      ...(signal === undefined ? {} : { signal }),
      ...(timeout === undefined ? {} : { timeoutMs: durationMs(timeout, 5_000) }),
    }),
  );
  return ok;
};

export const suspendMachine: Handler = (request) => {
  const { machine } = held(request);
  void enqueue(request.world, machine, () => stopMachine(request.world, machine, { state: "suspending" }));
  return ok;
};

export const restartMachine: Handler = (request) => {
  const { world, query } = request;
  const { machine } = held(request);
  const timeout = query.get("timeout");
  const isForced = query.get("force_stop") === "true";
  void enqueue(world, machine, async () => {
    await stopMachine(world, machine, {
      ...(isForced ? { signal: "SIGKILL" } : {}),
      ...(timeout === null ? {} : { timeoutMs: durationMs(timeout, 5_000) }),
    });
    await bringUp(world, machine);
  });
  return ok;
};

export const signalMachine: Handler = async (request) => {
  const { machine } = held(request);
  const { signal } = request.body as { signal: string | number };
  await request.world.runtime.signal(machine.id, String(signal));
  return ok;
};

export const destroyMachine: Handler = (request) => {
  const { world, query } = request;
  const { machine } = held(request);
  const isForced = query.get("force") === "true" || query.get("kill") === "true";
  if (!isForced && !["stopped", "suspended", "failed", "created"].includes(machine.state))
    throw refuse(412, "failed_precondition: unable to destroy machine, not currently stopped or suspended");
  void removeMachine(world, machine);
  return ok;
};

const cordoning =
  (isCordoned: boolean): Handler =>
  (request) => {
    const { machine } = held(request);
    machine.cordoned = isCordoned;
    changed(request.world, machine);
    return ok;
  };
export const cordonMachine = cordoning(true);
export const uncordonMachine = cordoning(false);

const execPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export const execMachine: Handler = async (request) => {
  const { machine } = target(request);
  const input = request.body as { command?: string[]; cmd?: string; stdin?: string; timeout?: number };
  if (!machine.isUp) throw refuse(412, `failed_precondition: machine not running, state: ${machine.state}`);
  const command = input.command ?? ["/bin/sh", "-c", input.cmd ?? ""];
  // Fly promises such a command neither the program's variables nor its folder.
  const bare = ["/usr/bin/env", "-i", `PATH=${execPath}`, "HOME=/root", ...command];
  const done = await request.world.runtime.exec(machine.id, bare, input.stdin ?? "", (input.timeout ?? 60) * 1000);
  return { status: 200, body: { exit_code: done.code, exit_signal: 0, stdout: done.stdout, stderr: done.stderr } };
};

export const listEvents: Handler = (request) => {
  const limit = Math.min(50, Number(request.query.get("limit") ?? 20));
  return { status: 200, body: target(request).machine.events.slice(0, limit) };
};

export const listVersions: Handler = (request) => ({
  status: 200,
  body: target(request).machine.versions.map(({ version, config }) => ({ version, user_config: config })),
});

export const listProcesses: Handler = (request) => {
  const { machine } = target(request);
  return { status: 200, body: machine.isUp ? [{ pid: 1, command: machine.config.image, cpu: 0, rss: 0 }] : [] };
};

/** Acts on what the runtime tells of containers. */
export function followRuntime(world: World): void {
  world.runtime.watch({
    exited: (id, exit) => {
      const machine = world.state.machines[id];
      if (machine !== undefined) commandEnded(world, machine, exit);
    },
    logged: (id, line) => {
      const machine = world.state.machines[id];
      if (machine !== undefined) world.logs.add(machine, line);
    },
  });
}
