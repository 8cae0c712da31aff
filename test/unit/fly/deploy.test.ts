import assert from "node:assert/strict";
import { Scene, shop, specOf, stored, web, worker } from "./scene";

const twoWebs = (image: string) => [`web 1 ${image} proven`, `web 2 ${image} proven`];
const release = { group: "web", command: "npm run migrate", timeoutSeconds: 300 };

describe("Fly deploys", () => {
  it("makes an app, and then nothing more", async () => {
    const scene = new Scene();
    const spec = specOf(
      shop([web("app@sha256:1"), worker("app@sha256:1")], { release, domains: ["shop.example.com"] }),
    );
    const result = await scene.up(spec);
    assert.deepEqual(scene.state(), [...twoWebs("app@sha256:1"), "worker 1 app@sha256:1 proven"]);
    assert.equal(result.apps["shop-prod"]?.ips.length, 2);
    assert.deepEqual(result.apps["shop-prod"].dns[0], {
      domain: "shop.example.com",
      type: "A",
      name: "shop.example.com",
      value: "66.241.0.1",
    });
    scene.fly.log.length = 0;
    const again = await scene.up(spec);
    assert.deepEqual(scene.fly.changing(), []);
    assert.deepEqual(again.changes, []);
    assert.deepEqual(again.apps["shop-prod"]?.machines, result.apps["shop-prod"].machines);
  });

  it("labels machines so that flyctl knows them", async () => {
    const scene = new Scene();
    await scene.up(specOf(shop([web("app@sha256:1")])));
    for (const { config } of scene.machines()) {
      assert.equal(config.metadata?.fly_platform_version, "v2");
      assert.equal(config.metadata.fly_process_group, "web");
      assert.equal(config.metadata.fly_release_version, "1");
    }
  });

  for (const [words, group] of [
    ["blue and green", web],
    ["one after the other", stored],
  ] as const) {
    it(`brings a new version ${words}, with a machine serving at every moment`, async () => {
      const scene = new Scene();
      await scene.up(specOf(shop([group("app@sha256:1")])));
      const volumes = scene.fly.apps.get("shop-prod")!.volumes.map(({ id }) => id);
      let least = 2;
      scene.fly.onChange = () => void (least = Math.min(least, scene.fly.serving("shop-prod", "web").length));
      await scene.up(specOf(shop([group("app@sha256:2")])));
      assert.ok(least >= 1, "no machine served");
      assert.deepEqual(scene.state(), twoWebs("app@sha256:2"));
      const after = scene.fly.apps.get("shop-prod")!.volumes;
      assert.deepEqual(
        after.map(({ id }) => id),
        volumes,
      );
      assert.ok(after.every(({ attached_machine_id }) => attached_machine_id !== null));
    });

    it(`goes back to the version before when the new one isn't healthy (${words})`, async () => {
      const scene = new Scene();
      await scene.up(specOf(shop([group("app@sha256:1"), worker("app@sha256:1")])));
      const failing = specOf(shop([group("bad@sha256:2"), worker("app@sha256:2")]));
      await assert.rejects(scene.up(failing), (error: Error) => {
        assert.match(error.message, /The new version of web isn't healthy/);
        assert.match(error.message, /last words of m\d+/);
        return true;
      });
      assert.deepEqual(scene.state(), [...twoWebs("app@sha256:1"), "worker 1 app@sha256:1 proven"]);
      assert.equal(scene.fly.serving("shop-prod", "web").length, 2, "not all of the old ones serve");
      await scene.up(specOf(shop([group("app@sha256:3"), worker("app@sha256:3")])));
      assert.deepEqual(scene.state(), [...twoWebs("app@sha256:3"), "worker 1 app@sha256:3 proven"]);
    });
  }

  it("holds the lease of every machine that it changes, for as long as that takes", async () => {
    for (const group of [web, stored]) {
      const scene = new Scene();
      await scene.up(specOf(shop([group("app@sha256:1")])));
      const old = new Set(scene.machines().map(({ id }) => id));
      scene.fly.startMs = 40_000;
      scene.fly.unleased.length = 0;
      await scene.up(specOf(shop([group("app@sha256:2")])));
      assert.deepEqual(
        scene.fly.unleased.filter((call) => old.has(call.split(" ").at(-1)!)),
        [],
      );
      assert.ok(
        scene.machines().every(({ lease }) => lease === undefined),
        "a lease was left",
      );
    }
  });

  it("returns machines that were updated already when a later group fails", async () => {
    const scene = new Scene();
    await scene.up(specOf(shop([stored("app@sha256:1"), worker("app@sha256:1")])));
    await assert.rejects(
      scene.up(specOf(shop([stored("app@sha256:2"), worker("crash@sha256:2")]))),
      /worker isn't healthy/,
    );
    assert.deepEqual(scene.state(), [...twoWebs("app@sha256:1"), "worker 1 app@sha256:1 proven"]);
  });

  it("stops at a failed release command, before any machine is changed", async () => {
    const scene = new Scene();
    await scene.up(specOf(shop([web("app@sha256:1")], { release })));
    const before = scene.machines().map(({ id, instance_id }) => [id, instance_id]);
    await assert.rejects(scene.up(specOf(shop([web("badrelease@sha256:2")], { release }))), (error: Error) => {
      assert.match(error.message, /The release command failed; nothing of the app was switched/);
      assert.match(error.message, /ended with code 1/);
      return true;
    });
    assert.deepEqual(
      scene.machines().map(({ id, instance_id }) => [id, instance_id]),
      before,
    );
  });

  it("runs the release command for a new version or secret, and not for scaling", async () => {
    const scene = new Scene();
    const runs = () => scene.lines.filter((line) => line.includes("runs the release command")).length;
    await scene.up(specOf(shop([web("app@sha256:1")], { release })));
    assert.equal(runs(), 1);
    await scene.up(specOf(shop([web("app@sha256:1", { count: 3 })], { release })));
    assert.equal(runs(), 1);
    await scene.up(specOf(shop([web("app@sha256:1", { count: 3 })], { release, secrets: { API_KEY: "other" } })));
    assert.equal(runs(), 2);
  });

  it("scales up and down, and keeps the volumes of what is gone for the next time", async () => {
    const scene = new Scene();
    await scene.up(specOf(shop([stored("app@sha256:1", { count: 3 })])));
    const volumes = () => scene.fly.apps.get("shop-prod")!.volumes.map(({ id }) => id);
    const all = volumes();
    await scene.up(specOf(shop([stored("app@sha256:1", { count: 1 })])));
    assert.deepEqual(scene.state(), ["web 1 app@sha256:1 proven"]);
    await scene.up(specOf(shop([stored("app@sha256:1", { count: 3 })])));
    assert.equal(scene.machines().length, 3);
    assert.deepEqual(volumes(), all);
  });

  it("grows a volume without a new version", async () => {
    const scene = new Scene();
    const of = (sizeGb: number) => stored("app@sha256:1", { volume: { path: "/data", sizeGb, snapshotDays: 5 } });
    await scene.up(specOf(shop([of(10)])));
    const before = scene.machines().map(({ instance_id }) => instance_id);
    await scene.up(specOf(shop([of(20)])));
    const sizes = () => scene.fly.apps.get("shop-prod")!.volumes.map(({ size_gb }) => size_gb);
    assert.deepEqual(sizes(), [20, 20]);
    assert.deepEqual(
      scene.machines().map(({ instance_id }) => instance_id),
      before,
    );
  });

  it("deploys a changed secret alone, takes the old ones away, and never shows one", async () => {
    const scene = new Scene();
    await scene.up(specOf(shop([web("app@sha256:1")], { secrets: { API_KEY: "s3cr3t-value", OLD: "old-secret" } })));
    const ids = scene.machines().map(({ id }) => id);
    await scene.up(specOf(shop([web("app@sha256:1")], { secrets: { API_KEY: "another-value" } })));
    const { secrets } = scene.fly.apps.get("shop-prod")!;
    assert.equal(secrets.get("API_KEY"), "another-value");
    assert.ok(!secrets.has("OLD"));
    assert.equal([...secrets.keys()].filter((name) => name.startsWith("HOMEPORT_")).length, 1);
    assert.ok(
      scene.machines().every(({ id }) => !ids.includes(id)),
      "a machine still has the old secrets",
    );
    assert.ok(!scene.lines.some((line) => /s3cr3t-value|another-value/.test(line)));
  });

  it("leaves a machine asleep that the proxy has put to sleep", async () => {
    const scene = new Scene();
    const group = (image: string) => stored(image, { count: 3, idle: true });
    await scene.up(specOf(shop([group("app@sha256:1")])));
    // Beyond the floor of two.
    const sleeper = scene.machines()[2]!;
    sleeper.stopped = true;
    scene.fly.log.length = 0;
    await scene.up(specOf(shop([group("app@sha256:1")])));
    assert.deepEqual(scene.fly.changing(), []);
    await scene.up(specOf(shop([group("app@sha256:2")])));
    assert.ok(sleeper.stopped);
    assert.equal(sleeper.config.image, "app@sha256:2");
  });

  it("starts what is stopped and shouldn't be", async () => {
    const scene = new Scene();
    await scene.up(specOf(shop([web("app@sha256:1")])));
    scene.machines()[0]!.stopped = true;
    await scene.up(specOf(shop([web("app@sha256:1")])));
    assert.ok(!scene.machines()[0]!.stopped);
  });

  it("tells of a name that is another's before anything else", async () => {
    const scene = new Scene();
    scene.fly.foreign.add("shop-prod");
    await assert.rejects(
      scene.up(specOf(shop([web("app@sha256:1")]))),
      /The name "shop-prod" is taken[\s\S]*another organization/,
    );
    assert.deepEqual(scene.fly.changing(), []);
    const other = new Scene();
    await other.up(specOf(shop([web("app@sha256:1")])));
    const stranger = { ...specOf(shop([web("app@sha256:2")])), id: "shop-dev" };
    await assert.rejects(other.up(stranger), /is taken[\s\S]*machines of "shop-prod"/);
    assert.deepEqual(other.state(), twoWebs("app@sha256:1"));
  });

  it("leaves everything as it is where a region has no room", async () => {
    const scene = new Scene();
    await scene.up(specOf(shop([web("app@sha256:1")])));
    await assert.rejects(scene.up(specOf(shop([web("noroom@sha256:2")]))), /Fly has no room in fra/);
    assert.deepEqual(scene.state(), twoWebs("app@sha256:1"));
  });

  it("says what to do about an expired token", async () => {
    const scene = new Scene();
    scene.fly.token = "fm2_another";
    await assert.rejects(scene.up(specOf(shop([web("app@sha256:1")]))), (error: Error) => {
      assert.match(error.message, /fix: fly tokens create org/);
      assert.match(error.message, /request 01FAKE1/);
      assert.ok(!error.message.includes("testtoken"));
      return true;
    });
  });

  it("deletes machines and keeps the app while it holds data", async () => {
    const scene = new Scene();
    const spec = specOf(shop([stored("app@sha256:1")]));
    await scene.up(spec);
    await scene.destroy(spec);
    assert.equal(scene.machines().length, 0);
    assert.equal(scene.fly.apps.get("shop-prod")?.volumes.length, 2);
    await scene.up(spec);
    assert.equal(scene.fly.apps.get("shop-prod")?.volumes.length, 2);
    await scene.destroy({ ...spec, onDelete: "delete data" });
    assert.equal(scene.fly.apps.size, 0);
    await scene.destroy(spec);
  });
});
