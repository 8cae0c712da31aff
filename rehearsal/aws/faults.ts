import type { AwsCall, Refusal } from "./protocol";

/** What can be made to go wrong with calls. */
export type FaultKind = "throttled" | "no capacity" | "server error" | "answer lost";

/** The next calls of an action that go wrong. */
export interface Fault {
  /** The action's name; for services with paths, the method and the beginning of the path: `PUT /my-bucket`. */
  readonly action: string;
  readonly kind: FaultKind;
  /** How many calls. Default: 1. */
  readonly times?: number;
}

/** The error of each kind, as EC2 names it: docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html. */
const refusals: Record<Exclude<FaultKind, "answer lost">, Refusal> = {
  throttled: { status: 503, code: "RequestLimitExceeded", message: "Request limit exceeded." },
  "no capacity": {
    status: 500,
    code: "InsufficientInstanceCapacity",
    message: "We currently do not have sufficient capacity in the Availability Zone you requested.",
  },
  "server error": { status: 500, code: "InternalError", message: "An internal error has occurred" },
};

/** Other services' word for being throttled: docs.aws.amazon.com, "Common Errors" of each. */
const throttling: Record<string, string> = { s3: "SlowDown", ec2: "RequestLimitExceeded" };

/** The faults that were asked for and haven't all happened yet. */
export class Faults {
  private readonly waiting: { action: string; kind: FaultKind; left: number }[] = [];

  add({ action, kind, times = 1 }: Fault): void {
    this.waiting.push({ action, kind, left: times });
  }

  clear(): void {
    this.waiting.length = 0;
  }

  /** What becomes of a call: an error in its place, its answer lost, or nothing. Counts it. */
  take(call: AwsCall): Refusal | "answer lost" | undefined {
    const isPath = call.action.includes(" ");
    const fault = this.waiting.find(
      (one) => one.left > 0 && (isPath ? call.action.startsWith(one.action) : call.action === one.action),
    );
    if (fault === undefined) return undefined;
    fault.left--;
    if (fault.kind === "answer lost") return "answer lost";
    const refusal = refusals[fault.kind];
    return fault.kind === "throttled"
      ? { ...refusal, code: throttling[call.service] ?? "ThrottlingException" }
      : refusal;
  }
}
