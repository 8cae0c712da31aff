import type { MachineConfig } from "../api/types";
import { schedulerFolder, type Schedule, type Timed } from "./schedule";

/** Metadata of the scheduler's machine that says when a job was last begun. */
export const ranKey = (job: string): string => `ran_${job}`;

/** Metadata of the scheduler's machine that says how that run ended: `success`, what it failed of, or that it is under way. */
export const endedKey = (job: string): string => `ended_${job}`;

/** Metadata of the scheduler's machine that says since when it keeps a job's times: what was due before isn't made up for. */
export const sinceKey = (job: string): string => `since_${job}`;

/** Metadata of the scheduler's machine that says since when something of the app is known to be bad, or that it is good again. */
export const watchKey = (subject: string): string => `watch_${subject.replace(/[^A-Za-z0-9.-]/g, "_")}`;

/** How a run ended that hasn't yet. */
export const underWay = "running";

type Config = Pick<MachineConfig, "files" | "metadata">;

/** Whether a machine is the one that keeps schedules. */
export const keepsSchedules = (config: Config | undefined): boolean => fileOf(config) !== undefined;

/**
 * What a machine that keeps schedules has written down and one in its place has to know, or it would take what is due meanwhile
 * for something yet to come. Jobs that it no longer has are forgotten, and times that are others now begin with it. Pure.
 */
export function remembered(before: Config | undefined, after: Config): Record<string, string> {
  const known = new Map(timedOf(before).map((one) => [one.name, one]));
  const written = before?.metadata ?? {};
  const entries = timedOf(after).flatMap(({ name, expression, timeZone }) => {
    const then = known.get(name);
    const isSame = then?.expression === expression && then.timeZone === timeZone;
    const keys = [ranKey(name), endedKey(name), ...(isSame ? [sinceKey(name)] : [])];
    return keys.flatMap((key) => (written[key] === undefined ? [] : [[key, written[key]] as const]));
  });
  const watched = Object.entries(written).filter(([key]) => key.startsWith(watchKey("")));
  return Object.fromEntries([...entries, ...watched]);
}

const fileOf = (config: Config | undefined): string | undefined =>
  config?.files?.find(({ guest_path: path }) => path === `${schedulerFolder}/schedule.json`)?.raw_value;

function timedOf(config: Config | undefined): readonly Timed[] {
  try {
    const text = Buffer.from(fileOf(config) ?? "", "base64").toString("utf8");
    const { jobs, backups } = JSON.parse(text) as Partial<Schedule>;
    return [...(jobs ?? []), ...(backups ?? [])];
  } catch {
    return [];
  }
}
