/** So many calls in each span of time. */
interface Limit {
  readonly calls: number;
  readonly seconds: number;
}

interface Window {
  readonly began: number;
  used: number;
}

const perMinute = (calls: number): Limit => ({ calls, seconds: 60 });

/**
 * Which calls share a limit, and how many there may be, by the Ratelimit-Limit headers that recorded answers have: not all
 * is as https://api-docs.render.com/reference/rate-limiting says.
 */
function limitOf(method: string, path: string): { readonly name: string; readonly limit: Limit } {
  const [, kind = "", id = "", part = ""] = path.split("/");
  if (method === "GET") return { name: "GET", limit: perMinute(400) };
  if (method === "POST" && id === "" && ["services", "postgres", "key-value"].includes(kind))
    return { name: `POST ${kind}`, limit: { calls: 20, seconds: 3_600 } };
  if (kind === "services" && method === "PATCH" && part === "") return { name: `PATCH ${id}`, limit: perMinute(10) };
  if (kind === "services" && method === "POST" && ["deploys", "scale"].includes(part))
    return { name: `${part} ${id}`, limit: perMinute(10) };
  if (kind === "services" && method === "POST" && part === "custom-domains")
    return { name: "POST custom-domains", limit: perMinute(50) };
  if (kind === "services" && part === "jobs") return { name: "jobs", limit: { calls: 2_000, seconds: 3_600 } };
  return { name: "writes", limit: perMinute(100) };
}

/** What a limit has left after a call. */
export interface Left {
  readonly isAllowed: boolean;
  readonly headers: Readonly<Record<string, string>>;
}

/** Counts calls in spans that begin with their first one. */
export class RateLimits {
  private readonly windows = new Map<string, Window>();

  take(key: string, method: string, path: string, now: number): Left {
    const { name, limit } = limitOf(method, path);
    const known = this.windows.get(`${key} ${name}`);
    const isOver = known === undefined || now >= known.began + limit.seconds * 1000;
    const window = isOver ? { began: now, used: 0 } : known;
    this.windows.set(`${key} ${name}`, window);
    const isAllowed = window.used < limit.calls;
    if (isAllowed) window.used += 1;
    // The documentation says a time of day; recorded answers have the seconds that are left.
    const reset = Math.ceil((window.began + limit.seconds * 1000 - now) / 1000);
    return {
      isAllowed,
      headers: {
        "ratelimit-limit": String(limit.calls),
        "ratelimit-remaining": String(limit.calls - window.used),
        "ratelimit-reset": String(reset),
      },
    };
  }
}
