import assert from "node:assert/strict";
import type { FlySpec } from "../../../targets/fly/plan";
import { deploy } from "../../../targets/fly/driver";
import { planOf } from "./plans";
import { Scene, shop, specOf, web } from "./scene";

describe("a Postgres cluster on Fly", () => {
  const spec: FlySpec = {
    ...specOf(shop([web("app@sha256:1")])),
    postgres: [
      {
        name: "db",
        cluster: "shop-prod-db",
        region: "lhr",
        plan: "basic",
        diskGb: 10,
        database: "fly-db",
        extensions: [],
      },
    ],
  };

  it("that has failed ends a deploy at once, with the way to another", async () => {
    const scene = new Scene();
    scene.fly.clusters.push({ id: "pg1", name: "shop-prod-db", status: "failed", endpoints: {}, extensions: [] });
    const began = scene.fly.time;
    await assert.rejects(scene.up(spec), (error: Error) => {
      assert.match(error.message, /status is failed[\s\S]*fly mpg destroy pg1, then pulumi up makes another/);
      return true;
    });
    assert.ok(scene.fly.time - began < 60_000);
    assert.equal(scene.fly.clusters.length, 1);
  });

  it("isn't asked for where its region has none, and the regions that have are told", async () => {
    const scene = new Scene();
    const regions = ["fra", "lhr"].map((code) => ({ code, mpg_available: code === "fra" }));
    const world = {
      ...scene.fly.world,
      fetch: (url: string, init: RequestInit) =>
        url.endsWith("/platform/regions")
          ? Promise.resolve(new Response(JSON.stringify({ regions })))
          : scene.fly.world.fetch(url, init),
    };
    const io = { progress: () => undefined, signal: new AbortController().signal };
    await assert.rejects(deploy(spec, io, world), /has it in fra[\s\S]*fly:postgresRegions\.APP/);
    assert.equal(scene.fly.clusters.length, 0);
    const [plan] = spec.postgres;
    await deploy({ ...spec, postgres: [{ ...plan!, region: "fra" }] }, io, world);
    assert.equal(scene.fly.clusters.length, 1);
  });

  it("may be elsewhere than its app, and a release command take longer, as the stack says", async () => {
    const changed = await planOf("hotrod", "1", {
      "fly:postgresRegions": '{"hotrod":"ord"}',
      "fly:releaseTimeouts": '{"hotrod":"1 h"}',
    });
    const main = (plan: FlySpec) => plan.apps.find(({ release }) => release !== undefined);
    assert.deepEqual([changed.postgres[0]?.region, main(changed)?.region], ["ord", "fra"]);
    assert.deepEqual(
      [main(changed)?.release?.timeoutSeconds, main(await planOf("hotrod"))?.release?.timeoutSeconds],
      [3600, 300],
    );
  });
});
