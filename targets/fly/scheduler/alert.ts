import { hostname } from "node:os";
import type { Own } from "./own";
import type { Ending } from "./runJob";

/** Writes a run's end to the log, calls the address that awaits good ones, and alerts of others. */
export async function tellEnd(own: Own, name: string, at: Date, ending: Ending): Promise<void> {
  const { code, reason, log: lines } = ending;
  const good = reason === "exit" && code === 0;
  for (const line of lines) own.log(`${name} | ${line}`);
  own.log(`${name}: ${good ? "succeeded" : `failed (${reason === "exit" ? `code ${code ?? "unknown"}` : reason})`}`);
  const { PING_URL: ping, ALERT_WEBHOOK: alert } = process.env;
  const { app, stack, id } = own.schedule;
  const options = { signal: AbortSignal.timeout(15_000), redirect: "manual" } as const;
  try {
    if (good && ping !== undefined) await fetch(`${ping}/${id}-${name}`, options);
    if (good || alert === undefined) return;
    const result = reason === "exit" ? `exit-code ${code ?? ""}`.trim() : reason;
    const time = at.toISOString();
    const body = { app, stack, host: hostname(), unit: name, state: "failed", result, time, log: lines, held: 0 };
    const headers = { "content-type": "application/json" };
    await fetch(alert, { ...options, method: "POST", headers, body: JSON.stringify(body) });
  } catch {
    own.log(`${name}: nobody could be told`);
  }
}
