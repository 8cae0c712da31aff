import type { Deployment, LogLine } from "../api/types";
import type { Run } from "./run";
import { healthy, underWay } from "./steps";

/** A deployment that is waited for. */
export interface Awaited {
  readonly name: string;
  readonly deployment: string;
  /** Seconds until it has to be healthy, its build included. */
  readonly seconds: number;
  /** Without a health check Railway calls a service good as soon as its program runs. */
  readonly unchecked: boolean;
}

export interface Failed extends Awaited {
  readonly why: string;
}

/** Seconds between looks: the first, the longest, and by what they grow, so that a long build costs few requests. */
const looks = { first: 2, longest: 60, growth: 1.6 };
/** Seconds that a program without a health check has to live. */
const settleSeconds = 10;
/** How often it is looked at while its program ends and is started again. */
const settleLooks = 12;

/** The deployments' present state: one request for all of them. */
export async function lookAt(run: Run, ids: readonly string[]): Promise<Map<string, Deployment>> {
  if (ids.length === 0) return new Map();
  const names = ids.map((_id, index) => `d${index}`);
  const answer = await run.railway.ask<Record<string, Deployment>>(
    `query Deployments(${names.map((name) => `$${name}: String!`).join(", ")}) {
      ${names.map((name) => `${name}: deployment(id: $${name}) { id status canRollback deploymentStopped instances { id status } }`).join("\n      ")}
    }`,
    Object.fromEntries(ids.map((id, index) => [`d${index}`, id])),
  );
  return new Map(Object.values(answer).map((deployment) => [deployment.id, deployment]));
}

/**
 * Looks at deployments until none is on its way out: Railway goes back to those that are through with it.
 * @param seconds that they have to end
 * @param ending those that were cancelled, which aren't to be under way any more
 */
export async function lookWhenEnded(
  run: Run,
  ids: readonly string[],
  seconds: number,
  ending: readonly string[] = [],
): Promise<Map<string, Deployment>> {
  const deadline = run.railway.deadline(seconds, "old versions to end");
  for (;;) {
    const now = await lookAt(run, ids);
    const isLeaving = [...now.values()].some(
      ({ id, status }) => status === "REMOVING" || (ending.includes(id) && underWay.has(status)),
    );
    if (!isLeaving || !(await run.pause(5000, deadline))) return now;
  }
}

/**
 * Waits until all of these are healthy.
 * @returns the first that failed, or is late; undefined where all are good
 */
export async function waitHealthy(run: Run, awaited: readonly Awaited[]): Promise<Failed | undefined> {
  const { railway } = run;
  const deadlines = new Map(
    awaited.map((one) => [one.name, railway.deadline(one.seconds, `${one.name} to be healthy`)]),
  );
  const told = new Map<string, string>();
  let open = [...awaited];
  let settling = 0;
  for (let seconds = looks.first; open.length > 0; seconds = Math.min(looks.longest, seconds * looks.growth)) {
    const now = await lookAt(
      run,
      open.map(({ deployment }) => deployment),
    );
    for (const one of open) {
      const status = now.get(one.deployment)?.status ?? "REMOVED";
      if (told.get(one.name) !== status) run.tell(`${one.name}: ${status.toLowerCase()}`);
      told.set(one.name, status);
      if (!healthy.has(status) && !underWay.has(status)) return { ...one, why: endings[status] ?? `it is ${status}` };
      const deadline = deadlines.get(one.name);
      if (underWay.has(status) && deadline?.passed() === true) return { ...one, why: lateness(one, status) };
    }
    const isSettling = open.every(({ deployment }) => healthy.has(now.get(deployment)?.status ?? "REMOVED"));
    if (isSettling) {
      const [restless] = open.filter((one) => one.unchecked && isRestless(now.get(one.deployment)));
      if (restless !== undefined && settling >= settleLooks) return { ...restless, why: endings.CRASHED ?? "" };
      const isFirst = settling++ === 0;
      open = open.filter((one) => one.unchecked && (isFirst || isRestless(now.get(one.deployment))));
    }
    if (open.length === 0) return undefined;
    const wait = isSettling ? settleSeconds : seconds;
    const longest = Math.max(...open.map(({ name }) => deadlines.get(name)?.left() ?? 0));
    const ms = isSettling ? wait * 1000 : Math.max(1, Math.min(wait * 1000, longest));
    await run.pause(ms, railway.deadline(ms / 1000 + 60, "a wait"));
  }
  return undefined;
}

/** Whether a program isn't running at this moment: Railway starts it again several times before it says so. */
const isRestless = (deployment: Deployment | undefined): boolean =>
  (deployment?.instances ?? []).some(({ status }) => status !== "RUNNING");

const endings: Readonly<Partial<Record<Deployment["status"], string>>> = {
  CRASHED: "its program ended, again and again",
  FAILED: "it couldn't be built, its release command failed, or its health check didn't answer in time",
  SKIPPED: "Railway skipped it, as nothing that it watches has changed",
  REMOVED: "it was removed while it was waited for: another deploy has taken its place",
  REMOVING: "it is being removed: another deploy has taken its place",
};

function lateness({ seconds }: Awaited, status: string): string {
  const held = status === "NEEDS_APPROVAL" ? ", and waits for somebody's approval at railway.com" : "";
  return `it is still ${status.toLowerCase().replaceAll("_", " ")} after ${seconds} s${held}`;
}

/** Shows the last lines of a deployment: what it wrote, else what its build did. @returns the very last of them */
export async function showLogs(run: Run, { name, deployment }: Awaited, count = 20): Promise<string | undefined> {
  const document = (field: "buildLogs" | "deploymentLogs") =>
    `query Logs($id: String!, $limit: Int) { ${field}(deploymentId: $id, limit: $limit) { timestamp message severity } }`;
  try {
    for (const field of ["deploymentLogs", "buildLogs"] as const) {
      const answer = await run.railway.ask<Record<string, readonly LogLine[]>>(document(field), {
        id: deployment,
        limit: count,
      });
      const lines = [...(answer[field] ?? [])].sort((a, b) => a.timestamp.localeCompare(b.timestamp)).slice(-count);
      for (const { message } of lines) run.tell(`${name} | ${message}`);
      if (lines.length > 0) return lines.at(-1)?.message;
    }
    return undefined;
  } catch (error) {
    if (run.isEnding()) throw error;
    run.tell(`${name}: its log can't be read: ${error instanceof Error ? (error.message.split("\n")[0] ?? "") : ""}`);
    return undefined;
  }
}
