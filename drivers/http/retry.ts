import type { World } from "./world";

/** How one attempt ended, as far as trying again is concerned. */
export type Ending =
  /** An answer came. */
  | { readonly kind: "answer"; readonly status: number; readonly retryAfter?: number }
  /** The request was never sent: the name or the connection failed. */
  | { readonly kind: "unsent" }
  /** It was sent, and its answer didn't come, or not whole: it may have been acted on. */
  | { readonly kind: "lost" };

export type Verdict =
  | { readonly act: "done" }
  /** Nothing happened at the other side, or it may happen twice: once more after so many milliseconds. */
  | { readonly act: "again"; readonly wait: number }
  /** It may or may not have happened; the caller has to look before it asks again. */
  | { readonly act: "look" }
  | { readonly act: "give up" };

/** Waits between attempts. A random part of the doubling delay ("full jitter") keeps clients from meeting again. */
export const backoff = { baseMs: 500, capMs: 20_000, attempts: 8 } as const;

/** Longest Retry-After that is waited for; a longer one is told instead. */
export const maxRetryAfterMs = 120_000;

/**
 * What follows from an attempt's end. Pure but for the random source.
 * @param attempt 0 for the first
 * @param idempotent whether doing it twice is the same as doing it once
 */
export function judge(attempt: number, ending: Ending, idempotent: boolean, random: World["random"]): Verdict {
  const again = (asked?: number): Verdict => {
    if (attempt + 1 >= backoff.attempts) return { act: "give up" };
    if (asked !== undefined && asked > maxRetryAfterMs) return { act: "give up" };
    const delay = Math.floor(random() * Math.min(backoff.capMs, backoff.baseMs * 2 ** attempt));
    // Everyone who was told the same time comes back at the same time, so some of the delay is added.
    return { act: "again", wait: asked === undefined ? delay : asked + Math.min(delay, 1000) };
  };
  if (ending.kind === "unsent") return again();
  if (ending.kind === "lost") return idempotent ? again() : { act: "look" };
  const { status, retryAfter } = ending;
  // Refused before anything was done (RFC 6585, 4).
  if (status === 429) return again(retryAfter);
  if (status === 408 || status >= 500) return idempotent ? again(retryAfter) : { act: "look" };
  return { act: "done" };
}

/**
 * Milliseconds that a Retry-After header asks for: seconds or a date (RFC 9110, 10.2.3).
 * @returns undefined where there is none or it can't be read
 */
export function parseRetryAfter(header: string | null, now: number): number | undefined {
  const text = header?.trim() ?? "";
  if (/^\d+(\.\d+)?$/.test(text)) return Math.ceil(Number(text) * 1000);
  // Date.parse reads numbers as years, and much else as dates.
  if (!/^[A-Za-z]{3,9},? /.test(text)) return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

/** Codes of undici and the system for a request that never left. */
const unsentCodes = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** What became of a request whose fetch threw. */
export function endingOf(error: unknown): { readonly ending: Ending; readonly why: string } {
  const code = codeOf(error);
  const sent = code === undefined || !unsentCodes.has(code);
  return { ending: { kind: sent ? "lost" : "unsent" }, why: wordsOf(error, code) };
}

/** undici hides the cause below `fetch failed`, and several addresses' failures below an AggregateError. */
function codeOf(error: unknown): string | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; depth++) {
    const { code } = at as NodeJS.ErrnoException;
    if (typeof code === "string") return code;
    at = at instanceof AggregateError ? (at.errors as unknown[])[0] : at.cause;
  }
  return undefined;
}

function wordsOf(error: unknown, code: string | undefined): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return "no answer came in time";
  const cause = error.cause instanceof Error && error.cause.message !== "" ? error.cause.message : error.message;
  return code !== undefined && !cause.includes(code) ? `${cause} (${code})` : cause;
}
