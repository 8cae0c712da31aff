import type { DriverErrorParts } from "../../../drivers/error";
import type { Failure } from "../../../drivers/http";

/** What Railway's refusals mean to a person; it tells them by words alone (railwayapp/cli, src/client.rs). */
export function explainRailway({ kind, status, message }: Failure): Partial<DriverErrorParts> | undefined {
  if (kind !== "refused" && kind !== "unavailable") return undefined;
  if (status === 429 || /rate limit/i.test(message)) {
    return {
      what: "The hour's allowance of Railway's API is used up.",
      fix: "pulumi up in an hour, which takes up where this stopped (railway.com/pricing: 1000 requests an hour on Hobby, 10000 on Pro)",
    };
  }
  if (/two factor/i.test(message)) {
    return {
      what: "The workspace wants two-factor authentication of everyone, and the token's owner hasn't set it up.",
      fix: "railway.com/account/security, then pulumi up",
    };
  }
  if (/project token not found/i.test(message)) {
    return {
      what: "Railway doesn't know the project's token: it was revoked, or isn't one.",
      fix: "a new one of the project's settings, then pulumi config set --secret railway:projectToken",
    };
  }
  if (/not authorized/i.test(message)) {
    return {
      what: "Railway doesn't take the token, or the token may not see what was asked for.",
      fix: "a token of the right workspace of railway.com/account/tokens, then pulumi config set --secret railway:apiToken",
    };
  }
  if (/commit not found/i.test(message)) {
    return { what: "Railway doesn't find the commit at GitHub.", fix: "git push, then pulumi up" };
  }
  if (/repo(sitory)?\b.*(not found|access|installed)|github app/i.test(message)) {
    return {
      what: "Railway can't read the repository.",
      fix: "let Railway's GitHub app see it: github.com/apps/railway-app/installations/new",
    };
  }
  if (/plan|upgrade|limit (exceeded|reached)|resource limit/i.test(message)) {
    return { what: "The workspace's plan doesn't allow it.", fix: "ask for less, or change the plan at railway.com" };
  }
  if (status === 403 || status === 401) {
    return {
      what: "Something before Railway's API refuses this machine.",
      fix: "try from another network, then pulumi up",
    };
  }
  return undefined;
}
