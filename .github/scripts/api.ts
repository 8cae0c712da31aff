import { setTimeout as sleep } from "node:timers/promises";

/** What GitHub's runner tells a step of itself and the repository. */
export interface Repository {
  /** GITHUB_API_URL. */
  readonly api: string;
  /** GITHUB_REPOSITORY, `owner/name`. */
  readonly name: string;
  /** The job's own token. */
  readonly token: string;
}

/** What GitHub answered that isn't what was asked for. */
export class GitHubError extends Error {
  override readonly name = "GitHubError";
  constructor(
    what: string,
    /** 0 where there was no answer. */
    readonly status: number,
    /** Milliseconds that GitHub wants to be left alone for. */
    readonly pause: number | undefined,
  ) {
    super(what);
  }

  /** Whether the same request may succeed later. "Best practices for using the REST API": 403 and 429 with Retry-After. */
  get passes(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500 || this.pause !== undefined;
  }
}

/** An answer's body, and where the next page of it is. */
export interface Answer {
  readonly body: unknown;
  readonly next: string | undefined;
}

const deadlineMs = 20_000;
const longestPauseMs = 60_000;

/**
 * One request, to a path below the repository or to a page that an answer named.
 * @throws GitHubError for any answer but a success
 */
export async function ask(at: Repository, method: string, path: string, body?: unknown): Promise<Answer> {
  const url = new URL(path.startsWith("http") ? path : `${at.api}/repos/${at.name}/${path}`);
  // The token goes nowhere else, whatever an answer says.
  if (url.origin !== new URL(at.api).origin) throw new Error(`${url.origin} isn't GitHub's API.`);
  const answer = await fetch(url, {
    method,
    headers: {
      ...{ accept: "application/vnd.github+json", "x-github-api-version": "2022-11-28", "user-agent": "homeport" },
      ...{ authorization: `Bearer ${at.token}`, "content-type": "application/json" },
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(deadlineMs),
  }).catch((error: unknown) => {
    throw new GitHubError(`GitHub's API doesn't answer: ${reason(error)}`, 0, undefined);
  });
  const text = await answer.text();
  if (!answer.ok) {
    const pause = answer.headers.get("retry-after");
    const what = `GitHub answered ${method} ${url.pathname} with ${answer.status}: ${messageOf(text)}`;
    throw new GitHubError(what, answer.status, pause === null ? undefined : Number(pause) * 1000);
  }
  const next = /<([^>]+)>;\s*rel="next"/.exec(answer.headers.get("link") ?? "")?.[1];
  return { body: JSON.parse(text) as unknown, next };
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}

function messageOf(text: string): string {
  try {
    return String((JSON.parse(text) as { message?: unknown }).message);
  } catch {
    return text.slice(0, 200);
  }
}

/** Does work that may be done again from its beginning, four times at most, as long as what fails may pass. */
export async function patiently<T>(work: () => Promise<T>, pauseMs = 2_000): Promise<T> {
  for (let failed = 1; ; failed += 1) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof GitHubError) || !error.passes || failed === 4) throw error;
      await sleep(Math.min(error.pause ?? pauseMs * 2 ** failed, longestPauseMs));
    }
  }
}
