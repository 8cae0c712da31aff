import type { DriverErrorParts } from "../../../drivers/error";
import type { Failure } from "../../../drivers/http";
import { createsPerHour } from "./limits";

/** What Render's refusals mean to a person. */
export function explainRender(failure: Failure): Partial<DriverErrorParts> | undefined {
  const { method, path, status } = failure;
  if (status === 429 && method === "POST" && /^\/(services|postgres|key-value)$/.test(path)) {
    return {
      what: `Render lets ${createsPerHour} services, and as many databases of a kind, be made in an hour, and these are used up.`,
      fix: "pulumi up again within the hour: what was made stays, and the rest is made then",
    };
  }
  if (failure.kind !== "refused") return undefined;
  switch (status) {
    case 401:
      return {
        what: "Render doesn't take the API key: it was revoked, or isn't one.",
        fix: "make one at dashboard.render.com (Account settings, API keys), then pulumi config set --secret render:apiKey",
      };
    case 402:
      return {
        what: "The workspace has no means of payment, or its plan doesn't have this.",
        fix: "add one at dashboard.render.com (Billing), or choose another plan: pulumi config set --path render:plans.APP-PART PLAN",
      };
    case 403:
      return {
        what: "The key's user may not do this in the workspace.",
        fix: "ask an administrator of the workspace, or use a key of one: pulumi config set --secret render:apiKey",
      };
    default:
      return undefined;
  }
}
