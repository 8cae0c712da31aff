import { hostname } from "node:os";
import type { Run } from "./run";
import type { State } from "./state";

/** Who is changing an app, so that nobody else does at the same time: Pulumi's lock covers `pulumi up` alone. */
export interface Lease {
  /** The command: `homeport rollback`. */
  readonly holder: string;
  readonly host: string;
  readonly pid: number;
  /** When it ends by itself, ISO 8601. */
  readonly until: string;
}

export const leaseOf = (holder: string, now: number, seconds: number): Lease => ({
  holder,
  host: hostname(),
  pid: process.pid,
  until: new Date(now + seconds * 1000).toISOString(),
});

/** Whether somebody else holds it: neither this process, nor one of this machine that has ended. */
export function isHeld(lease: Lease | undefined, now: number): lease is Lease {
  if (lease === undefined || !(Date.parse(lease.until) > now)) return false;
  return lease.host !== hostname() || (lease.pid !== process.pid && runs(lease.pid));
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** @param but a holder that doesn't stand in the way @throws DriverError where somebody else is changing the app */
export function refuseHeld(run: Run, state: State | undefined, but?: string): void {
  const lease = state?.lease;
  if (!isHeld(lease, run.railway.client.world.now()) || lease.holder === but) return;
  throw run.error(
    `${lease.holder} is under way on ${lease.host}.`,
    "two at a time would undo each other's work; nothing was changed",
    `wait for its end; if it was cut off, this goes on after ${lease.until}`,
  );
}
