import assert from "node:assert/strict";
import fc from "fast-check";
import { RateLimiter } from "../../../drivers/http/rate";
import { backoff, judge, parseRetryAfter } from "../../../drivers/http/retry";

describe("retries", () => {
  it("reads Retry-After in both forms and nothing else", () => {
    const now = Date.UTC(2026, 0, 1);
    assert.equal(parseRetryAfter("120", now), 120_000);
    assert.equal(parseRetryAfter(" 0 ", now), 0);
    assert.equal(parseRetryAfter("Thu, 01 Jan 2026 00:00:30 GMT", now), 30_000);
    assert.equal(parseRetryAfter("Wed, 31 Dec 2025 00:00:30 GMT", now), 0);
    for (const other of [null, "", "-1", "soon", "1e9x", "2026"]) {
      assert.equal(parseRetryAfter(other, now), other === "2026" ? 2_026_000 : undefined, String(other));
    }
  });

  it("waits a random part of a doubling, bounded delay", () => {
    fc.assert(
      fc.property(fc.nat(backoff.attempts - 2), fc.double({ min: 0, max: 0.999, noNaN: true }), (attempt, r) => {
        const verdict = judge(attempt, { kind: "unsent" }, false, () => r);
        assert.ok(verdict.act === "again" && verdict.wait <= Math.min(backoff.capMs, backoff.baseMs * 2 ** attempt));
      }),
    );
  });
});

describe("RateLimiter", () => {
  it("gives a burst at once, and the rest at the rate", () => {
    const limiter = new RateLimiter();
    const limit = { key: "create", perSecond: 1, burst: 3 };
    assert.deepEqual(
      [0, 0, 0, 0, 0].map((now) => limiter.take(limit, now)),
      [0, 0, 0, 1000, 2000],
    );
    assert.equal(limiter.take({ ...limit, key: "other" }, 0), 0);
  });

  it("holds all calls of a key after a refusal", () => {
    const limiter = new RateLimiter();
    const limit = { key: "create", perSecond: 1, burst: 3 };
    limiter.hold(limit, 5000);
    assert.equal(limiter.take(limit, 0), 5000);
    assert.equal(limiter.take(limit, 0), 6000);
  });
});
