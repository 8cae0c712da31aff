import type { Job } from "../../components/declaration";
import { ending, jobLine, resultOf } from "../containers/jobs";
import type { AppStatus, DatabaseStatus, DiskStatus, PlacedApp, ScheduleStatus, ServiceStatus } from "../operations";
import { diskMetric } from "./api/disks";
import { deploySucceeded, type Deploy, type Service } from "./api/types";
import { needsDisk } from "./buildPlan";
import type { Run } from "./deploy/run";
import type { Placed } from "./operations";
import { oldestLog } from "./operationsLogs";
import { diskName } from "./operationsVolumes";

interface Instance {
  readonly id: string;
  readonly createdAt: string;
}

/** How an app is on Render. A service is healthy while its last deploy is live: Render restarts what fails its checks. */
export async function readStatus(
  run: Run,
  app: PlacedApp,
  all: readonly Placed[],
  databases: readonly DatabaseStatus[],
): Promise<AppStatus> {
  const time = new Date(run.render.client.world.now());
  const looked = await Promise.all(
    all.map(async (one) => {
      const deploys = await run.render.deploys(one.service.id, 5);
      const isCron = one.service.type === "cron_job";
      const instances = isCron ? [] : await run.render.call<Instance[]>("GET", `/services/${one.service.id}/instances`);
      return { ...one, deploys, instances };
    }),
  );
  const failed = looked
    .filter(({ deploys, service }) => service.suspended === "suspended" || hasFailed(deploys))
    .map(({ part }) => part);
  const services = looked
    .filter(({ service }) => service.type !== "cron_job")
    .map(({ part, service, deploys, instances }) => {
      const isUp = service.suspended !== "suspended" && instances.length > 0;
      return serviceStatus(app, part, isUp, deploys, instances);
    });
  const schedules = await Promise.all(
    app.declaration.jobs.map((job) => scheduleOf(run, job, looked, job.at.next(time)[0]?.toISOString())),
  );
  const disks = await Promise.all(all.map((one) => diskOf(run, one)));
  return {
    deployed: all.length > 0,
    time: time.toISOString(),
    services,
    schedules,
    databases,
    disks: disks.flat(),
    failed,
  };
}

/** As Render has measured it; none where it hasn't yet. */
async function diskOf(run: Run, { part, service }: Placed): Promise<DiskStatus[]> {
  const { disk } = service.serviceDetails;
  if (disk === undefined) return [];
  const [bytes, used] = await Promise.all([
    diskMetric(run.render, "capacity", service.id),
    diskMetric(run.render, "usage", service.id),
  ]);
  if (bytes === undefined || used === undefined || bytes <= 0) return [];
  const path = `${diskName(part)} (${disk.mountPath})`;
  const usedPercent = Math.round((100 * used) / bytes);
  return [{ path, id: disk.id, bytes, freeBytes: Math.max(0, bytes - used), usedPercent, limitPercent: 80 }];
}

const hasFailed = ([newest]: readonly Deploy[]): boolean => newest !== undefined && /failed/.test(newest.status);

function serviceStatus(
  app: PlacedApp,
  part: string,
  isUp: boolean,
  deploys: readonly Deploy[],
  instances: readonly Instance[],
): ServiceStatus {
  const live = deploys.find(({ status }) => deploySucceeded(status));
  const declared = app.declaration.services.find(({ name }) => name === part);
  return {
    name: part,
    release: live?.commit?.id.slice(0, 12) ?? live?.image?.ref ?? "none",
    ...(live?.finishedAt === undefined ? {} : { since: live.finishedAt }),
    health: declared?.health === undefined ? "none" : isUp ? "healthy" : "unhealthy",
    instances: instances.map(({ id, createdAt }) => ({
      ...{ name: id.split("-").at(-1) ?? id, running: isUp, state: isUp ? "live" : "suspended", since: createdAt },
    })),
  };
}

/** A job by itself is a cron job with events; of one in its service's instance there is the log alone. */
async function scheduleOf(
  run: Run,
  job: Job,
  looked: readonly Placed[],
  next: string | undefined,
): Promise<ScheduleStatus> {
  const isBeside = needsDisk(job.in);
  const service = looked.find(({ part }) => part === (isBeside ? job.in.name : job.name))?.service;
  const common = { name: job.name, kind: "job", ...(next === undefined ? {} : { next }) } as const;
  if (service === undefined) return { ...common, result: "unknown" };
  if (isBeside) return { ...common, ...(await lastBeside(run, job, service)) };
  const since = new Date(oldestLog(run.render.client.world.now()));
  const events = await run.render.events(service.id, { since });
  const newest = events.find(({ type }) => type.startsWith("cron_job_run_"));
  if (newest === undefined) return { ...common, result: "unknown" };
  const isRunning = newest.type === "cron_job_run_started";
  const isGood = newest.details?.status === "successful";
  return { ...common, last: newest.timestamp, result: isRunning ? "running" : isGood ? "success" : "failed" };
}

/** How a job beside its service ended last, by what its script says. */
async function lastBeside(
  { render }: Run,
  job: Job,
  { id, ownerId }: Service,
): Promise<Pick<ScheduleStatus, "last" | "result" | "reason">> {
  const startTime = oldestLog(render.client.world.now());
  const query = { ownerId, resource: id, text: ending, startTime, limit: 100, direction: "backward" };
  for (const { timestamp, message } of (await render.logs(query)).logs) {
    const line = jobLine(message);
    if (line?.job !== job.name || line.code === undefined) continue;
    return { last: timestamp, ...resultOf(line.code) };
  }
  return { result: "unknown" };
}
