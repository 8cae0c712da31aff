import type { Limit } from "../../../drivers/http";

/**
 * Fly's documented limits: 1 call a second for each action on a machine or app, 3 at once; 5 a second and 10 at once for
 * getting a machine (fly.io/docs/machines/api/working-with-machines-api, Rate limits).
 */
export function flyLimit(method: string, path: string): Limit {
  const parts = path.split("/").filter((part) => part !== "");
  // v1 apps {app} machines {machine} {action}: the names say whose allowance it is, the rest what it is for.
  const key = `${method} ${parts.join("/")}`;
  const getsMachine = method === "GET" && parts[3] === "machines" && parts.length === 5;
  return getsMachine ? { key, perSecond: 5, burst: 10 } : { key, perSecond: 1, burst: 3 };
}
