import { Cron } from "croner";
import { instancesOf, removeInstance, runOnce } from "./instances";
import { found, listOf, page, type Handler, type Request } from "./operation";
import { liveDeploy } from "./rollout";
import { serviceOf } from "./services";
import type { Run, Service } from "./state";
import { isoTime, newId, refuse, type World } from "./world";

const times = ({ startedAt, finishedAt }: Run): Record<string, string> => ({
  ...(startedAt === undefined ? {} : { startedAt: isoTime(startedAt) }),
  ...(finishedAt === undefined ? {} : { finishedAt: isoTime(finishedAt) }),
});

const jobView = (run: Run): { id: string } & Record<string, unknown> => ({
  ...{ id: run.id, serviceId: run.serviceId, startCommand: run.startCommand, planId: "starter", status: run.status },
  ...{ createdAt: isoTime(run.createdAt), ...times(run) },
});

const cronWords = {
  ...{ pending: "pending", running: "pending", succeeded: "successful", failed: "unsuccessful", canceled: "canceled" },
} as const;

const cronView = (run: Run): Record<string, unknown> => ({
  ...{ id: run.id, status: cronWords[run.status], triggeredBy: run.triggeredBy, ...times(run) },
});

const isOpen = ({ status }: Run): boolean => status === "pending" || status === "running";

async function execute(world: World, service: Service, run: Run): Promise<void> {
  const deploy = liveDeploy(world, service.id);
  run.status = "running";
  run.startedAt = world.clock.now();
  world.store.save();
  const code =
    deploy?.snapshot === undefined
      ? 1
      : await runOnce(world, service, deploy, { command: run.startCommand, id: `run-${run.id}` }).catch(() => 127);
  if (isOpen(run)) run.status = code === 0 ? "succeeded" : "failed";
  run.finishedAt = world.clock.now();
  world.store.save();
}

function begin(
  world: World,
  service: Service,
  made: Pick<Run, "kind" | "triggeredBy"> & { startCommand?: string },
): Run {
  const id = newId(made.kind === "job" ? "job" : `${service.id}-run`);
  const run: Run = { ...made, id, serviceId: service.id, status: "pending", createdAt: world.clock.now() };
  world.state.runs[id] = run;
  world.store.save();
  void execute(world, service, run).catch((error: unknown) => {
    world.logs.add(service.id, `the emulator failed: ${String(error)}`, { level: "error" });
  });
  return run;
}

async function cancel(world: World, run: Run): Promise<void> {
  run.status = "canceled";
  const instance = instancesOf(world, run.serviceId).find(({ id }) => id === `run-${run.id}`);
  if (instance !== undefined) await removeInstance(world, instance);
  world.store.save();
}

const runsOf = (world: World, serviceId: string): Run[] =>
  Object.values(world.state.runs)
    .filter((run) => run.serviceId === serviceId)
    .reverse();

export const postJob: Handler = (request) => {
  const service = serviceOf(request);
  if (liveDeploy(request.world, service.id) === undefined) throw refuse(400, "the service has no successful deploy");
  const { startCommand } = request.body as { startCommand: string };
  return {
    status: 201,
    body: jobView(begin(request.world, service, { kind: "job", triggeredBy: "api", startCommand })),
  };
};

export const listJob: Handler = (request) =>
  page(
    request.query,
    "job",
    runsOf(request.world, serviceOf(request).id)
      .filter(({ kind }) => kind === "job")
      .map(jobView),
  );

function jobOf(request: Request): Run {
  const run = request.world.state.runs[request.values["jobId"]!];
  if (run?.serviceId !== serviceOf(request).id) throw refuse(404, `not found: ${request.values["jobId"]}`);
  return run;
}

export const retrieveJob: Handler = (request) => ({ status: 200, body: jobView(jobOf(request)) });

export const cancelJob: Handler = async (request) => {
  const run = jobOf(request);
  if (!isOpen(run)) throw refuse(400, `the job is ${run.status}`);
  await cancel(request.world, run);
  return { status: 200, body: jobView(run) };
};

function cronJobOf(request: Request): Service {
  const service = found(request, request.world.state.services, request.values["cronJobId"]!);
  if (service.type !== "cron_job") throw refuse(404, `not found: ${service.id}`);
  return service;
}

/** Runs a cron job now. A run that is under way is canceled. */
export const runCronJob: Handler = async (request) => {
  const { world } = request;
  const service = cronJobOf(request);
  await Promise.all(
    runsOf(world, service.id)
      .filter(isOpen)
      .map((run) => cancel(world, run)),
  );
  return { status: 200, body: cronView(begin(world, service, { kind: "cron", triggeredBy: "api" })) };
};

export const cancelCronJobRun: Handler = async (request) => {
  const service = cronJobOf(request);
  const open = runsOf(request.world, service.id).filter(isOpen);
  if (open.length === 0) throw refuse(404, "no run is under way");
  await Promise.all(open.map((run) => cancel(request.world, run)));
  return { status: 204 };
};

/** What happened to a service, newest first: here the runs of a cron job. */
export const listEvents: Handler = (request) => {
  const { world, query } = request;
  const service = serviceOf(request);
  // Without a time it goes back one hour.
  const from = new Date(query.get("startTime") ?? world.clock.now() - 3_600_000).getTime();
  const types = listOf(query, "type");
  const events = runsOf(world, service.id)
    .filter(({ kind }) => kind === "cron")
    .flatMap(({ id, startedAt, finishedAt, status }) => [
      { id, at: finishedAt, type: "cron_job_run_ended", details: { cronJobRunId: id, status: cronWords[status] } },
      { id, at: startedAt, type: "cron_job_run_started", details: { cronJobRunId: id } },
    ])
    .filter(({ at, type }) => at !== undefined && at >= from && (types?.includes(type) ?? true))
    .sort((one, other) => other.at! - one.at!)
    .map(({ id, at, type, details }) => ({
      ...{ id: `evt-${id.slice(-20)}${type === "cron_job_run_ended" ? "1" : "0"}`, serviceId: service.id },
      ...{ type, timestamp: isoTime(at!), details },
    }));
  return page(query, "event", events);
};

/** Starts cron jobs whose minute has come, in UTC; one at a time, as https://render.com/docs/cronjobs says. */
export function lookAtCronJobs(world: World): void {
  const now = world.clock.now();
  for (const service of Object.values(world.state.services)) {
    if (service.type !== "cron_job" || service.suspended || liveDeploy(world, service.id) === undefined) continue;
    const { schedule = "" } = service.details;
    const next = new Cron(schedule, { timezone: "UTC" }).nextRun(new Date(service.lookedAt));
    const isDue = next !== null && next.getTime() <= now;
    // One that is due while another runs waits for its end.
    if (isDue && runsOf(world, service.id).some(isOpen)) continue;
    service.lookedAt = now;
    if (isDue) begin(world, service, { kind: "cron", triggeredBy: "schedule" });
  }
}
