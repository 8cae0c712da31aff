import { Cron } from "../../components/values/cron";
import type { Job } from "../../components/declaration";
import { exitCodes } from "../operations";
import type { AppStatus, InstanceStatus, PlacedApp, ScheduleStatus, ServiceStatus } from "../operations";
import type { Deployment, Instance, VolumeInstance } from "./api/types";
import type { Found } from "./deploy/look";
import { healthy } from "./deploy/steps";
import { runsBeside } from "./jobs";
import type { LastRun } from "./operationsLogs";

/**
 * An app's state, from what Railway tells of its environment. Pure but for the clock.
 * @param runs the last ones of jobs beside their services, of which Railway knows nothing
 */
export function readStatus(
  { declaration }: Pick<PlacedApp, "declaration">,
  found: Found | undefined,
  runs: ReadonlyMap<string, LastRun>,
  now = new Date(),
): AppStatus {
  const time = now.toISOString();
  if (found?.state === undefined) {
    return { deployed: false, time, services: [], schedules: [], databases: [], disks: [], failed: [] };
  }
  const { state } = found;
  const instanceOf = (name: string): Instance | undefined => found.instances.get(found.services.get(name) ?? "");
  const services = declaration.services.map(({ name, health }) => {
    const instance = instanceOf(name);
    return serviceStatus(name, health !== undefined, instance, driftOf(state.services[name]?.deployment, instance));
  });
  const schedules = declaration.jobs.map((job) =>
    runsBeside(job.in)
      ? besideStatus(job, runs.get(job.name), now)
      : scheduleStatus(job.name, instanceOf(job.name), now),
  );
  const parts = [...declaration.services, ...declaration.databases, ...declaration.jobs].map(({ name }) => name);
  return {
    deployed: found.instances.size > 0,
    time,
    services,
    schedules,
    databases: [],
    disks: found.volumes.map(diskStatus),
    failed: parts.filter((name) => {
      const status = instanceOf(name)?.latestDeployment?.status;
      return status === "CRASHED" || status === "FAILED" || (runs.get(name)?.code ?? 0) !== 0;
    }),
  };
}

/** What of a service isn't as it was deployed. */
function driftOf(recorded: string | undefined, instance: Instance | undefined): string {
  const latest = instance?.latestDeployment ?? undefined;
  if (instance === undefined) return "gone: somebody has taken it away";
  if (latest !== undefined && recorded !== undefined && latest.id !== recorded) {
    return "not the deployed version: somebody has deployed it since";
  }
  return "";
}

function serviceStatus(name: string, probed: boolean, instance: Instance | undefined, drift: string): ServiceStatus {
  const latest = instance?.latestDeployment ?? undefined;
  const good = latest !== undefined && healthy.has(latest.status) && latest.deploymentStopped !== true;
  const text = [latest?.status.toLowerCase() ?? "absent", drift].filter((part) => part !== "").join(", ");
  return {
    name,
    release: latest?.id ?? "",
    ...(latest?.createdAt === undefined ? {} : { since: latest.createdAt }),
    health: !probed ? "none" : good ? "healthy" : "unhealthy",
    instances: instancesOf(name, latest, text),
  };
}

function instancesOf(name: string, latest: Deployment | undefined, text: string): InstanceStatus[] {
  const instances = latest?.instances ?? [];
  if (instances.length === 0) return [{ name, running: latest?.status === "SUCCESS", state: text }];
  return instances.map(({ id, status }) => ({
    name: `${name} (${id})`,
    running: status === "RUNNING",
    state: [status.toLowerCase(), text].join(", "),
  }));
}

function scheduleStatus(name: string, instance: Instance | undefined, now: Date): ScheduleStatus {
  const schedule = instance?.cronSchedule ?? undefined;
  const [next] = schedule === undefined ? [] : new Cron(schedule).next(now);
  const states = (instance?.latestDeployment?.instances ?? []).map(({ status }) => status);
  return {
    name,
    kind: "job",
    result: states.includes("RUNNING") ? "running" : "unknown",
    ...(next === undefined ? {} : { next: next.toISOString() }),
  };
}

function besideStatus({ name, at }: Job, last: LastRun | undefined, now: Date): ScheduleStatus {
  const [next] = at.next(now);
  return {
    name,
    kind: "job",
    ...(last === undefined ? { result: "unknown" } : { last: last.time, ...resultOf(last) }),
    ...(next === undefined ? {} : { next: next.toISOString() }),
  };
}

const resultOf = ({ code }: LastRun): Pick<ScheduleStatus, "result" | "reason"> =>
  code === 0
    ? { result: "success" }
    : { result: "failed", reason: code === exitCodes.timeout ? "timeout" : `exit code ${code}` };

function diskStatus({ volume, volumeId, sizeMB, currentSizeMB = 0 }: VolumeInstance) {
  const mb = 1_000_000;
  const usedPercent = sizeMB === 0 ? 0 : Math.round((100 * currentSizeMB) / sizeMB);
  const freeBytes = Math.max(0, sizeMB - currentSizeMB) * mb;
  return { path: `${volume.name} (${volumeId})`, bytes: sizeMB * mb, freeBytes, usedPercent, limitPercent: 80 };
}
