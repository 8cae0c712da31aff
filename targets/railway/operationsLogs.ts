import type { LogLine, LogQuery } from "../operations";
import type { LogLine as RailwayLine } from "./api/types";
import type { Found } from "./deploy/look";
import type { Run } from "./deploy/run";

/** Lines that are asked for at once. */
const most = 500;

/** Logs of the services' present deployments, in the order of time. */
export async function followLogs(
  run: Run,
  found: Found,
  query: LogQuery,
  onLine: (line: LogLine) => void,
  signal: AbortSignal,
): Promise<void> {
  const parts = [...found.services].flatMap(([name, id]) => {
    const deployment = found.instances.get(id)?.latestDeployment?.id;
    const wanted = query.part === undefined || query.part.name === name;
    return deployment === undefined || !wanted ? [] : [{ name, deployment }];
  });
  const seen = new Map<string, string>();
  for (let first = true; ; first = false) {
    const lines: LogLine[] = [];
    for (const { name, deployment } of parts) {
      const since = seen.get(name) ?? query.since?.toISOString();
      const read = await readLogs(run, deployment, since).catch((error: unknown) => {
        if (signal.aborted) return [];
        throw error;
      });
      const fresh = read.filter(({ timestamp }) => timestamp > (seen.get(name) ?? ""));
      const newest = fresh.at(-1)?.timestamp;
      if (newest !== undefined) seen.set(name, newest);
      for (const { timestamp, message, severity } of fresh) {
        lines.push({ time: new Date(timestamp), part: name, text: message, level: levelOf(severity) });
      }
    }
    lines.sort((a, b) => a.time.getTime() - b.time.getTime());
    for (const line of first && query.lines !== undefined ? lines.slice(-query.lines) : lines) onLine(line);
    if (!query.follow || signal.aborted) return;
    await run.railway.client.world.sleep(3000, signal).catch(() => undefined);
  }
}

async function readLogs(run: Run, id: string, since: string | undefined): Promise<RailwayLine[]> {
  const answer = await run.railway.ask<{ deploymentLogs: readonly RailwayLine[] }>(
    `query DeploymentLogs($id: String!, $limit: Int, $since: DateTime) {
      deploymentLogs(deploymentId: $id, limit: $limit, startDate: $since) { timestamp message severity }
    }`,
    { id, limit: most, ...(since === undefined ? {} : { since }) },
  );
  return [...answer.deploymentLogs].sort((a, b) => a.timestamp.localeCompare(b.timestamp));
}

const levelOf = (severity: string | null | undefined): LogLine["level"] =>
  severity === "error" ? "error" : severity === "warn" || severity === "warning" ? "warning" : "other";
