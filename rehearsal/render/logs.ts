import { listOf, requireOwner, type Handler } from "./operation";
import { isoTime } from "./world";

/** Lines of services, the newest page first unless it is asked forward; each page oldest or newest first, as asked. */
export const listLogs: Handler = (request) => {
  const { world, query } = request;
  requireOwner(request, query.get("ownerId")!);
  const isForward = query.get("direction") === "forward";
  const limit = Number(query.get("limit") ?? 20);
  // Without a time it goes back one hour.
  const from = new Date(query.get("startTime") ?? world.clock.now() - 3_600_000).getTime();
  const to = query.has("endTime") ? new Date(query.get("endTime")!).getTime() : Infinity;
  const types = listOf(query, "type");
  const texts = listOf(query, "text") ?? [];
  const instances = listOf(query, "instance");
  const lines = world.logs.of(listOf(query, "resource") ?? []).filter(({ at, type, message, instance }) => {
    const isTime = at >= from && at <= to && (types?.includes(type) ?? true);
    return isTime && texts.every((text) => message.includes(text)) && (instances?.includes(instance) ?? true);
  });
  const shown = isForward ? lines.slice(0, limit) : lines.slice(-limit).reverse();
  const last = shown.at(-1)?.at ?? 0;
  return {
    status: 200,
    body: {
      hasMore: lines.length > shown.length,
      nextStartTime: isoTime(isForward ? last + 1 : from),
      nextEndTime: isoTime(isForward ? Math.min(to, world.clock.now()) : Math.max(0, last - 1)),
      logs: shown.map(({ id, message, at, resource, type, instance, level }) => ({
        ...{ id, message, timestamp: isoTime(at) },
        labels: Object.entries({ resource, type, instance, level }).map(([name, value]) => ({ name, value })),
      })),
    },
  };
};
