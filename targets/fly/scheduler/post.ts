import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { Own } from "./own";

/** What an alert says, besides whose it is; the fields of every target's alerts. */
export interface Alert {
  readonly unit: string;
  readonly state: "failed" | "bad" | "good";
  readonly result: string;
  readonly at: Date;
  readonly log: readonly string[];
}

const tries = 4;

/** Posts an alert to the stack's address, where there is one. @returns whether it was taken there, or nobody awaits it */
export async function post(own: Own, { at, ...alert }: Alert, pauseMs = 5000): Promise<boolean> {
  const { ALERT_WEBHOOK: url } = process.env;
  if (url === undefined) return true;
  const { app, stack } = own.schedule;
  const body = JSON.stringify({ app, stack, host: hostname(), ...alert, time: at.toISOString(), held: 0 });
  const headers = { "content-type": "application/json" };
  for (let attempt = 1; ; attempt++) {
    try {
      const signal = AbortSignal.timeout(15_000);
      const { ok, status } = await fetch(url, { method: "POST", headers, body, signal, redirect: "manual" });
      if (ok) return true;
      if (status < 500 && status !== 429) break;
    } catch {
      // Its address is a secret, which the error may tell.
    }
    if (attempt === tries) break;
    await sleep(pauseMs * attempt);
  }
  own.log(`${alert.unit}: nobody could be told`);
  return false;
}
