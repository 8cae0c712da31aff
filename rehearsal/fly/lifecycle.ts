import type { Container, Exit } from "../platform/runtime";
import type { App, Machine, MachineConfig, MachineEvent } from "./state";
import { changed, durationMs, ulid } from "./world";
import type { World } from "./world";

/** Writes an event of a machine. The newest 50 stay, newest first, as the API shows them. */
export function record(
  world: World,
  machine: Machine,
  event: { type: string; status: string; source?: MachineEvent["source"]; request?: unknown },
): void {
  const { type, status, source = "flyd", request } = event;
  const made = { id: ulid(world.clock.now()), type, status, source, timestamp: world.clock.now() };
  machine.events = [{ ...made, ...(request === undefined ? {} : { request }) }, ...machine.events].slice(0, 50);
}

function enter(world: World, machine: Machine, state: string): void {
  machine.state = state;
  machine.updatedAt = world.clock.now();
  changed(world, machine);
}

/** How faults name a machine: `app/id/process group/region`. */
export function subjectOf(machine: Machine): string {
  const group = machine.config.metadata?.["fly_process_group"] ?? "";
  return `${machine.app}/${machine.id}/${group}/${machine.region}`;
}

/** Does something with a machine once all that was asked of it before is done. */
export function enqueue(world: World, machine: Machine, task: () => Promise<void>): Promise<void> {
  const before = world.tasks.get(machine.id) ?? Promise.resolve();
  const done = before.then(task).catch((error: unknown) => {
    world.logs.add(machine, `the emulator failed: ${String(error)}`, "error");
  });
  world.tasks.set(machine.id, done);
  void done.then(() => {
    if (world.tasks.get(machine.id) === done) world.tasks.delete(machine.id);
  });
  return done;
}

/** The ports by which the platform reaches into a machine: its services' and its checks'. */
export function portsOf(config: MachineConfig): number[] {
  const services = (config.services ?? []).flatMap((service) => [
    service.internal_port,
    ...(service.checks ?? []).map((check) => check.port),
  ]);
  const checks = Object.values(config.checks ?? {}).map((check) => check.port);
  return [...new Set([...services, ...checks])].filter((port) => port !== undefined);
}

function secretsOf(app: App, machine: Machine): Record<string, string> {
  if (machine.skipSecrets) return {};
  return Object.fromEntries(Object.entries(app.secrets).map(([name, secret]) => [name, secret.value]));
}

/** What a machine's container is made from. https://fly.io/docs/machines/runtime-environment/ names the variables. */
export function containerOf(world: World, app: App, machine: Machine): Container {
  const { config } = machine;
  const secrets = secretsOf(app, machine);
  const privateAddress = world.runtime.privateAddress(machine.index);
  const { init, files = [], mounts = [], guest, metadata } = config;
  const command = init?.exec ?? init?.cmd ?? config.processes?.[0]?.cmd;
  const entrypoint = init?.exec === undefined ? init?.entrypoint : [];
  return {
    id: machine.id,
    image: config.image,
    env: {
      ...config.env,
      // A secret wins over a variable of the same name: https://fly.io/docs/reference/configuration/#the-env-variables-section
      ...secrets,
      FLY_APP_NAME: app.name,
      FLY_MACHINE_ID: machine.id,
      FLY_ALLOC_ID: machine.id,
      FLY_MACHINE_VERSION: machine.instanceId,
      FLY_REGION: machine.region,
      FLY_IMAGE_REF: config.image,
      FLY_PRIVATE_IP: privateAddress,
      FLY_VM_MEMORY_MB: String(guest?.memory_mb ?? 256),
      ...(metadata?.["fly_process_group"] === undefined ? {} : { FLY_PROCESS_GROUP: metadata["fly_process_group"] }),
    },
    ...(entrypoint === undefined ? {} : { entrypoint }),
    ...(command === undefined ? {} : { command }),
    volumes: mounts.flatMap(({ volume, path }) =>
      volume === undefined || path === undefined ? [] : [{ name: volume, path }],
    ),
    files: files.map((file) => ({
      path: file.guest_path,
      content: Buffer.from(file.raw_value ?? secrets[file.secret_name ?? ""] ?? "", "base64"),
      ...(file.mode === undefined ? {} : { mode: file.mode }),
    })),
    ports: portsOf(config),
    privateAddress,
    hostname: machine.id,
  };
}

/** Starts a machine's command. It ends as started or, where that fails, as failed. */
export async function bringUp(world: World, machine: Machine, source: MachineEvent["source"] = "user"): Promise<void> {
  const app = world.state.apps[machine.app];
  if (app === undefined || machine.isUp) return;
  record(world, machine, { type: "start", status: "starting", source });
  machine.stopRequested = false;
  machine.checks = [];
  enter(world, machine, "starting");
  await world.clock.sleep(world.timings.start);
  machine.isSick = world.faults.happens("unhealthy", subjectOf(machine));
  try {
    if (world.faults.happens("startFailure", subjectOf(machine))) throw new Error("failed to launch VM");
    // Set first: a command may end before its start is reported.
    machine.isUp = true;
    await world.runtime.start(containerOf(world, app, machine));
  } catch (error) {
    machine.isUp = false;
    const reason = error instanceof Error ? error.message : String(error);
    world.logs.add(machine, `failed to start: ${reason}`, "error");
    record(world, machine, { type: "launch", status: "failed", request: { error: reason } });
    enter(world, machine, "failed");
    return;
  }
  record(world, machine, { type: "start", status: "started", source: "flyd" });
  // One that has already ended goes through `started` too, as its events show.
  enter(world, machine, "started");
}

/** Stops a machine's command in the way its configuration or the call says. It ends as stopped. */
export async function takeDown(
  world: World,
  machine: Machine,
  how: { signal?: string; timeoutMs?: number; state?: string; source?: MachineEvent["source"] } = {},
): Promise<void> {
  machine.stopRequested = true;
  if (!machine.isUp) return;
  const { stop_config: standard } = machine.config;
  record(world, machine, { type: "stop", status: "stopping", source: how.source ?? "user" });
  enter(world, machine, how.state ?? "stopping");
  await world.runtime.stop(machine.id, {
    // SIGINT and 5 seconds: https://fly.io/docs/reference/configuration/#runtime-options
    signal: how.signal ?? standard?.signal ?? "SIGINT",
    timeoutMs: how.timeoutMs ?? durationMs(standard?.timeout, 5_000),
  });
  machine.isUp = false;
}

/** Stops a machine and leaves it stopped. */
export async function stopMachine(
  world: World,
  machine: Machine,
  how: Parameters<typeof takeDown>[2] = {},
): Promise<void> {
  await takeDown(world, machine, how);
  if (machine.state === "destroyed") return;
  record(world, machine, { type: "stop", status: "stopped" });
  enter(world, machine, how.state === "suspending" ? "suspended" : "stopped");
}

/** Ends a machine for good. Its volume stays. */
export function removeMachine(world: World, machine: Machine): Promise<void> {
  // At once, so that the proxy and lists know.
  enter(world, machine, "destroying");
  return enqueue(world, machine, async () => {
    if (machine.state === "destroyed") return;
    await takeDown(world, machine, { state: "destroying" });
    await world.clock.sleep(world.timings.destroy);
    await world.runtime.remove(machine.id);
    const region = world.state.regions.find((one) => one.code === machine.region);
    if (region !== undefined) region.capacity += 1;
    delete machine.lease;
    record(world, machine, { type: "destroy", status: "destroyed" });
    enter(world, machine, "destroyed");
    const held = Object.values(world.state.volumes).filter((volume) => volume.machine === machine.id);
    if (held.length > 0) await world.clock.sleep(world.timings.detach);
    for (const volume of held) delete volume.machine;
    world.store.save();
  });
}

/** Puts a new configuration in place of the old one, as a new version. */
export function replaceMachine(
  world: World,
  machine: Machine,
  digest: string,
  config: MachineConfig,
  launch: boolean,
): void {
  const old = machine.config;
  machine.instanceId = ulid(world.clock.now());
  machine.versions.unshift({ version: machine.instanceId, config });
  machine.restarts = 0;
  record(world, machine, { type: "update", status: "replacing", source: "user" });
  // The way to stop is the running version's.
  const { signal, timeout } = old.stop_config ?? {};
  machine.config = config;
  machine.digest = digest;
  enter(world, machine, "replacing");
  void enqueue(world, machine, async () => {
    await takeDown(world, machine, {
      ...(signal === undefined ? {} : { signal }),
      timeoutMs: durationMs(timeout, 5_000),
      state: "replacing",
    });
    await world.clock.sleep(world.timings.replace);
    if (machine.state === "destroyed" || machine.state === "destroying") return;
    if (launch) return bringUp(world, machine);
    enter(world, machine, "stopped");
  });
}

function restarts(machine: Machine, exit: Exit): boolean {
  // on-failure with 10 tries is what a configuration without a policy gets: https://fly.io/docs/machines/guides-examples/machine-restart-policy/
  const { policy = "on-failure", max_retries: most = 10 } = machine.config.restart ?? {};
  if (policy === "no") return false;
  return policy === "always" || (exit.code !== 0 && machine.restarts < most);
}

/** Acts on the end of a machine's command: restarts it, destroys the machine or leaves it stopped, as it is configured. */
export function commandEnded(world: World, machine: Machine, exit: Exit): void {
  if (!machine.isUp) return;
  machine.isUp = false;
  const requested = machine.stopRequested;
  const again = !requested && restarts(machine, exit);
  const killed = exit.code > 128 ? exit.code - 128 : -1;
  record(world, machine, {
    type: "exit",
    status: "stopped",
    request: {
      exit_event: {
        exit_code: exit.code,
        guest_exit_code: exit.code,
        guest_signal: killed,
        signal: killed,
        oom_killed: false,
        requested_stop: requested,
        restarting: again,
        exited_at: new Date(world.clock.now()).toISOString(),
      },
      restart_count: machine.restarts,
    },
  });
  world.logs.add(machine, `Main child exited normally with code: ${exit.code}`);
  changed(world, machine);
  if (requested) return; // Who asked for it goes on.
  if (again) machine.restarts += 1;
  void enqueue(world, machine, async () => {
    if (machine.stopRequested || machine.state !== "started") return;
    if (again) {
      await world.clock.sleep(world.timings.restart);
      return bringUp(world, machine, "flyd");
    }
    if (machine.config.auto_destroy === true) {
      // Not awaited: it waits for this very task.
      void removeMachine(world, machine);
      return;
    }
    enter(world, machine, "stopped");
  });
}
