/**
 * What tests switch from outside: the version answered and the fault shown, by files in the app's root.
 * FAULT holds one of: boot, slow:<seconds>, hang, health, release. No file, no fault.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export const ROOT = join(import.meta.dirname, "..");

function read(name: string): string {
  try {
    return readFileSync(join(ROOT, name), "utf8").trim();
  } catch {
    return "";
  }
}

const version = read("VERSION");

export const fault = (): string => read("FAULT");

/** The body of /version: which code runs, in which process, with which environment. */
export const facts = () => ({ version, pid: process.pid, env: process.env.APP_GREETING ?? null });

/** Call before anything listens. */
export async function atStart(): Promise<void> {
  if (fault() === "boot") fail("FAULT boot: refusing to start", 1);
  if (fault().startsWith("slow:")) await sleep(Number(fault().slice("slow:".length)) * 1000);
}

/** Ends the process with one line on stderr. */
export function fail(message: string, code = 2): never {
  console.error(message);
  process.exit(code);
}

/** Structured log line on stdout. */
export function log(message: string, fields: object = {}): void {
  console.log(JSON.stringify({ time: new Date().toISOString(), message, ...fields }));
}
