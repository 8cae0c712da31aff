import { DriverError, type DriverErrorParts } from "../error";

/** What is known of a call that didn't come to a good end. */
export interface Failure {
  readonly kind:
    /** The platform said no. */
    | "refused"
    /** The platform stayed unable to answer, or out of reach, for as long as was tried. */
    | "unavailable"
    /** It may have been acted on; only for calls that aren't idempotent. */
    | "unknown"
    /** The step's time is over. */
    | "deadline";
  readonly method: string;
  /** Path without the query, which may hold values. */
  readonly path: string;
  /** 0 where no answer came. */
  readonly status: number;
  /** The platform's own words, or the network's; without secrets. */
  readonly message: string;
  /** The parsed body of the answer, where there is one. Not for people. */
  readonly body?: unknown;
  /** The platform's name for the call, which its support asks for. */
  readonly requestId?: string;
}

/** A driver's words for a failure; what it leaves out is filled in. */
export type Explain = (failure: Failure) => Partial<DriverErrorParts> | undefined;

/** A call to a platform that failed, told to a person, with the facts for the driver. */
export class ApiError extends DriverError {
  constructor(
    readonly failure: Failure,
    parts: DriverErrorParts,
  ) {
    super(parts);
  }

  get status(): number {
    return this.failure.status;
  }
}

/** Whether a call failed with one of these statuses. */
export const hasStatus = (error: unknown, ...statuses: number[]): error is ApiError =>
  error instanceof ApiError && error.failure.kind === "refused" && statuses.includes(error.status);

/** Whether a call may have been acted on. */
export const isUnknown = (error: unknown): error is ApiError =>
  error instanceof ApiError && error.failure.kind === "unknown";

export function apiError(failure: Failure, host: string, explain: Explain | undefined): ApiError {
  const told = explain?.(failure) ?? {};
  const call = `${failure.method} ${failure.path} at ${host}`;
  const where = told.where === undefined ? call : `${told.where} (${call})`;
  const why = told.why ?? (failure.message === "" ? "it didn't say why" : failure.message);
  return new ApiError(failure, {
    what: told.what ?? defaultWhat(failure),
    where: failure.requestId === undefined ? where : `${where}, request ${failure.requestId}`,
    why,
    fix: told.fix ?? defaultFix(failure),
  });
}

function defaultWhat({ kind, status }: Failure): string {
  if (kind === "deadline") return "The platform took longer than it may.";
  if (kind === "unknown") return "The platform's answer was lost, and what was asked for may have been done.";
  if (status === 0) return "The platform can't be reached.";
  if (status === 429) return "The platform refuses more calls for now.";
  if (status >= 500) return `The platform is failing (status ${status}).`;
  return `The platform refused a call (status ${status}).`;
}

function defaultFix({ kind, status }: Failure): string {
  if (kind === "refused" && status !== 429) return "mend what it complains of, then pulumi up";
  return "pulumi up, which takes up where this stopped; look at the platform's status page if it stays";
}
