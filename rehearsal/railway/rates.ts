import { Refusal } from "../platform/http";
import { Limits } from "../platform/limits";
import { plans } from "./plans";
import type { Token } from "./state";
import type { World } from "./world";

const hourMs = 3_600_000;

/** The limits of calls by plan, an hour and a second: https://docs.railway.com/integrations/api#rate-limits */
export class Rates {
  private readonly limits = new Limits();

  constructor(private readonly world: World) {}

  /** Counts a call. Returns the headers that tell what is left; throws 429 where nothing is. */
  take(token: Token): Record<string, string> {
    const { state, settings, clock } = this.world;
    if (!settings.rateLimits) return {};
    const workspaceId = token.workspaceId ?? state.projects[token.projectId ?? ""]?.workspaceId;
    const { plan } = state.workspaces.find((one) => one.id === workspaceId) ?? state.workspaces[0]!;
    const limit = settings.hourlyLimit ?? plans[plan].callsAnHour;
    const now = clock.now();
    const known = state.hours[token.id];
    const hour = known === undefined || now - known.startedAt >= hourMs ? { startedAt: now, calls: 0 } : known;
    state.hours[token.id] = hour;
    const resetAt = hour.startedAt + hourMs;
    const perSecond = plans[plan].callsASecond;
    const waitMs =
      hour.calls >= limit ? resetAt - now : this.limits.take(token.id, { perSecond, burst: perSecond }, now);
    if (waitMs === 0) hour.calls += 1;
    this.world.store.save();
    const headers = {
      "x-ratelimit-limit": String(limit),
      "x-ratelimit-remaining": String(Math.max(0, limit - hour.calls)),
      "x-ratelimit-reset": new Date(resetAt).toISOString(),
    };
    if (waitMs === 0) return headers;
    throw new Refusal({
      status: 429,
      body: { errors: [{ message: "Rate limit exceeded" }] },
      headers: { ...headers, "retry-after": String(Math.ceil(waitMs / 1000)) },
    });
  }
}
