import type { PlacedApp } from "../operations";
import { nodes, type Connection } from "./api/types";
import type { Place } from "./deploy/find";
import type { Found } from "./deploy/look";
import type { Run } from "./deploy/run";
import { lastBeside } from "./operationsLogs";

/** How a job's newest run went. */
export interface LastRun {
  /** Of its start, or of its end where that alone is known. */
  readonly time: string;
  readonly result: "success" | "failed" | "running";
  /** Why it failed. */
  readonly reason?: string;
}

/** A run of a cron service. */
export interface Execution {
  readonly id: string;
  readonly status: string;
  readonly createdAt: string;
}

const running = new Set(["CREATED", "INITIALIZING", "RUNNING", "RESTARTING", "REMOVING"]);

export const isRunning = ({ status }: Execution): boolean => running.has(status);
/** One that has ended is removed after a while. */
export const isGood = ({ status }: Execution): boolean => status === "EXITED" || status === "REMOVED";

/** The last runs of a cron service, the newest first. */
export async function executions(run: Run, { environmentId }: Place, serviceId: string): Promise<Execution[]> {
  const answer = await run.railway.ask<{ deploymentInstanceExecutions: Connection<Execution> }>(
    `query Runs($input: DeploymentInstanceExecutionListInput!) {
      deploymentInstanceExecutions(input: $input, first: 20) { edges { node { id status createdAt } } }
    }`,
    { input: { environmentId, serviceId } },
  );
  return nodes(answer.deploymentInstanceExecutions).sort((a, b) => b.createdAt.localeCompare(a.createdAt));
}

/** How the newest run of each job went, by job, where Railway tells: one request a cron service, and one a log. */
export async function lastRuns(
  run: Run,
  found: Found & { readonly place: Place },
  app: Pick<PlacedApp, "declaration">,
): Promise<ReadonlyMap<string, LastRun>> {
  const last = new Map(await lastBeside(run, found, app));
  for (const { name } of app.declaration.jobs) {
    const id = found.services.get(name);
    if (id === undefined || !found.instances.has(id)) continue;
    const [newest] = await executions(run, found.place, id);
    if (newest === undefined) continue;
    const { createdAt: time, status } = newest;
    if (isRunning(newest)) last.set(name, { time, result: "running" });
    else if (isGood(newest)) last.set(name, { time, result: "success" });
    else last.set(name, { time, result: "failed", reason: status.toLowerCase() });
  }
  return last;
}
