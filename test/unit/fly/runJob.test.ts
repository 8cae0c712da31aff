import assert from "node:assert/strict";
import type { World } from "../../../drivers/http";
import { Fly } from "../../../targets/fly/api/fly";
import { runJob } from "../../../targets/fly/scheduler/runJob";
import type { PlannedJob } from "../../../targets/fly/scheduler/schedule";

const job = (inPlace: boolean): PlannedJob => ({
  name: "ingest",
  expression: "0 2 * * *",
  timeZone: "UTC",
  flyApp: "shop-prod",
  group: "web",
  inPlace,
  commands: ["npm run ingest"],
  onFailure: "stop",
  timeoutSeconds: 6 * 3600,
  env: {},
});

const minute = 60_000;

/**
 * A Fly with one service's machine and a run that takes an hour, on a clock that goes while somebody waits.
 * @param fault what becomes of a call instead of its answer, by the time since the start
 */
function flyThat(fault: (sinceMs: number, method: string, path: string) => number | "lost" | undefined) {
  const started = Date.UTC(2026, 0, 1, 2);
  let now = started;
  let begun: number | undefined;
  let made: number | undefined;
  let destroyed = 0;
  const config = { image: "app", guest: {}, metadata: { homeport_slot: "1" } };
  const exit = { type: "exit", status: "stopped", timestamp: 0, request: { exit_event: { exit_code: 0 } } };
  const isOver = (since: number | undefined): boolean => since !== undefined && now - since >= 60 * minute;
  const answer = (method: string, path: string, body: string): [number, unknown] => {
    if (path.endsWith("/exec")) {
      const script = (JSON.parse(body) as { command: string[] }).command[2] ?? "";
      if (script.includes("mkdir")) begun ??= now;
      const stdout = script.startsWith("cat ")
        ? isOver(begun)
          ? "0\n"
          : ""
        : script.startsWith("tail")
          ? "done\n"
          : "";
      return [200, { exit_code: 0, stdout }];
    }
    if (method === "DELETE") {
      destroyed++;
      return [200, {}];
    }
    if (path.endsWith("/machines/m2"))
      return [
        200,
        {
          id: "m2",
          state: isOver(made) ? "stopped" : "started",
          region: "fra",
          config,
          events: isOver(made) ? [exit] : [],
        },
      ];
    if (method === "POST") {
      made ??= now;
      return [200, { id: "m2", state: "created", region: "fra", config }];
    }
    if (path.includes("homeport_launch"))
      return [200, made === undefined ? [] : [{ id: "m2", state: "started", region: "fra", config }]];
    return [200, [{ id: "m1", state: "started", region: "fra", config }]];
  };
  const world: World = {
    now: () => now,
    sleep: (ms) => {
      now += ms;
      return Promise.resolve();
    },
    random: () => 0.5,
    fetch: (url, { method = "GET", body }) => {
      const { pathname, search } = new URL(url);
      now += 20;
      const wrong = fault(now - started, method, pathname);
      if (wrong === "lost") return Promise.reject(new TypeError("fetch failed"));
      const [status, told] =
        wrong === undefined
          ? answer(method, pathname + search, typeof body === "string" ? body : "")
          : [wrong, { error: "no" }];
      return Promise.resolve(new Response(JSON.stringify(told), { status }));
    },
  };
  const connection = { machinesUrl: "https://api.test", apiUrl: "", org: "acme", token: "fm2_t" };
  const fly = new Fly(connection, { progress: () => undefined, signal: new AbortController().signal }, [], world);
  return { fly, destroyed: () => destroyed, minutes: () => (now - started) / minute };
}

const between = (from: number, to: number) => (since: number) => since > from * minute && since < to * minute;

describe("a job's run on Fly", () => {
  const at = new Date(Date.UTC(2026, 0, 1, 2));

  for (const inPlace of [true, false]) {
    const where = inPlace ? "in its service's machine" : "on a machine of its own";
    it(`is followed to its end ${where} through ten minutes in which Fly fails, and lost answers`, async () => {
      const outage = between(20, 30);
      let calls = 0;
      const { fly, destroyed, minutes } = flyThat((since) =>
        outage(since) ? 502 : ++calls % 7 === 3 ? "lost" : undefined,
      );
      const { code, reason } = await runJob(fly, "shop-prod", job(inPlace), at);
      assert.deepEqual([code, reason], [0, "exit"]);
      assert.ok(minutes() >= 60 && minutes() < 65, `${minutes()} minutes`);
      assert.equal(destroyed() > 0, !inPlace);
    });
  }

  it("ends a machine of its own whose end can't be seen", async () => {
    const { fly, destroyed } = flyThat((since, method, path) =>
      since > minute && method === "GET" && path.endsWith("/m2") ? 403 : undefined,
    );
    await assert.rejects(runJob(fly, "shop-prod", job(false), at), /may not do this/);
    assert.equal(destroyed(), 1);
  });

  it("goes on where its machine isn't up for a moment, and is lost where that stays down", async () => {
    const blink = between(20, 21);
    const exec = (path: string): boolean => path.endsWith("/exec");
    const short = flyThat((since, _method, path) => (blink(since) && exec(path) ? 412 : undefined));
    assert.equal((await runJob(short.fly, "shop-prod", job(true), at)).code, 0);
    const long = flyThat((since, _method, path) => (since > 20 * minute && exec(path) ? 412 : undefined));
    const ending = await runJob(long.fly, "shop-prod", job(true), at);
    assert.deepEqual([ending.reason, ending.log], ["lost", ["its machine was stopped meanwhile"]]);
    assert.ok(long.minutes() < 25);
  });

  it("tells a refusal at once", async () => {
    const { fly, minutes } = flyThat((since) => (since > minute ? 401 : undefined));
    await assert.rejects(runJob(fly, "shop-prod", job(true), at), /token/);
    assert.ok(minutes() < 2);
  });
});
