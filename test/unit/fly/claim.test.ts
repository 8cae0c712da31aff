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

  for (const part of ["secrets", "ip_assignments", "volumes", "certificates"]) {
    it(`is taken up where its ${part} aren't known yet and its machines are`, async () => {
      const scene = new Scene();
      scene.fly.addApp("shop-prod", "acme");
      const until = scene.fly.time + 5_000;
      scene.fly.instead = (call) =>
        call.endsWith(`/${part}`) && scene.fly.time < until
          ? { status: 401, body: { error: "unauthorized" } }
          : undefined;
      await scene.up(specOf(shop([stored("app@sha256:1")], { domains: ["shop.example.com"] })));
      assert.equal(scene.machines().length, 2);
    });
  }

  for (const status of [401, 404]) {
    it(`is filled although what is made in it right after it is refused with ${status} for some seconds`, async () => {
      const scene = new Scene();
      const refused = new Set<string>();
      scene.fly.instead = (call) => {
        const made = scene.fly.apps.get("shop-prod")?.created ?? Infinity;
        if (!/^POST \/apps\/[^/]+\/\w+$/.test(call) || scene.fly.time > made + 8_000) return undefined;
        refused.add(call);
        return { status, body: { error: status === 401 ? "unauthorized" : "app not found" } };
      };
      await scene.up(specOf(shop([stored("app@sha256:1")])));
      assert.ok(refused.size > 0, "nothing was refused");
      assert.equal(scene.machines().length, 2);
      assert.deepEqual(
        [scene.fly.apps.get("shop-prod")?.ips.length, scene.fly.apps.get("shop-prod")?.volumes.length],
        [2, 2],
      );
    });
  }

  it("says so where Fly has made it and it doesn't come", async () => {
    const scene = new Scene();
    scene.fly.appKnownMs = 1_000_000;
    await assert.rejects(claim(spec, io, scene.fly.world), /the app was made, and isn't known after 60 s/);
  });

  for (const [words, fill] of [
    ["secrets", (app) => void app.secrets.set("STRIPE_KEY", "x")],
    ["certificates", (app) => void app.certificates.push("their.example.com")],
  ] as readonly [string, (app: ReturnType<Scene["fly"]["addApp"]>) => void][]) {
    it(`isn't taken, changed or deleted where a person put ${words} into it`, async () => {
      const scene = new Scene();
      const app = scene.fly.addApp("shop-prod", "acme");
      fill(app);
      const before = JSON.stringify([[...app.secrets], app.certificates]);
      const deployed = specOf(shop([web("app@sha256:1")]));
      await assert.rejects(
        scene.up(deployed),
        /is taken[\s\S]*(STRIPE_KEY|their\.example\.com)[\s\S]*fly apps destroy/,
      );
      await assert.rejects(claim(spec, io, scene.fly.world), /is taken/);
      await scene.destroy({ ...deployed, onDelete: "delete data" });
      await unclaim(spec, io, scene.fly.world);
      assert.equal(scene.fly.apps.get("shop-prod"), app);
      assert.equal(JSON.stringify([[...app.secrets], app.certificates]), before);
    });
  }

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
