import type { Limit } from "../../../drivers/http";

const perMinute = (key: string, calls: number): Limit => ({ key, perSecond: calls / 60, burst: calls });

/** How many services, and how many databases of a kind, may be made in an hour. */
export const createsPerHour = 20;

/**
 * Render's limits as the Ratelimit-Limit headers of its answers have them (recorded in render-oss/terraform-provider-render);
 * api-docs.render.com/reference/rate-limiting names lower ones in part.
 */
export function renderLimit(method: string, path: string): Limit | undefined {
  const [, kind = "", id = "", part = ""] = path.split("/");
  if (method === "GET") return perMinute("GET", 400);
  // An hour's allowance isn't rationed: what is refused says how long it takes.
  if (method === "POST" && id === "") return undefined;
  const isScarce =
    kind === "services" &&
    ((method === "PATCH" && part === "") || (method === "POST" && /^(deploys|scale)$/.test(part)));
  return isScarce ? perMinute(`${method} ${part} ${id}`, 10) : perMinute("writes", 100);
}
