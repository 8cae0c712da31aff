import type { AwsCall, Refusal } from "./protocol";

/** What can be made to go wrong with calls. Lost answers end in a closed connection, held ones never come. */
export type FaultKind = "throttled" | "no capacity" | "server error" | "answer lost" | "answer held";

/** The next calls of an action that go wrong. */
export interface Fault {
  /** The action's name; for services with paths, the method and the beginning of the path: `PUT /my-bucket`. */
  readonly action: string;
  readonly kind: FaultKind;
  /** How many calls. Default: 1. */
  readonly times?: number;
}

/** Errors as EC2 names them: docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html. */
const noCapacity: Refusal = {
  status: 500,
  code: "InsufficientInstanceCapacity",
  message: "We currently do not have sufficient capacity in the Availability Zone you requested.",
};
const serverError: Refusal = { status: 500, code: "InternalError", message: "An internal error has occurred" };

/** A service's word for being asked too often: EC2's and S3's own lists of errors; the others' "Common Errors". */
function throttled({ service, parameters }: AwsCall): Refusal {
  if (service === "ec2") return { status: 503, code: "RequestLimitExceeded", message: "Request limit exceeded." };
  if (service === "s3") return { status: 503, code: "SlowDown", message: "Please reduce your request rate." };
  return {
    status: 400,
    code: parameters.has("Action") ? "Throttling" : "ThrottlingException",
    message: "Rate exceeded",
  };
}

/** The faults that were asked for and haven't all happened yet. */
export class Faults {
  private readonly waiting: { action: string; kind: FaultKind; left: number }[] = [];

  add({ action, kind, times = 1 }: Fault): void {
    this.waiting.push({ action, kind, left: times });
  }

  clear(): void {
    this.waiting.length = 0;
  }

  /** What becomes of a call: an error in its place, its answer lost or held, or nothing. Counts it. */
  take(call: AwsCall): Refusal | "answer lost" | "answer held" | undefined {
    const isPath = call.action.includes(" ");
    const fault = this.waiting.find(
      (one) => one.left > 0 && (isPath ? call.action.startsWith(one.action) : call.action === one.action),
    );
    if (fault === undefined) return undefined;
    fault.left--;
    switch (fault.kind) {
      case "answer lost":
      case "answer held":
        return fault.kind;
      case "throttled":
        return throttled(call);
      case "no capacity":
        return noCapacity;
      case "server error":
        return serverError;
    }
  }
}
