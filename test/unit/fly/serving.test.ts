import assert from "node:assert/strict";
import { Scene, shop, specOf, stored, worker } from "./scene";

/** Machines that are changed one after the other, by runs that are killed. */
describe("A Fly app that is changed in place", () => {
  const spec = (version: number) => specOf(shop([stored(`app@sha256:${version}`)]));
  const first = new Scene();
  before(() => first.up(spec(1)));
  const begin = (): Scene => {
    const scene = new Scene();
    scene.fly.copyOf(first.fly);
    return scene;
  };

  for (const [words, next] of [
    ["the same version", 2],
    ["another version", 3],
  ] as const) {
    it(`has a machine serving at every moment while ${words} is deployed after a kill at any call`, async () => {
      const whole = begin();
      await whole.up(spec(2));
      for (const [at, line] of whole.fly.log.entries()) {
        if (line.startsWith("GET ")) continue;
        const scene = begin();
        scene.fly.fault = (call) => (call === at ? "crash after" : "none");
        await assert.rejects(scene.up(spec(2)), /killed/, `call ${at}`);
        scene.fly.fault = () => "none";
        // What the killed run has begun, the platform ends.
        scene.fly.time += 30_000;
        let least = 2;
        scene.fly.onChange = () => void (least = Math.min(least, scene.fly.serving("shop-prod", "web").length));
        await scene.up(spec(next));
        assert.ok(least >= 1, `no machine served after a kill at call ${at}`);
      }
    });
  }

  it("goes back without restarting a machine that is sent requests", async () => {
    const scene = new Scene();
    await scene.up(specOf(shop([stored("app@sha256:1"), worker("app@sha256:1")])));
    scene.fly.log.length = 0;
    await assert.rejects(
      scene.up(specOf(shop([stored("app@sha256:2"), worker("crash@sha256:2")]))),
      /worker isn't healthy/,
    );
    const hidden = new Set<string>();
    let restarts = 0;
    const webs = new Set(scene.machines().flatMap(({ id, config }) => (config.services === undefined ? [] : [id])));
    for (const line of scene.fly.log) {
      const [, id = "", action] = /^POST .*\/machines\/(\w+)(?:\/(\w+))?$/.exec(line) ?? [];
      if (action === "cordon") hidden.add(id);
      if (action === "uncordon") hidden.delete(id);
      if (action !== undefined || !webs.has(id)) continue;
      restarts += 1;
      assert.ok(hidden.has(id), `${id} is restarted while it serves`);
    }
    assert.equal(restarts, 4);
    assert.deepEqual([...hidden], []);
  });
});
