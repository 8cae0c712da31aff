import type { Database, Job } from "../../components/declaration";
import type {
  AppStatus,
  DatabaseStatus,
  InstanceStatus,
  PlacedApp,
  ScheduleStatus,
  ServiceStatus,
} from "../operations";
import type { Deployment, Instance, VolumeInstance } from "./api/types";
import type { Found } from "./deploy/look";
import { healthy } from "./deploy/steps";
import { holderOf } from "./names";
import type { LastRun } from "./operationsRuns";

/**
 * An app's state, from what Railway tells of its environment. Pure but for the clock.
 * @param runs the last ones of jobs
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
  const schedules = declaration.jobs.map((job) => scheduleStatus(job, runs.get(job.name), now));
  const parts = [...declaration.services, ...declaration.databases, ...declaration.jobs].map(({ name }) => name);
  return {
    deployed: found.instances.size > 0,
    time,
    services,
    schedules,
    databases: declaration.databases.map((database) => databaseStatus(database, declaration, found)),
    disks: found.volumes.map(diskStatus),
    failed: parts.filter((name) => {
      const status = instanceOf(name)?.latestDeployment?.status;
      return status === "CRASHED" || status === "FAILED" || runs.get(name)?.result === "failed";
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

/** Its backups aren't asked for here: that is a request for each volume. */
function databaseStatus(database: Database, declaration: PlacedApp["declaration"], found: Found): DatabaseStatus {
  const { name, engine } = database;
  const told = (state: string): DatabaseStatus => ({ name, engine, state, copies: 0 });
  const holder = holderOf(declaration, database);
  if (holder === undefined) return told("run by somebody else");
  const id = found.services.get(holder);
  const instance = found.instances.get(id ?? "");
  if (instance === undefined) return told("gone");
  const volume = found.volumes.find(({ serviceId }) => serviceId === id);
  const place = volume === undefined ? "its volume is gone" : `on ${volume.volume.name} of ${volume.sizeMB} MB`;
  return told(`${instance.latestDeployment?.status.toLowerCase() ?? "absent"}, ${place}`);
}

function scheduleStatus({ name, at }: Job, last: LastRun | undefined, now: Date): ScheduleStatus {
  const { time, result = "unknown", reason } = last ?? {};
  const [next] = at.next(now);
  return {
    name,
    kind: "job",
    result,
    ...(time === undefined ? {} : { last: time }),
    ...(reason === undefined ? {} : { reason }),
    ...(next === undefined ? {} : { next: next.toISOString() }),
  };
}

function diskStatus({ volume, volumeId, sizeMB, currentSizeMB = 0 }: VolumeInstance) {
  const mb = 1_000_000;
  const usedPercent = sizeMB === 0 ? 0 : Math.round((100 * currentSizeMB) / sizeMB);
  const freeBytes = Math.max(0, sizeMB - currentSizeMB) * mb;
  return {
    path: `${volume.name} (${volumeId})`,
    id: volumeId,
    bytes: sizeMB * mb,
    freeBytes,
    usedPercent,
    limitPercent: 80,
  };
}
