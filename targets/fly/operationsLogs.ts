import { hasStatus } from "../../drivers/http";
import type { LogLine, LogQuery, PlacedApp } from "../operations";
import type { Fly } from "./api/fly";
import type { FlyLogs } from "./api/logs";
import type { Whereabouts } from "./operationsFind";
import { backupName } from "./scheduler/schedule";

const levelOf = (level: string): LogLine["level"] =>
  level === "error" || level === "fatal" ? "error" : level === "warn" || level === "warning" ? "warning" : "other";

/** The scheduler's own word for a run: `ingest: begins …`, `ingest | machine 148…`. */
const ofRun = /^([a-z0-9.-]+)(?::| \|) (.*)$/;

/** Follows Fly's logs of an app's parts; the scheduler's lines on a job or a backup are that one's, too. */
export async function followLogs(
  fly: Fly,
  logs: FlyLogs,
  where: Whereabouts,
  app: Pick<PlacedApp, "declaration">,
  query: LogQuery,
  onLine: (line: LogLine) => void,
  signal: AbortSignal,
): Promise<void> {
  const parts = new Map((await where.allMachines()).map(({ machine, part }) => [machine.id, part]));
  const wanted = query.part === undefined ? undefined : partOf(app, query.part);
  const after = new Map<string, string>();
  // The scheduler first: it tells which job a machine that is gone by now was for.
  const apps = where.appNames().sort((a, b) => Number(b === where.scheduler) - Number(a === where.scheduler));
  for (let first = true; ; first = false) {
    const found: LogLine[] = [];
    for (const name of apps) {
      const next = after.get(name);
      const { lines, next: following } = await logs
        .read(name, fly.deadline(60, "the logs"), next === undefined ? {} : { after: next })
        .catch((error: unknown) => {
          // One that was never deployed has no logs, as little as one that isn't followed any more.
          if (signal.aborted || hasStatus(error, 404)) return { lines: [], next: undefined };
          throw error;
        });
      if (following !== undefined) after.set(name, following);
      for (const { time, instance, level, message } of lines) {
        let part = parts.get(instance) ?? instance;
        const run = name === where.scheduler ? ofRun.exec(message) : null;
        if (run?.[1] !== undefined) {
          part = run[1].replace(/^backup\./, "");
          const machine = /^machine (\w+)$/.exec(run[2] ?? "")?.[1];
          if (machine !== undefined) parts.set(machine, part);
        }
        const at = new Date(time);
        if (wanted !== undefined && part.split("/")[0] !== wanted) continue;
        if (query.since === undefined || at >= query.since) {
          found.push({ time: at, part, text: message, level: levelOf(level) });
        }
      }
    }
    found.sort((a, b) => a.time.getTime() - b.time.getTime());
    const shown = first && query.lines !== undefined ? found.slice(-query.lines) : found;
    for (const line of shown) onLine(line);
    if (!query.follow || signal.aborted) return;
    await fly.client.world.sleep(2000, signal).catch(() => undefined);
    if (isOver(signal)) return;
  }
}

// A function, as the compiler takes a property that was false before to be so still.
const isOver = (signal: AbortSignal): boolean => signal.aborted;

function partOf(
  { declaration }: Pick<PlacedApp, "declaration">,
  { kind, name }: NonNullable<LogQuery["part"]>,
): string {
  if (kind !== "database") return name;
  const database = declaration.databases.find((one) => one.name === name);
  return database?.engine === "redis" ? "redis" : backupName(name).replace(/^backup\./, "");
}
