import { apiError, type ApiError, type Explain, type Failure } from "./error";
import { RateLimiter, type Limit } from "./rate";
import { redactor } from "./redact";
import { endingOf, judge, parseRetryAfter, type Ending } from "./retry";
import { realWorld, type Deadline, type World } from "./world";

export interface ClientOptions {
  /** Scheme, host and the path that all calls share, without a slash at the end. */
  readonly base: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Never shown: tokens, and values that the platform may repeat in an answer. */
  readonly secrets: Iterable<string>;
  /** The allowance that a call draws on. @default none */
  readonly limit?: (method: string, path: string) => Limit | undefined;
  /** Header of answers that names the call, `fly-request-id`. */
  readonly requestIdHeader?: string;
  /** Header of an answer with status 429 that says when to come again, in seconds or as a date. @default "retry-after" */
  readonly retryAfterHeader?: string;
  readonly explain?: Explain;
  /** Whether a failing status (5xx) is a refusal nevertheless: nothing was done, and asking again won't help. */
  readonly final?: (status: number, body: unknown) => boolean;
  /** Told of waits that a person would wonder about. */
  readonly progress?: (line: string) => void;
  /** Ends calls and waits. */
  readonly signal?: AbortSignal;
  readonly world?: World;
}

export interface CallOptions {
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly deadline: Deadline;
  /** Whether doing it twice is the same as doing it once. @default true for all but POST and PATCH */
  readonly idempotent?: boolean;
  /** Statuses from 300 up that are answers and no failures, so that they aren't tried again. */
  readonly accept?: readonly number[];
  /** Milliseconds that one attempt may take. @default 30 s */
  readonly timeoutMs?: number;
}

export interface Answer {
  readonly status: number;
  /** Parsed JSON; the text where it isn't JSON; undefined where it is empty. */
  readonly body: unknown;
  readonly requestId?: string;
}

/** A platform's HTTP API with bounded retries, client-side rate limits and errors that are meant for people. */
export class Client {
  readonly world: World;
  /** Blanks the client's secrets in a text. */
  redact: (text: string) => string;
  private readonly limiter = new RateLimiter();
  private readonly host: string;
  private readonly secrets: Set<string>;
  /** How many calls were made, attempts that failed included. */
  calls = 0;

  constructor(private readonly options: ClientOptions) {
    this.world = options.world ?? realWorld;
    this.secrets = new Set(options.secrets);
    this.redact = redactor(this.secrets);
    this.host = new URL(options.base).host;
  }

  /** For secrets that the platform tells only on the way, such as a database's password. */
  hide(secret: string): void {
    this.secrets.add(secret);
    this.redact = redactor(this.secrets);
  }

  /**
   * @throws ApiError; its failure is of kind `unknown` where a call that isn't idempotent may have been acted on: look for
   *   what it was to make, by name or tag, before asking again
   */
  async request(method: string, path: string, call: CallOptions): Promise<Answer> {
    const { deadline } = call;
    const idempotent = call.idempotent ?? (method !== "POST" && method !== "PATCH");
    let last: Omit<Failure, "kind"> = { method, path, status: 0, message: "" };
    for (let attempt = 0; ; attempt++) {
      const limit = this.options.limit?.(method, path);
      if (limit !== undefined && !(await this.pause(this.limiter.take(limit, this.world.now()), deadline))) {
        throw this.overdue(last, deadline);
      }
      if (deadline.passed()) throw this.overdue(last, deadline);
      const tried = await this.attempt(method, path, call);
      last = tried.facts;
      const verdict = judge(attempt, tried.ending, idempotent, () => this.world.random());
      if (verdict.act === "done") {
        const { status } = tried.facts;
        if (status < 300 || (call.accept?.includes(status) ?? false)) return tried.answer;
        throw this.failed({ ...last, kind: "refused" });
      }
      if (verdict.act === "look") throw this.failed({ ...last, kind: "unknown" });
      if (verdict.act === "give up") throw this.failed({ ...last, kind: "unavailable" });
      if (limit !== undefined && last.status === 429) this.limiter.hold(limit, this.world.now() + verdict.wait);
      if (verdict.wait >= 5000)
        this.options.progress?.(`waits ${Math.round(verdict.wait / 1000)} s: ${describe(last)}`);
      if (!(await this.pause(verdict.wait, deadline))) throw this.overdue(last, deadline);
    }
  }

  /** Waits, unless the deadline comes first. @returns false where it does: then nothing was waited for */
  async pause(ms: number, deadline: Deadline): Promise<boolean> {
    this.options.signal?.throwIfAborted();
    if (ms > 0 && ms >= deadline.left()) return false;
    if (ms > 0) await this.world.sleep(ms, this.options.signal);
    return true;
  }

  /** An error for an answer that says no in its body: told and redacted as other failures are. */
  refusal(failure: Failure): ApiError {
    return this.failed({ ...failure, message: this.redact(failure.message) });
  }

  private async attempt(method: string, path: string, call: CallOptions) {
    const { signal } = this.options;
    const ms = Math.max(1, Math.min(call.timeoutMs ?? 30_000, call.deadline.left()));
    const timeout = AbortSignal.timeout(ms);
    const facts = { method, path, status: 0, message: "" };
    this.calls++;
    try {
      const response = await this.world.fetch(this.url(path, call.query), {
        method,
        headers: {
          accept: "application/json",
          "user-agent": "homeport",
          ...(call.body === undefined ? {} : { "content-type": "application/json" }),
          ...this.options.headers,
          ...call.headers,
        },
        ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
        // A redirect would take the token along to wherever it leads.
        redirect: "manual",
        signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      });
      const text = await response.text();
      const { status } = response;
      const body = parse(text);
      const requestId = response.headers.get(this.options.requestIdHeader ?? "x-request-id") ?? undefined;
      const named = requestId === undefined ? {} : { requestId };
      const header = status === 429 ? (this.options.retryAfterHeader ?? "retry-after") : "retry-after";
      const retryAfter = parseRetryAfter(response.headers.get(header), this.world.now());
      const accepted = call.accept?.includes(status) ?? false;
      const final = accepted || (status >= 500 && (this.options.final?.(status, body) ?? false));
      const ending: Ending = {
        kind: "answer",
        status: final ? 400 : status,
        ...(retryAfter === undefined ? {} : { retryAfter }),
      };
      const message = status < 300 ? "" : this.redact(messageOf(body));
      return { ending, facts: { ...facts, status, message, body, ...named }, answer: { status, body, ...named } };
    } catch (error) {
      signal?.throwIfAborted();
      const { ending, why } = endingOf(error);
      return { ending, facts: { ...facts, message: this.redact(why) }, answer: { status: 0, body: undefined } };
    }
  }

  private url(path: string, query: CallOptions["query"]): string {
    const set = new URLSearchParams();
    for (const [key, value] of Object.entries(query ?? {})) if (value !== undefined) set.append(key, String(value));
    const search = set.toString();
    return `${this.options.base}${path}${search === "" ? "" : `?${search}`}`;
  }

  private overdue(last: Omit<Failure, "kind">, deadline: Deadline): ApiError {
    const after = last.message === "" && last.status === 0 ? "" : `; last: ${describe(last)}`;
    const message = `${deadline.what} took longer than ${deadline.seconds} s${after}`;
    return this.failed({ ...last, kind: "deadline", message });
  }

  private failed(failure: Failure): ApiError {
    return apiError(failure, this.host, this.options.explain);
  }
}

const describe = ({ status, message }: Omit<Failure, "kind">): string =>
  [status === 0 ? "" : `status ${status}`, message].filter((part) => part !== "").join(", ");

function parse(text: string): unknown {
  if (text.trim() === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The sentence that says what was wrong, from the forms that APIs give it. A proxy's HTML page is cut short. */
function messageOf(body: unknown): string {
  if (typeof body === "string")
    return body
      .replace(/<[^>]*>|\s+/g, " ")
      .trim()
      .slice(0, 300);
  if (typeof body !== "object" || body === null) return "";
  const { message, error, errors } = body as Record<string, unknown>;
  for (const part of [message, error, Array.isArray(errors) ? (errors[0] as unknown) : undefined]) {
    if (typeof part === "string" && part !== "") return part.slice(0, 500);
    if (typeof part === "object" && part !== null) return messageOf(part);
  }
  return JSON.stringify(body).slice(0, 300);
}
