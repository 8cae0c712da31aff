import assert from "node:assert/strict";
import { Scene, shop, specOf, stored } from "./scene";

/** A run that was killed may leave a machine out of the proxy's sight, which may stop it then. */
describe("A Fly machine that sleeps out of the proxy's sight", () => {
  const spec = (image: string) => specOf(shop([stored(image, { count: 2, idle: true })]));

  for (const [words, image] of [
    ["as it is", "app@sha256:1"],
    ["with a new version", "app@sha256:2"],
  ] as const) {
    it(`is sent requests again, ${words}, and is left asleep`, async () => {
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
});
