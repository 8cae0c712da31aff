import assert from "node:assert/strict";
import { Scene, shop, specOf, stored } from "./scene";

/** Fly's proxy may put machines to sleep at any moment, also those that a killed run left out of its sight. */
describe("A Fly machine that sleeps", () => {
  const spec = (image: string) => specOf(shop([stored(image, { count: 2, idle: true })]));

  for (const [words, image] of [
    ["as it is", "app@sha256:1"],
    ["with a new version", "app@sha256:2"],
  ] as const) {
    it(`is sent requests again where a run left it hidden, ${words}, and is left asleep`, async () => {
      const scene = new Scene();
      await scene.up(spec("app@sha256:1"));
      Object.assign(scene.machines()[1]!, { stopped: true, cordoned: true });
      await scene.up(spec(image));
      assert.deepEqual(scene.state(), [`web 1 ${image} proven`, `web 2 ${image} proven stopped`]);
      scene.fly.log.length = 0;
      await scene.up(spec(image));
      assert.deepEqual(scene.fly.changing(), []);
    });
  }

  it("is woken where the proxy stops it before its health was seen", async () => {
    const scene = new Scene();
    await scene.up(spec("app@sha256:1"));
    scene.fly.onChange = () => {
      const updated = scene.machines().find(({ config }) => config.image === "app@sha256:2");
      if (updated === undefined) return;
      updated.stopped = true;
      scene.fly.onChange = () => undefined;
    };
    await scene.up(spec("app@sha256:2"));
    assert.deepEqual(scene.state(), ["web 1 app@sha256:2 proven", "web 2 app@sha256:2 proven"]);
  });
});
