import { ending, jobLine, lineStart, resultOf } from "../containers/jobs";
import type { LogLine, LogQuery, PlacedApp } from "../operations";
import type { LogLine as RailwayLine } from "./api/types";
import type { Found } from "./deploy/look";
import type { Run } from "./deploy/run";
import { jobsBeside } from "./jobs";
import type { LastRun } from "./operationsRuns";

/** Lines that are asked for at once. */
const most = 500;

/** Whose log is read, and which jobs write into it. */
interface Part {
  readonly name: string;
  readonly deployment: string;
  readonly jobs: readonly string[];
  /** The only job whose lines are wanted. */
  readonly only?: string;
}

function partsOf(found: Found, { declaration }: Pick<PlacedApp, "declaration">, wanted: string | undefined): Part[] {
  return [...found.services].flatMap(([name, id]) => {
    const deployment = found.instances.get(id)?.latestDeployment?.id;
    const service = declaration.services.find((one) => one.name === name);
    const jobs = service === undefined ? [] : jobsBeside(declaration, service).map((job) => job.name);
    const only = jobs.find((job) => job === wanted);
    const isWanted = wanted === undefined || wanted === name || only !== undefined;
    if (deployment === undefined || !isWanted) return [];
    return [{ name, deployment, jobs, ...(only === undefined ? {} : { only }) }];
  });
}

/** Logs of the services' present deployments, in the order of time. Lines of jobs beside a service are told as the jobs'. */
export async function followLogs(
  run: Run,
  found: Found,
  app: Pick<PlacedApp, "declaration">,
  query: LogQuery,
  onLine: (line: LogLine) => void,
  signal: AbortSignal,
): Promise<void> {
  const parts = partsOf(found, app, query.part?.name);
  const seen = new Map<string, string>();
  for (let first = true; ; first = false) {
    const lines: LogLine[] = [];
    for (const part of parts) {
      const { name, deployment, only } = part;
      const since = seen.get(name) ?? query.since?.toISOString();
      const filter = only === undefined ? undefined : lineStart(only).trim();
      const read = await readLogs(run, deployment, since, filter).catch((error: unknown) => {
        if (signal.aborted) return [];
        throw error;
      });
      const fresh = read.filter(({ timestamp }) => timestamp > (seen.get(name) ?? ""));
      const newest = fresh.at(-1)?.timestamp;
      if (newest !== undefined) seen.set(name, newest);
      lines.push(...fresh.map((line) => lineOf(line, part)).filter((line) => (only ?? line.part) === line.part));
    }
    lines.sort((a, b) => a.time.getTime() - b.time.getTime());
    for (const line of first && query.lines !== undefined ? lines.slice(-query.lines) : lines) onLine(line);
    if (!query.follow || signal.aborted) return;
    await run.railway.client.world.sleep(3000, signal).catch(() => undefined);
  }
}

function lineOf({ timestamp, message, severity }: RailwayLine, { name, jobs }: Part): LogLine {
  const time = new Date(timestamp);
  const ofJob = jobLine(message);
  if (ofJob === undefined || !jobs.includes(ofJob.job))
    return { time, part: name, text: message, level: levelOf(severity) };
  const { job, text, code = 0 } = ofJob;
  return { time, part: job, text, level: code === 0 ? levelOf(severity) : "error" };
}

/** The last runs of jobs beside services, by job, as far as the present deployments' logs tell them. */
export async function lastBeside(
  run: Run,
  found: Found,
  app: Pick<PlacedApp, "declaration">,
): Promise<ReadonlyMap<string, LastRun>> {
  const last = new Map<string, LastRun>();
  for (const { deployment, jobs } of partsOf(found, app, undefined)) {
    if (jobs.length === 0) continue;
    for (const { timestamp, message } of await readLogs(run, deployment, undefined, ending)) {
      const { job = "", code } = jobLine(message) ?? {};
      if (code !== undefined && jobs.includes(job)) last.set(job, { time: timestamp, ...resultOf(code) });
    }
  }
  return last;
}

/** @param filter text that each line has to hold (docs.railway.com/guides/logs#filtering-logs) */
async function readLogs(
  run: Run,
  id: string,
  since: string | undefined,
  filter: string | undefined,
): Promise<RailwayLine[]> {
  const answer = await run.railway.ask<{ deploymentLogs: readonly RailwayLine[] }>(
    `query DeploymentLogs($id: String!, $limit: Int, $since: DateTime, $filter: String) {
      deploymentLogs(deploymentId: $id, limit: $limit, startDate: $since, filter: $filter) { timestamp message severity }
    }`,
    {
      id,
      limit: most,
      ...(since === undefined ? {} : { since }),
      ...(filter === undefined ? {} : { filter: `"${filter}"` }),
    },
  );
  return [...answer.deploymentLogs].sort((a, b) => a.timestamp.localeCompare(b.timestamp));
}

const levelOf = (severity: string | null | undefined): LogLine["level"] =>
  severity === "error" ? "error" : severity === "warn" || severity === "warning" ? "warning" : "other";
