import { setTimeout as sleep } from "node:timers/promises";
import type { LogLine, LogQuery } from "../operations";
import type { LogEntry } from "./api/types";
import type { Run } from "./deploy/run";
import type { Placed } from "./operations";

const pageSize = 100;
/** Days that every plan keeps logs (https://render.com/docs/logging#retention). */
const keptDays = 7;

/** From when on there are logs; without a time the API goes back one hour. */
export const oldestLog = (now: number): string => new Date(now - keptDays * 24 * 3_600_000).toISOString();
const betweenMs = 2_000;

const labelOf = ({ labels }: LogEntry, wanted: string): string =>
  labels.find(({ name }) => name === wanted)?.value ?? "";

function lineOf(entry: LogEntry, parts: readonly Placed[]): LogLine {
  const part = parts.find(({ service }) => service.id === labelOf(entry, "resource"))?.part ?? "";
  const instance = labelOf(entry, "instance").split("-").at(-1) ?? "";
  const level = labelOf(entry, "level");
  return {
    time: new Date(entry.timestamp),
    part: instance === "" ? part : `${part}/${instance}`,
    text: entry.message,
    level: /err|crit|alert|emerg/.test(level) ? "error" : level.startsWith("warn") ? "warning" : "other",
  };
}

/**
 * Reads the parts' lines, oldest first.
 * @param only the beginning of the lines that are meant, which is left out of what is shown
 */
export async function readLogs(
  run: Run,
  ownerId: string,
  parts: readonly Placed[],
  query: LogQuery,
  only: string | undefined,
  onLine: (line: LogLine) => void,
  signal: AbortSignal,
): Promise<void> {
  if (parts.length === 0) return;
  const { render } = run;
  const base = { ownerId, resource: parts.map(({ service }) => service.id).join(",") };
  const show = (entry: LogEntry): void => {
    if (only !== undefined && !entry.message.startsWith(only)) return;
    const line = lineOf(entry, parts);
    onLine(only === undefined ? line : { ...line, text: line.text.slice(only.length) });
  };
  let entries: LogEntry[] = [];
  const startTime = query.since?.toISOString() ?? oldestLog(render.client.world.now());
  for (let endTime: string | undefined; ;) {
    const page = await render.logs({ ...base, startTime, endTime, limit: pageSize, direction: "backward" });
    entries = [...page.logs.toReversed(), ...entries];
    endTime = page.nextEndTime;
    const isEnough = query.lines !== undefined && entries.length >= query.lines;
    if (!page.hasMore || page.logs.length === 0 || isEnough || signal.aborted) break;
  }
  for (const entry of query.lines === undefined ? entries : entries.slice(-query.lines)) show(entry);
  let last = entries.at(-1)?.timestamp ?? new Date(render.client.world.now()).toISOString();
  if (!query.follow) return;
  while (await waited(signal)) {
    const page = await render.logs({ ...base, startTime: after(last), limit: pageSize, direction: "forward" });
    for (const entry of page.logs) show(entry);
    last = page.logs.at(-1)?.timestamp ?? last;
  }
}

/** Waits a little. @returns false where the person has seen enough */
const waited = (signal: AbortSignal): Promise<boolean> =>
  sleep(betweenMs, undefined, { signal }).then(
    () => true,
    () => false,
  );

/** Times are told in milliseconds, and the first one asked for is among what is answered. */
const after = (time: string): string => new Date(new Date(time).getTime() + 1).toISOString();
