import type { Own } from "./own";
import { post } from "./post";
import type { Ending } from "./runJob";

/** Writes a run's end to the log, calls the address that awaits good ones, and alerts of others. */
export async function tellEnd(own: Own, name: string, at: Date, ending: Ending): Promise<void> {
  const { code, reason, log } = ending;
  const good = reason === "exit" && code === 0;
  for (const line of log) own.log(`${name} | ${line}`);
  own.log(`${name}: ${good ? "succeeded" : `failed (${reason === "exit" ? `code ${code ?? "unknown"}` : reason})`}`);
  const { PING_URL: ping } = process.env;
  if (!good) {
    const result = reason === "exit" ? `exit-code ${code ?? ""}`.trim() : reason;
    await post(own, { unit: name, state: "failed", result, at, log });
  } else if (ping !== undefined) {
    const options = { signal: AbortSignal.timeout(15_000), redirect: "manual" } as const;
    await fetch(`${ping}/${own.schedule.id}-${name}`, options).catch(() => {
      own.log(`${name}: nobody could be told`);
    });
  }
}
