import type { DriverErrorParts } from "../../../drivers/error";
import { ApiError, hasStatus, type Failure } from "../../../drivers/http";

/** Fly's own word for what kept it from doing something, `insufficient_capacity`. */
export const flyStatus = (failure: Failure): string => {
  const { body } = failure;
  const status = typeof body === "object" && body !== null ? (body as { status?: unknown }).status : undefined;
  return typeof status === "string" ? status : "";
};

/** Whether the region has no room for a machine or volume, in any of the forms that Fly says it. */
export function lacksCapacity(failure: Failure): boolean {
  const said = `${flyStatus(failure)} ${failure.message}`;
  return /insufficient_capacity|volume_placement_capacity|insufficient resources|could not reserve resource/i.test(
    said,
  );
}

/** Failing statuses that say for certain that nothing was made. */
export function isFinal(_status: number, body: unknown): boolean {
  const status = typeof body === "object" && body !== null ? (body as { status?: unknown }).status : undefined;
  return typeof status === "string" && /capacity|name_taken/.test(status);
}

/** Environment variable with a token for what is deleted. */
export const deleteToken = "HOMEPORT_FLY_TOKEN";

/** A refusal of the token, as far as something was to be deleted: `pulumi config set` doesn't reach what the state has. */
export function explainDelete(error: unknown): unknown {
  if (!hasStatus(error, 401)) return error;
  return new ApiError(error.failure, {
    ...error.parts,
    why: `${error.parts.why}; what is deleted is deleted with the token that it was last deployed with`,
    fix: `${deleteToken}="$(fly tokens create org)" pulumi up, or pulumi destroy: it comes before the state's token`,
  });
}

/** What Fly's refusals mean to a person. */
export function explainFly(failure: Failure): Partial<DriverErrorParts> | undefined {
  if (failure.kind !== "refused") return undefined;
  if (lacksCapacity(failure)) {
    return {
      what: "The region has no room for this machine or volume.",
      fix: "pulumi up again later, or pulumi config set fly:region REGION (fly.io/docs/reference/regions)",
    };
  }
  if (/payment method|credit card/i.test(failure.message)) {
    return { what: "The organization can't have more than it has.", fix: "add a payment method at fly.io/dashboard" };
  }
  switch (failure.status) {
    case 401:
      return {
        what: "Fly doesn't take the token: it has expired, was revoked, or isn't one.",
        fix: "fly tokens create org, then pulumi config set --secret fly:apiToken",
      };
    case 403:
      return {
        what: "The token may not do this.",
        fix: "a token for the whole organization: fly tokens create org, then pulumi config set --secret fly:apiToken",
      };
    case 409:
      return {
        what: "Somebody else is changing this machine.",
        fix: "let the other deploy end (its lease does within seconds of its last sign), then pulumi up",
      };
    case 412:
      return { what: "It changed while it was worked on.", fix: "pulumi up, which looks at it anew" };
    default:
      return undefined;
  }
}
