import assert from "node:assert/strict";
import type { FlySpec } from "../../../targets/fly/plan";
import { Scene, shop, specOf, stored, web, worker } from "./scene";

const marks = (scene: Scene): string[] =>
  [...scene.fly.apps.get("shop-prod")!.secrets.keys()].filter((name) => name.startsWith("HOMEPORT_"));

/** Both at once. @returns what the two ended with */
const both = async (scene: Scene, one: FlySpec, other: FlySpec): Promise<string[]> =>
  (await Promise.allSettled([scene.up(one), scene.up(other)])).map((end) =>
    end.status === "rejected" ? (end.reason as Error).message : "ok",
  );

/** That what is there is one spec's, once, and stays so. */
async function assertAll(scene: Scene, spec: FlySpec, count: number): Promise<void> {
  await scene.up(spec);
  const [plan] = spec.apps;
  const app = scene.fly.apps.get("shop-prod")!;
  assert.equal(scene.machines().length, count);
  assert.ok(scene.machines().every(({ config }) => config.image === plan!.groups[0]!.config.image));
  assert.deepEqual(
    Object.fromEntries([...app.secrets].filter(([name]) => !name.startsWith("HOMEPORT_"))),
    plan!.secrets,
  );
  assert.equal(marks(scene).length, 1);
  assert.deepEqual(
    app.volumes.filter((volume) => volume.attached_machine_id === null).map(({ id }) => id),
    [],
  );
  assert.equal(app.ips.length, plan!.ips.length);
  scene.fly.log.length = 0;
  await scene.up(spec);
  assert.deepEqual(scene.fly.changing(), []);
}

describe("two deploys of a Fly app at once", () => {
  for (const [words, group] of [
    ["blue and green", web],
    ["in place", stored],
  ] as const) {
    it(`leave no secret of the one that has to yield (${words})`, async () => {
      const scene = new Scene();
      await scene.up(specOf(shop([group("app@sha256:1")])));
      const a = specOf(shop([group("app@sha256:2")], { secrets: { K: "one-1" } }));
      const b = specOf(shop([group("app@sha256:3")], { secrets: { K: "two-2" } }));
      const ends = await both(scene, a, b);
      const winner = scene.machines()[0]!.config.image === "app@sha256:2" ? a : b;
      assert.ok(ends.includes("ok"), ends.join("\n"));
      assert.equal(scene.fly.apps.get("shop-prod")!.secrets.get("K"), winner.apps[0]!.secrets.K);
      assert.equal(marks(scene).length, 1);
      await assertAll(scene, a, 2);
    });

    it(`end with what was declared once, the first time (${words})`, async () => {
      const scene = new Scene();
      const spec = specOf(shop([group("app@sha256:1"), worker("app@sha256:1")]));
      const ends = await both(scene, spec, spec);
      assert.ok(ends.includes("ok"), ends.join("\n"));
      assert.equal(scene.machines().length, 3, `${ends.join("\n")} ${scene.state().join("\n")}`);
      await assertAll(scene, spec, 3);
    });

    it(`end with one's secrets in every machine, the first time (${words})`, async () => {
      const scene = new Scene();
      const a = specOf(shop([group("app@sha256:1")], { secrets: { K: "one-1" } }));
      const b = specOf(shop([group("app@sha256:1")], { secrets: { K: "two-2" } }));
      await both(scene, a, b);
      assert.equal(marks(scene).length, 2, "this is to be about two marks");
      const before = scene.fly.time;
      await scene.up(a);
      assert.ok(
        scene.machines().every(({ since = 0 }) => since > before),
        "a machine may still have the other one's secrets",
      );
      await assertAll(scene, a, 2);
    });
  }

  it("are made up for by a run that is killed at any call", async () => {
    const a = specOf(shop([stored("app@sha256:1")], { secrets: { K: "one-1" } }));
    const b = specOf(shop([stored("app@sha256:1")], { secrets: { K: "two-2" } }));
    for (let at = 0; ; at++) {
      const scene = new Scene();
      await both(scene, a, b);
      const kill = scene.fly.calls + at;
      scene.fly.fault = (call) => (call === kill ? "crash after" : "none");
      const isKilled = await scene.up(a).then(
        () => false,
        () => true,
      );
      scene.fly.fault = () => "none";
      await assertAll(scene, a, 2);
      if (!isKilled) break;
    }
  });

  it("do the work once where the second comes while the first is under way", async () => {
    const scene = new Scene();
    const of = (image: string) => specOf(shop([stored(image, { count: 1 })]));
    await scene.up(of("app@sha256:1"));
    let second: Promise<unknown> | undefined;
    scene.fly.onChange = () => {
      if (scene.machines().some(({ lease }) => lease !== undefined)) second ??= scene.up(of("app@sha256:2"));
    };
    await scene.up(of("app@sha256:2"));
    await second;
    assert.ok(second !== undefined);
    assert.ok(
      scene.machines().every(({ versions }) => versions.length === 2),
      "a machine was changed twice",
    );
  });
});

describe("leases of a Fly deploy", () => {
  for (const group of [web, stored]) {
    it(`outlast the longest Retry-After (${group("app").strategy})`, async () => {
      const scene = new Scene();
      await scene.up(specOf(shop([group("app@sha256:1"), worker("app@sha256:1")])));
      const old = new Set(scene.machines().map(({ id }) => id));
      scene.fly.retryAfter = "50";
      scene.fly.unleased.length = 0;
      let hits = 0;
      scene.fly.fault = (_call, path) =>
        /machines\/m\d+$/.test(path) && scene.machines().some(({ lease }) => lease !== undefined) && hits++ < 1
          ? "429"
          : "none";
      await scene.up(specOf(shop([group("app@sha256:2"), worker("app@sha256:2")])));
      assert.ok(hits > 0);
      assert.deepEqual(
        scene.fly.unleased.filter((call) => old.has(call.split(" ").at(-1)!)),
        [],
      );
    });
  }

  it("outlast an answer that is slow", async () => {
    const scene = new Scene();
    await scene.up(specOf(shop([stored("app@sha256:1")])));
    scene.fly.unleased.length = 0;
    const real = scene.fly.world;
    let slow = 0;
    /** One call hangs for 50 s, in which time passes by sleeping alone. */
    const world: typeof real = {
      ...real,
      now: () => scene.fly.time,
      sleep: async (ms, signal) => {
        await new Promise((done) => setImmediate(done));
        return real.sleep(ms, signal);
      },
      fetch: async (url, init) => {
        if (/machines\/m\d+$/.test(url) && init.method === "POST" && slow++ === 0) {
          const until = scene.fly.time + 50_000;
          while (scene.fly.time < until) {
            // The clock goes on by itself where nobody sleeps.
            const before = scene.fly.time;
            for (let turn = 0; turn < 20 && scene.fly.time === before; turn++)
              await new Promise((done) => setImmediate(done));
            if (scene.fly.time === before) scene.fly.time += 1000;
          }
        }
        return real.fetch(url, init);
      },
    };
    Object.defineProperty(scene.fly, "world", { value: world });
    await scene.up(specOf(shop([stored("app@sha256:2")])));
    assert.ok(slow > 0);
    assert.deepEqual(scene.fly.unleased, []);
  });
});
