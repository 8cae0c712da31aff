import assert from "node:assert/strict";
import { rejection, Scene, shop, specOf, stored, web, worker } from "./scene";

describe("room on Fly", () => {
  it("is looked for before anything is changed, and regions that have it are named", async () => {
    const scene = new Scene();
    scene.fly.rooms.set("fra", 1);
    const said = await rejection(scene.up(specOf(shop([web("app@sha256:1")]))));
    assert.match(said, /fra has room for 1 of 2 machines of shop-prod's web \(shared 1 CPU, 512 MiB\)/);
    assert.match(said, /\(ams\): pulumi config set --path fly:regions\.APP ams/);
    assert.deepEqual([scene.fly.changing(), scene.fly.apps.size], [[], 0]);
    scene.fly.rooms.set("fra", 2);
    await scene.up(specOf(shop([web("app@sha256:1")])));
  });

  it("isn't asked for where no machine is to be made", async () => {
    const scene = new Scene();
    await scene.up(specOf(shop([web("app@sha256:1")])));
    scene.fly.rooms.clear();
    scene.fly.log.length = 0;
    await scene.up(specOf(shop([web("app@sha256:2")])));
    assert.ok(!scene.fly.log.some((line) => line.includes("placements")));
  });

  it("is had on another host by a machine without a volume, with one serving at every moment", async () => {
    const scene = new Scene();
    const rolling = (image: string) => [web(image, { strategy: "rolling" }), worker(image)];
    await scene.up(specOf(shop(rolling("app@sha256:1"))));
    const before = scene.machines().map(({ id }) => id);
    scene.fly.crowded.add("app@sha256:2");
    let least = 2;
    scene.fly.onChange = () => void (least = Math.min(least, scene.fly.serving("shop-prod", "web").length));
    await scene.up(specOf(shop(rolling("app@sha256:2"))));
    assert.ok(least >= 1, "no machine served");
    assert.deepEqual(scene.state(), [
      "web 1 app@sha256:2 proven",
      "web 2 app@sha256:2 proven",
      "worker 1 app@sha256:2 proven",
    ]);
    assert.ok(scene.machines().every(({ id }) => !before.includes(id)));
  });

  it("isn't had by a machine with a volume: all is as before, and the way out is told", async () => {
    const scene = new Scene();
    await scene.up(specOf(shop([stored("app@sha256:1")])));
    const before = scene.state();
    scene.fly.crowded.add("app@sha256:2");
    const said = await rejection(scene.up(specOf(shop([stored("app@sha256:2")]))));
    assert.match(said, /its volume ties it to that host/);
    assert.match(said, /fly volumes fork vol_\d+ --app shop-prod/);
    assert.deepEqual(scene.state(), before);
    assert.equal(scene.fly.serving("shop-prod", "web").length, 2);
  });

  it("goes back to the old machine where the one on another host isn't healthy", async () => {
    const scene = new Scene();
    await scene.up(specOf(shop([web("app@sha256:1", { strategy: "rolling" })])));
    const before = scene.machines().map(({ id }) => id);
    scene.fly.crowded.add("bad@sha256:2");
    await rejection(scene.up(specOf(shop([web("bad@sha256:2", { strategy: "rolling" })]))));
    assert.deepEqual(
      scene.machines().map(({ id }) => id),
      before,
    );
    assert.equal(scene.fly.serving("shop-prod", "web").length, 2);
  });
});

describe("volumes on Fly", () => {
  it("never shrink: that is said before anything is changed", async () => {
    const scene = new Scene();
    await scene.up(specOf(shop([stored("app@sha256:1")])));
    scene.fly.log.length = 0;
    const less = stored("app@sha256:2", { volume: { path: "/data", sizeGb: 5, snapshotDays: 5 } });
    const said = await rejection(
      scene.up(specOf(shop([less]), shop([worker("app@sha256:1")], { name: "shop-prod--b" }))),
    );
    assert.match(said, /vol_\d+ of shop-prod \(web_1\) has 10 GB, and 5 are declared/);
    assert.deepEqual(scene.fly.changing(), []);
    assert.equal(scene.fly.apps.size, 1);
  });

  it("that a person made from a snapshot are taken, once machine and volume of before are gone", async () => {
    const scene = new Scene();
    await scene.up(specOf(shop([stored("app@sha256:1")])));
    const app = scene.fly.apps.get("shop-prod")!;
    const [old] = app.volumes;
    const restored = { ...old!, id: "vol_restored", attached_machine_id: null };
    app.machines = app.machines.filter(({ id }) => id !== old?.attached_machine_id);
    app.volumes = [restored, ...app.volumes.filter((volume) => volume !== old)];
    await scene.up(specOf(shop([stored("app@sha256:1")])));
    assert.equal(scene.machines().length, 2);
    assert.ok(scene.machines().some(({ config }) => config.mounts?.[0]?.volume === "vol_restored"));
    assert.equal(app.volumes.length, 2);
  });

  it("have their snapshots kept for as long as is planned, also where that changes", async () => {
    const scene = new Scene();
    const kept = (snapshotDays: number) =>
      specOf(shop([stored("app@sha256:1", { volume: { path: "/data", sizeGb: 10, snapshotDays } })]));
    const days = () =>
      scene.fly.apps.get("shop-prod")?.volumes.map((one) => [one.snapshot_retention, one.auto_backup_enabled]);
    await scene.up(kept(5));
    assert.deepEqual(days(), [
      [5, true],
      [5, true],
    ]);
    const machines = scene.machines().map(({ instance_id }) => instance_id);
    await scene.up(kept(14));
    assert.deepEqual(days(), [
      [14, true],
      [14, true],
    ]);
    assert.deepEqual(
      scene.machines().map(({ instance_id }) => instance_id),
      machines,
    );
    scene.fly.log.length = 0;
    await scene.up(kept(14));
    assert.deepEqual(scene.fly.changing(), []);
  });
});

describe("addresses on Fly", () => {
  const dedicated = (image: string) => specOf(shop([web(image)], { ips: ["v4", "v6"] }));

  it("are one of each kind: the newer ones are given back", async () => {
    const scene = new Scene();
    await scene.up(dedicated("app@sha256:1"));
    const app = scene.fly.apps.get("shop-prod")!;
    const before = app.ips.map(({ ip }) => ip);
    app.ips.unshift({ ip: "66.241.9.9", shared: false, created_at: new Date(scene.fly.time).toISOString() });
    await scene.up(dedicated("app@sha256:2"));
    assert.deepEqual(
      app.ips.map(({ ip }) => ip),
      before,
    );
  });

  it("aren't assigned twice where the list tells of one only after the first look", async () => {
    const scene = new Scene();
    scene.fly.addApp("shop-prod", "acme").ips.push({ ip: "66.241.0.7", shared: false });
    scene.fly.apps.get("shop-prod")!.listed.set("66.241.0.7", scene.fly.time + 70);
    await scene.up(dedicated("app@sha256:1"));
    assert.deepEqual(
      scene.fly.apps
        .get("shop-prod")
        ?.ips.filter(({ shared }) => shared === false)
        .map(({ ip }) => ip),
      ["66.241.0.7"],
    );
  });
});

describe("domains on Fly", () => {
  it("that a list doesn't tell of yet are no failure, and not asked for anew", async () => {
    const scene = new Scene();
    const named = (image: string) => specOf(shop([web(image)], { domains: ["shop.example.com"] }));
    const first = await scene.up(named("app@sha256:1"));
    scene.fly.apps.get("shop-prod")!.listed.set("shop.example.com", Infinity);
    const { apps, changes } = await scene.up(named("app@sha256:1"));
    assert.deepEqual(changes, []);
    assert.equal(apps["shop-prod"]?.dns[0]?.name, first.apps["shop-prod"]?.dns[0]?.name);
  });

  it("that another app has are told", async () => {
    const scene = new Scene();
    scene.fly.instead = (call) =>
      call.endsWith("/certificates/acme")
        ? { status: 422, body: { error: "Hostname already exists on app" } }
        : undefined;
    const spec = specOf(shop([web("app@sha256:1")], { domains: ["shop.example.com"] }));
    assert.match(await rejection(scene.up(spec)), /Hostname already exists on app/);
  });

  it("that a stack doesn't name any more are given up", async () => {
    const scene = new Scene();
    const named = (...domains: string[]) => specOf(shop([web("app@sha256:1")], { domains }));
    await scene.up(named("a.example.com", "b.example.com"));
    const result = await scene.up(named("b.example.com"));
    assert.deepEqual(scene.fly.apps.get("shop-prod")?.certificates, ["b.example.com"]);
    assert.deepEqual(result.changes, ["shop-prod: certificate of a.example.com given up"]);
    await scene.up(named());
    assert.deepEqual(scene.fly.apps.get("shop-prod")?.certificates, []);
  });
});
