import assert from "node:assert/strict";
import fc from "fast-check";
import { ApiError, createOnce, Deadline, hasStatus, isUnknown } from "../../../drivers/http";
import { Stage, type Line } from "./stage";

const failure = async (work: Promise<unknown>): Promise<ApiError> => {
  const error = await work.then(() => undefined).catch((thrown: unknown) => thrown);
  assert.ok(error instanceof ApiError, `it ended with ${String(error)}`);
  return error;
};

describe("HTTP client", () => {
  it("sends JSON and returns the parsed answer", async () => {
    const stage = new Stage([{ status: 200, body: { id: "m1" }, headers: { "fly-request-id": "01ABC" } }]);
    const client = stage.client({ requestIdHeader: "fly-request-id", headers: { authorization: "Bearer abc" } });
    const options = { body: { name: "x" }, query: { region: "fra", none: undefined }, deadline: stage.deadline() };
    const answer = await client.request("POST", "/apps", options);
    assert.deepEqual(answer, { status: 200, body: { id: "m1" }, requestId: "01ABC" });
    assert.equal(stage.seen[0]?.url, "https://api.example.test/v1/apps?region=fra");
    assert.equal(stage.seen[0].init.body, '{"name":"x"}');
    assert.equal(stage.seen[0].init.redirect, "manual");
  });

  it("waits as long as Retry-After says, in seconds and as a date, and a little more", async () => {
    const stage = new Stage([
      { status: 429, headers: { "retry-after": "7" } },
      { status: 429, headers: { "retry-after": new Date(1_800_000_000_000 + 27_000).toUTCString() } },
      { status: 200 },
    ]);
    await stage.client().request("POST", "/apps", { deadline: stage.deadline() });
    assert.equal(stage.waits.length, 2);
    assert.ok(stage.waits[0]! >= 7000 && stage.waits[0]! <= 8000, String(stage.waits[0]));
    assert.ok(stage.time >= 1_800_000_027_000, "the date was waited for");
  });

  it("waits as long as another header of a 429 says, but not after other failures", async () => {
    const headers = { "ratelimit-reset": "20" };
    const stage = new Stage([
      { status: 503, headers },
      { status: 429, headers },
      { status: 200, headers },
    ]);
    await stage.client({ retryAfterHeader: "ratelimit-reset" }).request("GET", "/x", { deadline: stage.deadline() });
    assert.ok(stage.waits[0]! < 1000 && stage.waits[1]! >= 20_000, stage.waits.join(" "));
  });

  it("tells a Retry-After that is too long instead of waiting", async () => {
    const stage = new Stage([{ status: 429, headers: { "retry-after": "3600" } }]);
    const error = await failure(stage.client().request("GET", "/apps", { deadline: stage.deadline(100_000) }));
    assert.equal(error.failure.kind, "unavailable");
    assert.equal(stage.seen.length, 1);
  });

  it("asks again after 5xx and lost answers only where twice is the same as once", async () => {
    for (const line of ["lost", { status: 502 }] satisfies Line[]) {
      const get = new Stage([line, { status: 200 }]);
      assert.equal((await get.client().request("GET", "/x", { deadline: get.deadline() })).status, 200);
      const post = new Stage([line, { status: 200 }]);
      const error = await failure(post.client().request("POST", "/x", { deadline: post.deadline() }));
      assert.ok(isUnknown(error));
      assert.equal(post.seen.length, 1, "a create was sent twice");
      const again = new Stage([line, { status: 200 }]);
      await again.client().request("POST", "/x", { deadline: again.deadline(), idempotent: true });
      assert.equal(again.seen.length, 2);
    }
  });

  it("sends a create again that never left, or that was refused for its rate", async () => {
    const stage = new Stage(["refused", { status: 429 }, { status: 201 }]);
    const answer = await stage.client().request("POST", "/x", { deadline: stage.deadline() });
    assert.equal(answer.status, 201);
    assert.equal(stage.seen.length, 3);
  });

  it("takes a failing status that says it is final as a refusal", async () => {
    const stage = new Stage([{ status: 503, body: { error: "no room", status: "insufficient_capacity" } }]);
    const client = stage.client({
      final: (_, body) => (body as { status?: string }).status === "insufficient_capacity",
    });
    const error = await failure(client.request("POST", "/x", { deadline: stage.deadline() }));
    assert.ok(hasStatus(error, 503));
    assert.equal(stage.seen.length, 1);
  });

  it("ends a step at its deadline, and says which step", async () => {
    const stage = new Stage([{ status: 503, body: { error: "down for repair" } }], () => 0.99);
    const error = await failure(stage.client().request("GET", "/x", { deadline: stage.deadline(3) }));
    assert.equal(error.failure.kind, "deadline");
    assert.match(error.message, /the step took longer than 3 s; last: status 503, down for repair/);
    assert.ok(stage.time <= 1_800_000_003_000, "it waited past the deadline");
  });

  it("shows no secret in an error, in whatever form the platform repeats it", async () => {
    const secret = 'p"ss wörd/1';
    const echo = [secret, encodeURIComponent(secret), Buffer.from(secret).toString("base64")].join(" ");
    const stage = new Stage([{ status: 422, body: { error: `bad value ${echo}; FlyV1 fm2_abcdefghijk` } }]);
    const error = await failure(
      stage.client({ secrets: [secret] }).request("PUT", "/x", { deadline: stage.deadline() }),
    );
    for (const form of [secret, "p%22ss", "fm2_abc", Buffer.from(secret).toString("base64")]) {
      assert.ok(!error.message.includes(form), error.message);
    }
    assert.match(error.message, /bad value \*\*\*/);
  });

  it("names the request and lets the driver word the failure", async () => {
    const stage = new Stage([{ status: 403, body: "<html>Forbidden</html>", headers: { "fly-request-id": "01XYZ" } }]);
    const explain = () => ({ what: "The token may not do that.", fix: "fly tokens create org" });
    const client = stage.client({ explain, requestIdHeader: "fly-request-id" });
    const error = await failure(client.request("GET", "/apps", { deadline: stage.deadline() }));
    assert.equal(
      error.message,
      "The token may not do that.\n  where: GET /apps at api.example.test, request 01XYZ\n  why: Forbidden\n  fix: fly tokens create org",
    );
  });

  it("never makes calls of one kind faster than their rate, for any number of callers", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }), async (perSecond, burst) => {
        const stage = new Stage([{ status: 200 }]);
        const client = stage.client({ limit: () => ({ key: "all", perSecond, burst }) });
        for (let n = 0; n < 20; n++) await client.request("GET", "/x", { deadline: stage.deadline() });
        const times = stage.seen.map(({ at }) => at);
        for (let n = burst; n < times.length; n++) {
          // A full bucket, and what flows into it meanwhile.
          const window = times[n]! - times[n - burst]!;
          assert.ok(window >= 1000 / perSecond - 1, `${burst + 1} calls within ${window} ms at ${perSecond}/s`);
        }
      }),
      { numRuns: 30 },
    );
  });

  it("ends within its bounds whatever the platform answers, and never sends a create twice that may have been acted on", async () => {
    const line = fc.oneof(
      fc.constant<Line>("lost"),
      fc.constant<Line>("refused"),
      fc.constantFrom(200, 201, 404, 408, 409, 422, 429, 500, 502, 503).map((status): Line => ({ status })),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { minLength: 1, maxLength: 12 }),
        fc.double({ min: 0, max: 0.99, noNaN: true }),
        async (lines, r) => {
          const stage = new Stage(lines, () => r);
          await stage
            .client()
            .request("POST", "/x", { deadline: stage.deadline() })
            .catch((error: unknown) => {
              assert.ok(error instanceof ApiError);
            });
          assert.ok(stage.seen.length <= 8);
          const sent = lines.slice(0, stage.seen.length - 1);
          assert.ok(
            sent.every((one) => one === "refused" || (one !== "lost" && one.status === 429)),
            `it went on after ${JSON.stringify(sent)}`,
          );
        },
      ),
    );
  });
});

describe("createOnce", () => {
  it("makes a thing once for every order of lost answers, and finds what was made", async () => {
    const event = fc.record({ acts: fc.boolean(), answers: fc.boolean(), seenAfter: fc.integer({ min: 0, max: 2 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(event, { minLength: 4, maxLength: 4 }), async (events) => {
        const made: { id: number; visible: number }[] = [];
        let call = 0;
        const stage = new Stage([{ status: 200 }]);
        const client = stage.client({
          world: {
            ...stage.world,
            fetch: () => {
              const { acts, answers, seenAfter } = events[call++ % events.length]!;
              if (acts) made.push({ id: made.length, visible: seenAfter });
              if (!acts || !answers) return Promise.reject(new TypeError("fetch failed"));
              return Promise.resolve(new Response(`{"id":${made.length - 1}}`, { status: 200 }));
            },
          },
        });
        const deadline = stage.deadline();
        await createOnce(client, {
          deadline,
          create: async () => (await client.request("POST", "/things", { deadline })).body,
          find: () => Promise.resolve(made.find((thing) => thing.visible-- <= 0)),
        }).catch((error: unknown) => {
          assert.ok(isUnknown(error));
          assert.equal(made.length, 0);
        });
        assert.ok(made.length <= 1, `${made.length} were made`);
      }),
    );
  });

  /** Asks for what is never answered. @param listed seconds after which it is found */
  const lost = async (listed: number, more: object): Promise<{ asked: number; ended: string }> => {
    const stage = new Stage([{ status: 200 }]);
    let asked = 0;
    const client = stage.client({
      world: {
        ...stage.world,
        fetch: () => {
          asked++;
          return Promise.reject(new TypeError("fetch failed"));
        },
      },
    });
    const deadline = Deadline.after(3_600, "a thing", stage.world);
    const began = stage.world.now();
    const ended = await createOnce(client, {
      deadline,
      create: async () => (await client.request("POST", "/things", { deadline })).body,
      find: () => Promise.resolve(stage.world.now() - began >= listed * 1_000 ? "found" : undefined),
      ...more,
    }).catch((error: unknown) => (error as Error).message);
    return { asked, ended: String(ended) };
  };
  const notAgain = (): Error => new Error("look for it");

  it("asks no second time for what there would be two of: it looks for as long as it is told, and says so then", async () => {
    assert.deepEqual(await lost(250, { lookSeconds: 300, notAgain }), { asked: 1, ended: "found" });
    assert.deepEqual(await lost(350, { lookSeconds: 300, notAgain }), { asked: 1, ended: "look for it" });
    const find = (): Promise<unknown> => Promise.reject(new Error("no list"));
    assert.deepEqual(await lost(0, { lookSeconds: 300, notAgain, find }), { asked: 1, ended: "look for it" });
  });

  it("looks for longer before it asks again, where it is told to", async () => {
    assert.equal((await lost(20, {})).asked, 4);
    assert.deepEqual(await lost(20, { lookSeconds: 30 }), { asked: 1, ended: "found" });
  });
});
