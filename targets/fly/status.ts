import { Cron } from "../../components/values/cron";
import type { AppStatus, PlacedApp, ScheduleStatus, ServiceStatus } from "../operations";
import { metadataOf, type Machine, type Volume } from "./api/types";
import { tag } from "./deploy/tags";
import { ranKey, type PlannedJob } from "./scheduler/schedule";
import type { PlacedMachine } from "./operations";

/** An app's state, from what Fly tells of its machines. Pure but for the clock. */
export function readStatus(
  app: Pick<PlacedApp, "declaration">,
  machines: readonly PlacedMachine[],
  { jobs, machine: scheduler }: { readonly jobs: readonly PlannedJob[]; readonly machine?: Machine },
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
    schedules: jobs.map((job) => scheduleStatus(job, scheduler, machines, now)),
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
  job: PlannedJob,
  scheduler: Machine | undefined,
  machines: readonly PlacedMachine[],
  now: Date,
): ScheduleStatus {
  const last = scheduler === undefined ? undefined : metadataOf(scheduler)[ranKey(job.name)];
  const [next] = new Cron(job.expression, { timeZone: job.timeZone }).next(now);
  const running = machines.some(({ group, machine }) => group === `job-${job.name}` && machine.state === "started");
  return {
    name: job.name,
    kind: "job",
    ...(last === undefined ? {} : { last }),
    result: running ? "running" : "unknown",
    ...(next === undefined ? {} : { next: next.toISOString() }),
  };
}

function diskStatus(volume: Volume) {
  const gib = 1024 ** 3;
  const bytes = volume.size_gb * gib;
  // Fly counts in blocks where it tells of them at all.
  const { block_size = 0, blocks_free } = volume as Volume & { block_size?: number; blocks_free?: number };
  const freeBytes = blocks_free === undefined || block_size === 0 ? bytes : blocks_free * block_size;
  const usedPercent = Math.round((100 * (bytes - freeBytes)) / bytes);
  return { path: `${volume.name} (${volume.id})`, bytes, freeBytes, usedPercent, limitPercent: 100 };
}
