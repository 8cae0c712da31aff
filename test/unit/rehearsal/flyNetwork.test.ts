import assert from "node:assert/strict";
import { lookUp } from "../../../rehearsal/fly/names";
import { type Bench, openBench, until } from "./flySupport";

const service = (port: number): object => ({
  protocol: "tcp",
  internal_port: 8080,
  ports: [{ port, handlers: [] }],
});

describe("the emulator of Fly.io's private network", () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await openBench();
    await bench.app("web");
    await bench.app("redis");
  });
  afterEach(() => bench.close());

  const names = (name: string): string[] | undefined => lookUp(bench.fly.world, name);

  it("knows machines by app, region, group and id while they run", async () => {
    const config = { metadata: { fly_process_group: "queue" } };
    const id = await bench.machine("web", config, { region: "fra" });
    const [address] = names("web.internal") ?? [];
    assert.ok(address !== undefined);
    for (const name of ["fra.web.internal", "queue.process.web.internal", `${id}.vm.web.internal`])
      assert.deepEqual(names(name), [address], name);
    for (const name of ["iad.web.internal", "none.process.web.internal", "nobody.internal"])
      assert.deepEqual(names(name), [], name);
    assert.equal(names("example.com"), undefined, "others are asked for it");
    await bench.call("POST", `/apps/web/machines/${id}/stop`);
    await until("the stop", async () => (await bench.state("web", id)) === "stopped");
    assert.deepEqual(names("web.internal"), []);
  });

  it("leads Flycast to the proxy, for apps with a private address, at the ports of their services", async () => {
    await bench.machine("redis", { services: [service(6379)] });
    assert.deepEqual(names("redis.flycast"), []);
    await bench.call("POST", "/apps/redis/ip_assignments", { type: "private_v6" });
    const [address] = names("redis.flycast") ?? [];
    const route = () => bench.runtime.routes.find((one) => one.address === address);
    await until("the route", () => route() !== undefined);
    assert.deepEqual([route()?.port, route()?.to.port], [6379, bench.fly.world.state.edges["redis:6379"]]);
    const { ips } = (await bench.call("GET", "/apps/redis/ip_assignments")).body as unknown as {
      ips: { ip: string }[];
    };
    await bench.call("DELETE", `/apps/redis/ip_assignments/${ips[0]!.ip}`);
    await until("the end of the route", () => route() === undefined);
    assert.deepEqual(names("redis.flycast"), []);
  });

  it("shows the world an app with a public address, and no other", async () => {
    await bench.machine("web", { services: [service(443)] });
    await until("the listener", () => bench.fly.world.state.edges["web:443"] !== undefined);
    await bench.call("POST", "/apps/web/ip_assignments", { type: "private_v6" });
    assert.deepEqual(await bench.control("GET", "edges"), {});
    await bench.call("POST", "/apps/web/ip_assignments", { type: "shared_v4" });
    assert.deepEqual(Object.keys((await bench.control("GET", "edges")) as object), ["web:443"]);
  });

  it("has an address for the API itself", () => {
    const [address] = names("_api.internal") ?? [];
    const route = bench.runtime.routes.find((one) => one.address === address);
    assert.equal(`http://${route?.to.host ?? ""}:${route?.to.port ?? 0}`, bench.fly.endpoint);
    assert.equal(route?.port, 4280);
  });

  it("knows a Postgres cluster's endpoints by name until it is deleted", async () => {
    const wanted = { org_slug: "personal", region: "iad", plan: "basic", name: "db" };
    const { id } = (await bench.call("POST", "/postgres", wanted)).body["data"] as { id: string };
    const endpoints = ["direct", "pgbouncer"].map((kind) => `${kind}.${id}.flympg.net`);
    const addresses = endpoints.map((name) => names(name)?.[0]);
    assert.equal(new Set(addresses).size, 2);
    assert.ok(!addresses.includes(undefined));
    assert.deepEqual(names("direct.none.flympg.net"), []);
    await bench.call("DELETE", `/postgres/${id}`);
    assert.deepEqual(names(endpoints[0]!), []);
  });

  it("makes volumes of snapshots and of other volumes, and clusters of backups", async () => {
    const make = (more: object) =>
      bench.call("POST", "/apps/web/volumes", { name: "data", region: "iad", size_gb: 1, ...more });
    const { id } = (await make({})).body;
    await bench.call("POST", `/apps/web/volumes/${id}/snapshots`);
    const list = (await bench.call("GET", `/apps/web/volumes/${id}/snapshots`)).body as unknown as { id: string }[];
    const snapshot = list[0]!.id;
    const restored = (await make({ snapshot_id: snapshot })).body.id;
    const forked = (await make({ source_volume_id: id })).body.id;
    assert.deepEqual(bench.runtime.copiedVolumes, [
      [id, snapshot],
      [snapshot, restored],
      [id, forked],
    ]);
    assert.equal((await make({ snapshot_id: "vs_none" })).status, 404);
    assert.equal((await make({ snapshot_id: snapshot, source_volume_id: id })).status, 400);

    const wanted = { org_slug: "personal", region: "iad", plan: "basic", name: "db" };
    const cluster = ((await bench.call("POST", "/postgres", wanted)).body["data"] as { id: string }).id;
    const path = `/postgres/${cluster}`;
    await until(
      "the cluster",
      async () => (await bench.call("POST", `${path}/backups`, { type: "full" })).status === 201,
    );
    const backups = (await bench.call("GET", `${path}/backups`)).body["data"] as { id: string }[];
    const restore = (how: object) => bench.call("POST", `${path}/restore`, how);
    const made = await restore({ backup_id: backups[0]!.id, name: "copy" });
    assert.deepEqual([made.status, (made.body["data"] as { name: string }).name], [201, "copy"]);
    assert.equal((await restore({ backup_id: "none" })).status, 404);
    assert.equal((await restore({ pitr_time: "2020-01-01T00:00:00Z" })).status, 404);
    assert.equal((await restore({ pitr_time: "yesterday" })).status, 422);
    assert.equal((await restore({})).status, 422);
  });

  it("gives commands in a machine neither its variables nor its folder", async () => {
    const id = await bench.machine("web", { env: { KEY: "value" } });
    const done = await bench.call("POST", `/apps/web/machines/${id}/exec`, { command: ["printenv", "KEY"] });
    assert.match(String(done.body["stdout"]), /^\/usr\/bin\/env -i PATH=\S+ HOME=\/root printenv KEY/);
  });
});
