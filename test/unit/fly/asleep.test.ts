import assert from "node:assert/strict";
import type { FlyGroup } from "../../../targets/fly/plan";
import { Scene, shop, specOf, stored } from "./scene";

/** Fly's proxy may put machines to sleep at any moment, also those that a killed run left out of its sight. */
describe("A Fly machine that sleeps", () => {
  const floored = (image: string, min: number, change: Partial<FlyGroup> = {}) => {
    const base = stored(image, { count: 3, idle: true, ...change });
    const services = (base.config.services ?? []).map((service) => ({
      ...service,
      autostop: "stop" as const,
      min_machines_running: min,
    }));
    return specOf(shop([{ ...base, config: { ...base.config, services } }]));
  };
  const spec = (image: string) => floored(image, 1, { count: 2 });

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

  const stops = (scene: Scene): string[] =>
    scene
      .machines()
      .map(({ config }) => `${config.metadata?.homeport_slot ?? "?"} ${config.services?.[0]?.autostop ?? "?"}`)
      .sort();

  it("is none of those that make up the floor, in which jobs and backups run unseen by the proxy", async () => {
    const scene = new Scene();
    await scene.up(floored("app@sha256:1", 1));
    assert.deepEqual(stops(scene), ["1 off", "2 stop", "3 stop"]);
    await scene.up(floored("app@sha256:1", 2));
    assert.deepEqual(stops(scene), ["1 off", "2 off", "3 stop"]);
  });

  it("still is none of them after a rollback, and the others may sleep again", async () => {
    for (const change of [{}, { strategy: "blue-green" as const, volume: undefined as never }]) {
      const scene = new Scene();
      await scene.up(floored("app@sha256:1", 1, change));
      await scene.up(floored("app@sha256:2", 1, change));
      await scene.back(floored("app@sha256:2", 1, change));
      assert.deepEqual(stops(scene), ["1 off", "2 stop", "3 stop"]);
    }
  });

  it("is woken by its next version where it belongs to the floor now", async () => {
    const scene = new Scene();
    await scene.up(floored("app@sha256:1", 1));
    for (const machine of scene.machines()) machine.stopped = machine.config.metadata?.homeport_slot !== "3";
    await scene.up(floored("app@sha256:2", 1));
    assert.deepEqual(scene.state(), [
      "web 1 app@sha256:2 proven",
      "web 2 app@sha256:2 proven stopped",
      "web 3 app@sha256:2 proven",
    ]);
  });
});
