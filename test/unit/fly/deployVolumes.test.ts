import assert from "node:assert/strict";
import { rejection, Scene, shop, specOf, stored, web, worker } from "./scene";

const appOf = (scene: Scene) => scene.fly.apps.get("shop-prod")!;
const one = (image: string) => specOf(shop([stored(image, { count: 1 })]));

/** A volume holds data: one that Fly doesn't tell of, or calls another's, isn't to be replaced by an empty one. */
describe("volumes of a Fly app", () => {
  it("are taken by the next machine although Fly still calls them one's that is gone", async () => {
    for (const detachMs of [0, 20_000]) {
      const scene = new Scene();
      await scene.up(one("app@sha256:1"));
      const app = appOf(scene);
      const [volume] = app.volumes;
      app.machines = [];
      app.detached.set(volume!.id, scene.fly.time + detachMs);
      await scene.up(one("app@sha256:1"));
      assert.deepEqual(
        app.volumes.map(({ id, attached_machine_id }) => [id, attached_machine_id]),
        [[volume!.id, scene.machines()[0]!.id]],
      );
    }
  });

  it("that Fly never lets go are told of, and no other is made", async () => {
    const scene = new Scene();
    await scene.up(one("app@sha256:1"));
    appOf(scene).machines = [];
    assert.match(await rejection(scene.up(one("app@sha256:1"))), /doesn't let a volume go[\s\S]*fly volumes show vol_/);
    assert.equal(appOf(scene).volumes.length, 1);
  });

  it("stay with a machine that a list leaves out", async () => {
    const scene = new Scene();
    await scene.up(one("app@sha256:1"));
    const [before] = scene.machines();
    let looks = 0;
    scene.fly.instead = (call) =>
      call === "GET /apps/shop-prod/machines" && looks++ < 1 ? { status: 200, body: [] } : undefined;
    await scene.up(one("app@sha256:2"));
    assert.deepEqual(scene.state(), ["web 1 app@sha256:2 proven"]);
    assert.deepEqual([scene.machines()[0]?.id, appOf(scene).volumes.length], [before?.id, 1]);
  });

  it("that a list leaves out are waited for, with their machine as it is", async () => {
    const scene = new Scene();
    await scene.up(one("app@sha256:1"));
    const [machine] = scene.machines();
    const [volume] = appOf(scene).volumes;
    for (const [ms, image] of [
      [10_000, "app@sha256:1"],
      [10_000, "app@sha256:2"],
    ] as const) {
      appOf(scene).listed.set(volume!.id, scene.fly.time + ms);
      await scene.up(one(image));
      assert.deepEqual([scene.machines()[0]?.id, scene.machines().length], [machine?.id, 1]);
    }
    appOf(scene).listed.set(volume!.id, Infinity);
    scene.fly.log.length = 0;
    const said = await rejection(scene.up(one("app@sha256:3")));
    assert.match(said, /doesn't tell of a volume that a machine has[\s\S]*fly machine destroy --force m\d+/);
    assert.deepEqual(scene.fly.changing(), []);
    assert.equal(appOf(scene).volumes.length, 1);
  });

  it("that a list leaves out are waited for in a rollback, too", async () => {
    const scene = new Scene();
    await scene.up(one("app@sha256:1"));
    await scene.up(one("app@sha256:2"));
    const [machine] = scene.machines();
    const [volume] = appOf(scene).volumes;
    appOf(scene).listed.set(volume!.id, scene.fly.time + 10_000);
    await scene.back(one("app@sha256:2"));
    assert.deepEqual(scene.state(), ["web 1 app@sha256:1 proven"]);
    assert.deepEqual([scene.machines()[0]?.id, appOf(scene).volumes.length], [machine?.id, 1]);
  });

  it("of a run that was cut off are found although a list tells of them only later", async () => {
    const scene = new Scene();
    const spec = specOf(shop([stored("app@sha256:1")]));
    scene.fly.fault = (_call, path) =>
      path.endsWith("/volumes") && appOf(scene).volumes.length === 1 ? "crash before" : "none";
    await assert.rejects(scene.up(spec), /killed/);
    scene.fly.fault = () => "none";
    const [first] = appOf(scene).volumes;
    appOf(scene).listed.set(first!.id, scene.fly.time + 200);
    await scene.up(spec);
    assert.deepEqual(
      appOf(scene)
        .volumes.map(({ id, attached_machine_id }) => [id === first?.id, attached_machine_id === null])
        .sort(),
      [
        [false, false],
        [true, false],
      ],
    );
  });

  it("that no machine has had are removed where there is no room for one, so that another region can be tried", async () => {
    const scene = new Scene();
    for (let round = 0; round < 2; round++) {
      assert.match(await rejection(scene.up(specOf(shop([stored("noroom@sha256:1")])))), /Fly has no room in fra/);
      assert.deepEqual(appOf(scene).volumes, []);
    }
    await scene.up(specOf(shop([stored("app@sha256:1")], { region: "ams" })));
    assert.deepEqual(
      appOf(scene).volumes.map(({ region }) => region),
      ["ams", "ams"],
    );
  });

  it("that no machine has had are removed where the release command fails, or no further volume is to be had", async () => {
    const scene = new Scene();
    const release = { group: "web", command: "npm run migrate", timeoutSeconds: 300 };
    await rejection(scene.up(specOf(shop([stored("badrelease@sha256:1")], { release }))));
    assert.deepEqual(appOf(scene).volumes, []);
    scene.fly.instead = (call) =>
      call === "POST /apps/shop-prod/volumes" && appOf(scene).volumes.length === 1
        ? { status: 422, body: { error: "no room", status: "insufficient_capacity" } }
        : undefined;
    assert.match(await rejection(scene.up(specOf(shop([stored("app@sha256:1")])))), /Fly has no room in fra/);
    assert.deepEqual(appOf(scene).volumes, []);
  });

  it("that a machine has had stay, whatever became of it", async () => {
    const scene = new Scene();
    await rejection(scene.up(specOf(shop([stored("bad@sha256:1")]))));
    const before = appOf(scene).volumes.map(({ id }) => id);
    assert.equal(before.length, 2);
    await rejection(scene.up(specOf(shop([stored("noroom@sha256:1")]))));
    await scene.up(specOf(shop([stored("app@sha256:1")])));
    assert.deepEqual(
      appOf(scene).volumes.map(({ id }) => id),
      before,
    );
  });

  it("tell the way out where their host has no room for a machine", async () => {
    const scene = new Scene();
    await scene.up(one("app@sha256:1"));
    const app = appOf(scene);
    app.machines = [];
    app.volumes[0]!.attached_machine_id = null;
    const said = await rejection(scene.up(one("noroom@sha256:2")));
    assert.match(said, /The host of volume vol_\d+ has no room[\s\S]*fly volumes fork vol_\d+ --app shop-prod/);
    assert.equal(app.volumes.length, 1);
  });

  it("keep an app in their region: that is said before anything is changed", async () => {
    const scene = new Scene();
    const of = (region: string) => specOf(shop([stored("app@sha256:1"), worker("app@sha256:1")], { region }));
    await scene.up(of("fra"));
    scene.fly.log.length = 0;
    const said = await rejection(scene.up(of("ams")));
    assert.match(said, /vol_\d+ of shop-prod \(web_1\) is in fra, and ams is declared/);
    assert.match(said, /fly:regions\.APP fra[\s\S]*homeport backup[\s\S]*homeport restore/);
    assert.deepEqual(scene.fly.changing(), []);
    await scene.up(specOf(shop([web("app@sha256:1")], { name: "shop-prod--b", region: "ams" })));
    await scene.up(specOf(shop([web("app@sha256:1")], { name: "shop-prod--b", region: "fra" })));
    assert.ok(scene.machines("shop-prod--b").every(({ region }) => region === "fra"));
  });
});
