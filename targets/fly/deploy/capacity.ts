import { DriverError } from "../../../drivers/error";
import { ApiError } from "../../../drivers/http";
import { lacksCapacity } from "../api/explain";
import type { FlyAppPlan } from "../plan";

/** Adds to a refusal for want of room what it was about, and what becomes of the app. */
export function explainCapacity(error: unknown, app: FlyAppPlan): unknown {
  if (!(error instanceof ApiError) || !lacksCapacity(error.failure)) return error;
  return new DriverError({
    what: `Fly has no room in ${app.region} for a machine or volume of ${app.name}.`,
    where: error.parts.where,
    why: `${error.failure.message}; what ran before runs on`,
    fix: "pulumi up again later; or another region, for an app without volumes: pulumi config set --path fly:regions.APP REGION",
  });
}
