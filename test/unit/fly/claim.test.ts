import assert from "node:assert/strict";
import { claim, unclaim, type FlyClaim } from "../../../targets/fly/claim";
import { mainName, partNames } from "../../../targets/fly/names";
import { planOf, resolveOnFly } from "./plans";
import { Scene, shop, specOf, stored, web } from "./scene";

describe("the app of Fly that images are pushed to", () => {
  const spec: FlyClaim = { connection: specOf().connection, id: "shop-prod", name: "shop-prod", others: [] };
  const io = { progress: () => undefined, signal: new AbortController().signal };

  it("is made once, and then a deploy's own", async () => {
    const scene = new Scene();
    assert.deepEqual((await claim(spec, io, scene.fly.world)).changes, ["shop-prod: app created"]);
    assert.deepEqual((await claim(spec, io, scene.fly.world)).changes, []);
    await scene.up(specOf(shop([web("app@sha256:1")])));
    assert.deepEqual((await claim(spec, io, scene.fly.world)).changes, []);
    assert.equal(scene.machines().length, 2);
  });

  for (const age of [0, 5_000]) {
    it(`is taken up ${age / 1000} s after a run that was cut off has made it, when Fly doesn't know it everywhere`, async () => {
      const scene = new Scene();
      scene.fly.addApp("shop-prod", "acme");
      scene.fly.appKnownMs = 8_000;
      scene.fly.time += age;
      assert.deepEqual((await claim(spec, io, scene.fly.world)).changes, []);
      await scene.up(specOf(shop([web("app@sha256:1")])));
      assert.equal(scene.machines().length, 2);
    });
  }

  it("isn't waited for with a token that isn't taken anywhere, nor where it never comes", async () => {
    const scene = new Scene();
    scene.fly.addApp("shop-prod", "acme");
    scene.fly.appKnownMs = Infinity;
    await assert.rejects(claim(spec, io, scene.fly.world), /The name "shop-prod" is taken on Fly\.io/);
    const began = scene.fly.time;
    scene.fly.token = "fm2_another";
    await assert.rejects(claim(spec, io, scene.fly.world), /Fly doesn't take the token/);
    assert.ok(scene.fly.time - began < 1000);
  });

  it("isn't taken from another stack", async () => {
    const scene = new Scene();
    await scene.up({ ...specOf(shop([web("app@sha256:1")])), id: "shop-dev" });
    await assert.rejects(claim(spec, io, scene.fly.world), /The name "shop-prod" is taken on Fly\.io/);
  });

  it("isn't made where a name that the deploy needs besides is another stack's", async () => {
    const scene = new Scene();
    await scene.up({ ...specOf(shop([web("app@sha256:1")], { name: "shop-prod--redis" })), id: "shop-dev" });
    const needed = { ...spec, others: ["shop-prod--redis", "shop-prod--scheduler"] };
    await assert.rejects(claim(needed, io, scene.fly.world), /The name "shop-prod--redis" is taken on Fly\.io/);
    assert.deepEqual([...scene.fly.apps.keys()], ["shop-prod--redis"]);
  });

  it("needs the names of all apps that a deploy makes", async () => {
    const { apps, settings } = await resolveOnFly();
    for (const app of apps) {
      const names = (await planOf(app.declaration.name)).apps.map(({ name }) => name);
      const claimed = new Set([mainName(app, settings), ...partNames(app, settings)]);
      assert.deepEqual(
        names.filter((name) => !claimed.has(name)),
        [],
      );
    }
  });

  it("goes where nothing was deployed to it, and is no failure where it is gone", async () => {
    const scene = new Scene();
    await claim(spec, io, scene.fly.world);
    assert.deepEqual((await unclaim(spec, io, scene.fly.world)).changes, ["shop-prod: app deleted"]);
    assert.equal(scene.fly.apps.has("shop-prod"), false);
    assert.deepEqual((await unclaim(spec, io, scene.fly.world)).changes, []);
  });

  it("stays where data lies in it", async () => {
    const scene = new Scene();
    const deployed = specOf(shop([stored("app@sha256:1")]));
    await scene.up(deployed);
    await scene.destroy(deployed);
    assert.deepEqual((await unclaim(spec, io, scene.fly.world)).changes, []);
    assert.equal(scene.fly.apps.get("shop-prod")?.volumes.length, 2);
  });
});
