import type { IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { isLoopback } from "./check";
import { SourceError } from "./error";

/** Milliseconds of silence, before the answer and within it, after which a server is given up. */
const SILENCE_MS = 30_000;

/** Milliseconds to wait before the second and the third try; a Retry-After header may ask for up to the limit. */
const RETRIES_MS = [250, 1_000];
const MAX_RETRY_AFTER_MS = 10_000;

const MAX_REDIRECTS = 5;

/**
 * Asks for a URL, through redirects and again after passing errors; answers with any other status than these. The body
 * comes as it is sent: not unpacked, so that its hash is that of the file.
 * @param pauses milliseconds before each further try
 * @throws SourceError when no server answers, or a redirect leads to an unprotected URL
 */
export async function get(
  location: string,
  headers: Record<string, string> = {},
  pauses: readonly number[] = RETRIES_MS,
): Promise<IncomingMessage> {
  for (let attempt = 0; ; attempt++) {
    const pause = pauses[attempt];
    let wait = pause ?? 0;
    try {
      const response = await follow(location, headers);
      const status = response.statusCode ?? 0;
      const passing = status === 429 || status >= 500;
      const asked = 1000 * Number(response.headers["retry-after"] ?? 0);
      if (asked > 0) wait = asked;
      if (!passing || pause === undefined || wait > MAX_RETRY_AFTER_MS) return response;
      response.destroy();
    } catch (error) {
      if (error instanceof SourceError || pause === undefined) throw unreachable(location, error);
    }
    await sleep(wait);
  }
}

async function follow(location: string, headers: Record<string, string>): Promise<IncomingMessage> {
  let url = new URL(location);
  // The credentials are for the first host, not for where it redirects to.
  const { origin } = url;
  const login = [url.username, url.password].map(decodeURIComponent).join(":");
  const authorization = login === ":" ? {} : { authorization: `Basic ${Buffer.from(login).toString("base64")}` };
  for (let hops = 0; ; hops++) {
    const response = await send(url, { ...headers, ...(url.origin === origin ? authorization : {}) });
    const next = response.headers.location;
    if (![301, 302, 303, 307, 308].includes(response.statusCode ?? 0) || next === undefined) return response;
    response.destroy();
    const target = new URL(next, url);
    const open = url.protocol === "https:" || !isLoopback(target.hostname);
    if (hops >= MAX_REDIRECTS) throw refusal(location, "it redirects too often", "use the URL it ends at");
    if (target.protocol !== "https:" && (target.protocol !== "http:" || open)) {
      throw refusal(
        location,
        `it redirects to ${target.protocol}//${target.host}, which isn't https`,
        "use another URL",
      );
    }
    url = target;
  }
}

async function send(url: URL, headers: Record<string, string>): Promise<IncomingMessage> {
  const { request } = url.protocol === "https:" ? await import("node:https") : await import("node:http");
  const plain = new URL(url);
  plain.username = plain.password = "";
  return new Promise((done, fail) => {
    const all = { "user-agent": "homeport", "accept-encoding": "identity", ...headers };
    const sent = request(plain, { headers: all, agent: false, timeout: SILENCE_MS });
    sent.once("timeout", () => sent.destroy(new Error(`the server sent nothing for ${SILENCE_MS / 1000} s`)));
    sent.once("error", fail);
    sent.once("response", done);
    sent.end();
  });
}

function refusal(location: string, why: string, fix: string): SourceError {
  return new SourceError({ what: "The tarball can't be downloaded", where: `tarball ${location}`, why, fix });
}

/** What to tell when a transfer breaks. */
export function unreachable(location: string, error: unknown): SourceError {
  if (error instanceof SourceError) return error;
  // Node names the address tries of one connection in an AggregateError with an empty message.
  const cause = error instanceof AggregateError ? (error.errors as unknown[])[0] : error;
  const why = cause instanceof Error ? cause.message : String(cause);
  return refusal(location, why, "check the network and the URL: curl -fLO <url>");
}

/** What to tell of a status that brings no file. */
export function refusedStatus(location: string, status: number): SourceError {
  const fix =
    status === 401 || status === 403
      ? "put credentials into a secret configuration value: https://user:token@host/…"
      : status === 404 || status === 410
        ? "check the URL; a private file may also look absent to those who may not see it"
        : "try again later, or use another URL";
  return refusal(location, `the server answered with status ${status}`, fix);
}
