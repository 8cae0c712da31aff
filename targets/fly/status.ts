import { Cron } from "../../components/values/cron";
import type { AppStatus, PlacedApp, ScheduleStatus, ServiceStatus } from "../operations";
import { metadataOf, type Machine, type Volume } from "./api/types";
import { tag } from "./deploy/tags";
import { databaseOf } from "./operationsBackups";
import type { FoundSchedule, PlacedMachine } from "./operationsFind";
import { endedKey, ranKey, type Timed } from "./scheduler/schedule";

/** An app's state, from what Fly tells of its machines. Pure but for the clock. */
export function readStatus(
  app: Pick<PlacedApp, "declaration">,
  machines: readonly PlacedMachine[],
  { jobs, backups, machine: scheduler }: FoundSchedule,
  volumes: readonly Volume[],
  now = new Date(),
): AppStatus {
  const services = app.declaration.services.map(({ name, health }) => {
    const members = machines.filter(({ group, part }) => group === name && part.includes("/"));
    return serviceStatus(name, health !== undefined, members);
  });
  return {
    deployed: machines.length > 0,
    time: now.toISOString(),
    services: machines.length === 0 ? [] : services,
    schedules: [...jobs, ...backups].map((one) => scheduleStatus(one, scheduler, machines, now)),
    databases: [],
    disks: volumes.map((volume) => diskStatus(volume)),
    failed: services.filter(({ health }) => health === "unhealthy").map(({ name }) => name),
  };
}

function serviceStatus(name: string, probed: boolean, members: readonly PlacedMachine[]): ServiceStatus {
  const running = members.filter(({ machine }) => machine.state === "started");
  const checks = running.flatMap(({ machine }) => machine.checks ?? []);
  const healthy = running.length > 0 && checks.every(({ status }) => status === "passing");
  const [first] = members;
  const metadata = first === undefined ? {} : metadataOf(first.machine);
  return {
    name,
    release: metadata[tag.version] ?? "",
    ...(first?.machine.updated_at === undefined ? {} : { since: first.machine.updated_at }),
    health: !probed ? "none" : healthy ? "healthy" : "unhealthy",
    instances: members.map(({ machine, part }) => ({
      name: `${part} (${machine.id}, ${machine.region})`,
      running: machine.state === "started",
      state: machine.cordoned === true ? `${machine.state}, cordoned` : machine.state,
    })),
  };
}

function scheduleStatus(
  one: Timed,
  scheduler: Machine | undefined,
  machines: readonly PlacedMachine[],
  now: Date,
): ScheduleStatus {
  const database = databaseOf(one.name);
  const written = scheduler === undefined ? {} : metadataOf(scheduler);
  const last = written[ranKey(one.name)];
  const ended = written[endedKey(one.name)];
  const [next] = new Cron(one.expression, { timeZone: one.timeZone }).next(now);
  const group = database === undefined ? `job-${one.name}` : one.name;
  const running = machines.some((other) => other.group === group && !endStates.has(other.machine.state));
  return {
    name: database ?? one.name,
    kind: database === undefined ? "job" : "backup",
    ...(last === undefined ? {} : { last }),
    ...(running || ended === undefined
      ? { result: running ? ("running" as const) : ("unknown" as const) }
      : ended === "success"
        ? { result: "success" as const }
        : { result: "failed" as const, reason: ended }),
    ...(next === undefined ? {} : { next: next.toISOString() }),
  };
}

const endStates = new Set(["stopped", "failed"]);

function diskStatus(volume: Volume) {
  const gib = 1024 ** 3;
  const bytes = volume.size_gb * gib;
  // Fly counts in blocks where it tells of them at all.
  const { block_size = 0, blocks_free } = volume as Volume & { block_size?: number; blocks_free?: number };
  const freeBytes = blocks_free === undefined || block_size === 0 ? bytes : blocks_free * block_size;
  const usedPercent = Math.round((100 * (bytes - freeBytes)) / bytes);
  return { path: `${volume.name} (${volume.id})`, bytes, freeBytes, usedPercent, limitPercent: 100 };
}
