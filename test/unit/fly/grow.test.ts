import assert from "node:assert/strict";
import { Scene, shop, specOf, stored } from "./scene";

/** A program sees its volume's new size when its machine was restarted. */
describe("A Fly volume that grows", () => {
  const spec = (sizeGb: number, idle = false) =>
    specOf(shop([stored("app@sha256:1", { idle, volume: { path: "/data", sizeGb, snapshotDays: 5 } })]));
  const starts = (scene: Scene): number[] => scene.machines().map(({ since = 0 }) => since);

  it("is seen after a restart, although the run was killed at any call", async () => {
    const calls = async (): Promise<number> => {
      const scene = new Scene();
      await scene.up(spec(10));
      const before = scene.fly.calls;
      await scene.up(spec(20));
      return scene.fly.calls - before;
    };
    for (let at = 0, count = await calls(); at < count; at++) {
      const scene = new Scene();
      await scene.up(spec(10));
      const [first, grown] = [starts(scene), scene.fly.calls + at];
      scene.fly.fault = (call) => (call === grown ? "crash after" : "none");
      await assert.rejects(scene.up(spec(20)), /killed/, `call ${at}`);
      scene.fly.fault = () => "none";
      await scene.up(spec(20));
      starts(scene).forEach((since, index) => {
        assert.ok(since > first[index]!, `machine ${index} wasn't restarted after a kill at call ${at}`);
      });
      scene.fly.log.length = 0;
      await scene.up(spec(20));
      assert.deepEqual(scene.fly.changing(), [], `the third run changes something after a kill at call ${at}`);
    }
  });

  it("wakes no machine that sleeps", async () => {
    const scene = new Scene();
    await scene.up(spec(10, true));
    scene.machines()[1]!.stopped = true;
    await scene.up(spec(20, true));
    assert.deepEqual(scene.state(), ["web 1 app@sha256:1 proven", "web 2 app@sha256:1 proven stopped"]);
    scene.fly.log.length = 0;
    await scene.up(spec(20, true));
    assert.deepEqual(scene.fly.changing(), []);
  });
});
