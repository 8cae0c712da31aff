import assert from "node:assert/strict";
import { Scene, shop, specOf, stored, web, worker } from "./scene";

describe("rollback on Fly", () => {
  for (const [words, group] of [
    ["blue and green", web],
    ["in place", stored],
  ] as const) {
    it(`brings the version before back, a machine serving at every moment (${words})`, async () => {
      const scene = new Scene();
      const of = (image: string) => specOf(shop([group(image), worker("app@sha256:1")]));
      await scene.up(of("app@sha256:1"));
      await scene.up(of("app@sha256:2"));
      const untouched = scene
        .machines()
        .find(({ config }) => config.metadata?.fly_process_group === "worker")?.instance_id;
      const volumes = scene.fly.apps.get("shop-prod")!.volumes.map(({ id }) => id);
      let least = 2;
      scene.fly.onChange = () => void (least = Math.min(least, scene.fly.serving("shop-prod", "web").length));
      await scene.back(of("app@sha256:2"));
      assert.ok(least >= 1, "no machine served");
      const state = (image: string) => [
        `web 1 ${image} proven`,
        `web 2 ${image} proven`,
        "worker 1 app@sha256:1 proven",
      ];
      assert.deepEqual(scene.state(), state("app@sha256:1"));
      assert.equal(
        scene.machines().find(({ config }) => config.metadata?.fly_process_group === "worker")?.instance_id,
        untouched,
      );
      assert.deepEqual(
        scene.fly.apps.get("shop-prod")!.volumes.map(({ id }) => id),
        volumes,
      );
      // Twice is there again, and the next deploy is like any other.
      await scene.back(of("app@sha256:2"));
      assert.deepEqual(scene.state(), state("app@sha256:2"));
      await scene.up(of("app@sha256:3"));
      assert.deepEqual(scene.state(), state("app@sha256:3"));
    });
  }

  it("brings all machines back after some were added or made anew", async () => {
    for (const group of [web, stored]) {
      const scene = new Scene();
      const of = (image: string, count: number) => specOf(shop([group(image, { count })]));
      await scene.up(of("app@sha256:1", 2));
      await scene.up(of("app@sha256:2", 2));
      const [gone] = scene.machines();
      const app = scene.fly.apps.get("shop-prod")!;
      app.machines = app.machines.filter((one) => one !== gone);
      for (const volume of app.volumes) if (volume.attached_machine_id === gone?.id) volume.attached_machine_id = null;
      await scene.up(of("app@sha256:2", 3));
      assert.deepEqual(
        scene.machines().map(({ config }) => config.metadata?.fly_release_version),
        ["2", "2", "2"],
      );
      assert.equal(scene.fly.releases.length, 2, "there is a record of what is no new version");
      await scene.back(specOf(shop([])));
      assert.deepEqual(
        scene.state(),
        [1, 2, 3].map((slot) => `web ${slot} app@sha256:1 proven`),
      );
    }
  });

  it("keeps the present version where the one before doesn't get healthy", async () => {
    const scene = new Scene();
    await scene.up(specOf(shop([web("app@sha256:1")])));
    await scene.up(specOf(shop([web("app@sha256:2")])));
    const first = scene.machines();
    for (const { config } of first) {
      assert.ok(config.metadata?.homeport_before !== undefined);
      // As if the image of before had gone bad meanwhile.
      scene.fly.spoiled.add("app@sha256:1");
    }
    await assert.rejects(scene.back(specOf(shop([]))), /isn't healthy/);
    assert.deepEqual(scene.state(), ["web 1 app@sha256:2 proven", "web 2 app@sha256:2 proven"]);
  });

  it("says so where there is nothing to go back to", async () => {
    const scene = new Scene();
    await scene.up(specOf(shop([web("app@sha256:1")])));
    await assert.rejects(
      scene.back(specOf(shop([]))),
      /There is no version to go back to[^]*there was only one deploy/,
    );
  });

  it("goes back behind a deploy that failed, to what was there before the one that didn't", async () => {
    const scene = new Scene();
    await scene.up(specOf(shop([stored("app@sha256:1")])));
    await scene.up(specOf(shop([stored("app@sha256:2")])));
    await assert.rejects(scene.up(specOf(shop([stored("bad@sha256:3")]))));
    await scene.back(specOf(shop([])));
    assert.deepEqual(scene.state(), ["web 1 app@sha256:1 proven", "web 2 app@sha256:1 proven"]);
  });
});
