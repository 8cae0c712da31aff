import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, realpathSync, renameSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { AwsPlan } from "./aws/aws";
import type { Machine } from "./host/machine";
import type { Network } from "./host/network";
import type { PlatformPlan } from "./platform/process";
import type { Emulator } from "./s3/moto";

/** A process, told from a later one with the same number by its start. */
export interface Process {
  readonly pid: number;
  /** Clock ticks between this machine's boot and the process's start: proc_pid_stat(5), field 22. */
  readonly started: string;
  /** Which boot of this machine that was. */
  readonly boot: string;
}

/** What a site has, or is about to have: written before anything is made, so that a killed run can be cleaned up. */
export interface SiteState {
  readonly version: 1;
  readonly id: string;
  /** Short and unique to the site on this machine; part of every name that it uses. */
  readonly tag: string;
  readonly owner: Process;
  /** Whether the site stays when its owner ends. */
  readonly keep: boolean;
  readonly network?: Network;
  readonly machines: readonly Machine[];
  readonly emulator?: Emulator;
  readonly aws?: AwsPlan;
  readonly fly?: PlatformPlan;
  readonly railway?: PlatformPlan;
  readonly render?: PlatformPlan;
}

/** Where a checkout's sites lie, unless told otherwise. */
export const sitesFolder = resolve(__dirname, "..", ".homeport", "rehearsal");

/** The start of a process in clock ticks after boot; undefined when there is none of that number. */
export function startOf(pid: number): string | undefined {
  try {
    // The command's name may hold spaces and brackets: the fields that count come after its last bracket.
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

const bootId = (): string => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();

/** This process. */
export function thisProcess(): Process {
  return { pid: process.pid, started: startOf(process.pid) ?? "", boot: bootId() };
}

/** Whether a process still runs: the very one, not another that got its number. */
export function lives(one: Process): boolean {
  return one.boot === bootId() && startOf(one.pid) === one.started;
}

/** The short name of a site that no other site on this machine has, whatever checkout it is in. */
export function tagOf(folder: string, id: string): string {
  const place = existsSync(folder) ? realpathSync(folder) : folder;
  return createHash("sha256").update(`${place}\n${id}`).digest("hex").slice(0, 6);
}

/** Reads a site's state; undefined when there is none, or none that can be read. */
export function readState(folder: string, id: string): SiteState | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, id, "state.json"), "utf8")) as SiteState;
  } catch {
    return undefined;
  }
}

/** Writes a site's state: the old one or the new one is there at any moment. */
export function writeState(folder: string, state: SiteState): void {
  const own = join(folder, state.id);
  mkdirSync(own, { recursive: true, mode: 0o700 });
  const part = join(own, "state.json.part");
  writeFileSync(part, `${JSON.stringify(state, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(part, join(own, "state.json"));
}

/** The sites that a folder holds. */
export function siteIds(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
}
