import assert from "node:assert/strict";
import type { Container } from "../../../rehearsal/platform/runtime";
import { type PaperBehaviour, PaperRuntime } from "../../../rehearsal/platform/paper";
import { type Bench, openBench, pause, timings, until } from "./flySupport";

const behaviour = ({ env }: Container): PaperBehaviour => ({
  ...(env["EXIT"] === undefined ? {} : { exit: { code: Number(env["EXIT"]), afterMs: 5 }, logs: [`about to end`] }),
  ...(env["BROKEN"] === undefined ? {} : { broken: env["BROKEN"] }),
});

describe("the emulator of Fly.io, with machines on paper", () => {
  let bench: Bench;
  let count = 0;
  let app: string;
  before(async () => {
    bench = await openBench({
      runtime: new PaperRuntime(behaviour, (image) => !image.includes("missing")),
    });
  });
  beforeEach(async () => {
    app = `web-${++count}`;
    await bench.app(app);
  });
  after(() => bench.close());

  const events = async (id: string): Promise<string[]> => {
    const got = await bench.call("GET", `/apps/${app}/machines/${id}/events`);
    return (got.body as unknown as { type: string; status: string }[]).map(({ type, status }) => `${type} ${status}`);
  };

  it("lets a new app and a new machine be unknown for a moment", async () => {
    // Long enough that a busy machine sees each stage.
    const slow = await openBench({ timings: { ...timings, appVisible: 1_000, machineVisible: 2_000 } });
    try {
      assert.equal((await slow.call("POST", "/apps", { name: "late", org_slug: "personal" })).status, 201);
      const seen = new Set<number>();
      await until("the app", async () => {
        const { status } = await slow.call("GET", "/apps/late");
        seen.add(status);
        return status === 200;
      });
      assert.deepEqual([...seen], [404, 401, 200]);
      const { body } = await slow.call("POST", "/apps/late/machines", { config: { image: "a:1" } });
      const read = async (): Promise<number> => (await slow.call("GET", `/apps/late/machines/${body.id}`)).status;
      assert.equal(await read(), 404);
      assert.equal((await slow.call("GET", "/apps/late/machines")).body.length, 0);
      await until("the machine", async () => (await read()) === 200);
    } finally {
      await slow.close();
    }
  });

  it("goes through a machine's states, from created to destroyed", async () => {
    const id = await bench.machine(app);
    assert.equal(await bench.state(app, id), "started");
    assert.deepEqual((await events(id)).reverse(), ["launch created", "start starting", "start started"]);
    assert.equal((await bench.call("DELETE", `/apps/${app}/machines/${id}`)).status, 412);
    const version = (await bench.call("GET", `/apps/${app}/machines/${id}`)).body.instance_id;
    await bench.call("POST", `/apps/${app}/machines/${id}/stop`);
    await bench.call("GET", `/apps/${app}/machines/${id}/wait?state=stopped&instance_id=${version}`);
    assert.equal(await bench.state(app, id), "stopped");
    const started = await bench.call("POST", `/apps/${app}/machines/${id}/start`);
    assert.equal(started.body["previous_state"], "stopped");
    await bench.call("GET", `/apps/${app}/machines/${id}/wait`);
    await bench.call("DELETE", `/apps/${app}/machines/${id}?force=true`);
    assert.equal((await bench.call("GET", `/apps/${app}/machines/${id}/wait?state=destroyed`)).status, 200);
    assert.deepEqual((await bench.call("GET", `/apps/${app}/machines`)).body, []);
    assert.equal((await bench.call("GET", `/apps/${app}/machines?include_deleted=true`)).body.length, 1);
  });

  it("waits 60 seconds at most, and says when the time is over", async () => {
    const id = await bench.machine(app);
    assert.equal((await bench.call("GET", `/apps/${app}/machines/${id}/wait?timeout=61`)).status, 400);
    assert.equal((await bench.call("GET", `/apps/${app}/machines/${id}/wait?state=stopped`)).status, 400);
    const got = await bench.call("GET", `/apps/${app}/machines/${id}/wait?state=destroyed&timeout=1`);
    assert.equal(got.status, 408);
  });

  it("replaces the whole configuration by an update, for the version that was meant", async () => {
    const id = await bench.machine(app, { env: { A: "1" }, metadata: { role: "web" } });
    const before = (await bench.call("GET", `/apps/${app}/machines/${id}`)).body.instance_id;
    const path = `/apps/${app}/machines/${id}`;
    const config = { image: "registry.fly.io/web:2" };
    assert.equal((await bench.call("POST", path, { config, current_version: "01OLD" })).status, 412);
    assert.equal((await bench.call("POST", path, { config, region: "fra" })).status, 400);
    const updated = await bench.call("POST", path, { config, current_version: before });
    assert.equal(updated.body.state, "replacing");
    assert.notEqual(updated.body.instance_id, before);
    const version = updated.body.instance_id;
    assert.equal((await bench.call("GET", `${path}/wait?instance_id=${version}&state=started`)).status, 200);
    const after = (await bench.call("GET", path)).body as unknown as { config: Record<string, unknown> };
    assert.equal(after.config["env"], undefined);
    assert.equal(after.config["metadata"], undefined);
    assert.equal((await bench.call("GET", `${path}/versions`)).body.length, 2);
  });

  it("keeps a stopped machine stopped where the launch is skipped", async () => {
    const id = await bench.machine(app, {}, { skip_launch: true });
    assert.equal(await bench.state(app, id), "stopped");
    await bench.call("POST", `/apps/${app}/machines/${id}`, { config: { image: "a:2" }, skip_launch: true });
    await until("the new version", async () => (await bench.state(app, id)) === "stopped");
    assert.ok(!bench.runtime.started.some((container) => container.id === id));
  });

  it("gives a lease to one at a time", async () => {
    const id = await bench.machine(app);
    const path = `/apps/${app}/machines/${id}`;
    const got = (await bench.call("POST", `${path}/lease`, { ttl: 1 })).body as unknown as { data: { nonce: string } };
    const mine = { "fly-machine-lease-nonce": got.data.nonce };
    for (const [method, rest] of [
      ["POST", "/stop"],
      ["POST", "/lease"],
      ["POST", "/cordon"],
      ["DELETE", "?force=true"],
      ["DELETE", "/lease"],
    ] as const) {
      const other = await bench.call(method, `${path}${rest}`);
      assert.equal(other.status, 409, rest);
      assert.match(other.body.message, /lease currently held by/);
    }
    assert.equal((await bench.call("POST", `${path}/lease?ttl=1`, undefined, mine)).status, 201);
    assert.equal((await bench.call("POST", `${path}/cordon`, undefined, mine)).status, 200);
    await pause(1_200);
    assert.equal((await bench.call("POST", `${path}/cordon`)).status, 200, "a lease ends by itself");
    assert.equal(
      (await bench.call("POST", `/apps/${app}/machines`, { config: { image: "a:1" }, lease_ttl: 5 })).body.nonce.length,
      12,
    );
  });

  it("restarts what failed, leaves what is done, and destroys what says so", async () => {
    const failing = await bench.machine(app, { env: { EXIT: "3" }, restart: { policy: "on-failure", max_retries: 2 } });
    await until("the last try", async () => (await bench.state(app, failing)) === "stopped");
    assert.equal(bench.runtime.started.filter((container) => container.id === failing).length, 3);
    const done = await bench.machine(app, { env: { EXIT: "0" } });
    await until("the end", async () => (await bench.state(app, done)) === "stopped");
    assert.equal(bench.runtime.started.filter((container) => container.id === done).length, 1);
    const release = await bench.machine(app, { env: { EXIT: "7" }, auto_destroy: true, restart: { policy: "no" } });
    await until("the release machine's end", async () => (await bench.state(app, release)) === "destroyed");
    const list = (await bench.call("GET", `/apps/${app}/machines/${release}/events`)).body as unknown as {
      type: string;
      request?: { exit_event?: { exit_code: number } };
    }[];
    assert.equal(list.find(({ type }) => type === "exit")?.request?.exit_event?.exit_code, 7);
  });

  it("says when a command can't be started, or has no image", async () => {
    const id = await bench.machine(app, { env: { BROKEN: "no such file" } });
    assert.equal(await bench.state(app, id), "failed");
    const got = await bench.call("POST", `/apps/${app}/machines`, { config: { image: "registry.fly.io/missing:1" } });
    assert.equal(got.status, 400);
    assert.match(got.body.error, /could not find image/);
  });

  it("keeps to the sizes that there are", async () => {
    const make = async (guest: unknown): Promise<number> =>
      (await bench.call("POST", `/apps/${app}/machines`, { config: { image: "a:1", guest } })).status;
    assert.equal(await make({ cpu_kind: "shared", cpus: 1, memory_mb: 4096 }), 400);
    assert.equal(await make({ cpu_kind: "shared", cpus: 3, memory_mb: 1024 }), 400);
    assert.equal(await make({ cpu_kind: "performance", cpus: 1, memory_mb: 1024 }), 400);
    assert.equal(await make({ cpu_kind: "shared", cpus: 1, memory_mb: 1000 }), 400);
    assert.equal(await make({ cpu_kind: "shared", cpus: 2, memory_mb: 4096 }), 200);
  });

  it("keeps a volume to one machine, in its region, with the room that was asked for", async () => {
    const compute = { cpu_kind: "shared", cpus: 2, memory_mb: 2048 };
    const made = await bench.call("POST", `/apps/${app}/volumes`, { name: "data", region: "fra", size_gb: 5, compute });
    const volume = made.body.id;
    const config = { image: "a:1", guest: compute, mounts: [{ volume, path: "/data" }] };
    const wrongPlace = await bench.call("POST", `/apps/${app}/machines`, { config, region: "iad" });
    assert.match(wrongPlace.body.error, /wrong region/);
    const tooBig = { ...config, guest: { ...compute, memory_mb: 4096 } };
    const noRoom = await bench.call("POST", `/apps/${app}/machines`, { config: tooBig, region: "fra" });
    assert.equal(noRoom.status, 412);
    assert.equal(noRoom.body.status, "volume_placement_capacity");
    const id = await bench.machine(app, config, { region: "fra" });
    assert.match(
      (await bench.call("POST", `/apps/${app}/machines`, { config, region: "fra" })).body.error,
      /is attached to machine/,
    );
    const two = { ...config, mounts: [...config.mounts, ...config.mounts] };
    assert.match((await bench.call("POST", `/apps/${app}/machines`, { config: two })).body.error, /only 1 volume/);
    assert.equal((await bench.call("DELETE", `/apps/${app}/volumes/${volume}`)).status, 412);
    assert.equal((await bench.call("PUT", `/apps/${app}/volumes/${volume}/extend`, { size_gb: 4 })).status, 422);
    const grown = await bench.call("PUT", `/apps/${app}/volumes/${volume}/extend`, { size_gb: 8 });
    assert.equal(grown.body["needs_restart"], true);
    await bench.call("POST", `/apps/${app}/volumes/${volume}/snapshots`);
    assert.equal((await bench.call("GET", `/apps/${app}/volumes/${volume}/snapshots`)).body.length, 1);
    await bench.call("DELETE", `/apps/${app}/machines/${id}?force=true`);
    await bench.call("GET", `/apps/${app}/machines/${id}/wait?state=destroyed`);
    assert.deepEqual(bench.runtime.removedVolumes, [], "a volume outlives its machine");
    const kept = await bench.call("GET", `/apps/${app}/volumes/${volume}`);
    assert.deepEqual([kept.body["size_gb"], kept.body["attached_machine_id"]], [8, null]);
    assert.equal((await bench.call("DELETE", `/apps/${app}/volumes/${volume}`)).status, 200);
    assert.deepEqual(bench.runtime.removedVolumes, [volume]);
  });

  it("gives secrets to machines by version, and shows digests alone", async () => {
    const set = await bench.call("POST", `/apps/${app}/secrets`, { values: { KEY: "value-1", OTHER: "x" } });
    const version = set.body.version;
    assert.ok(!JSON.stringify(set.body).includes("value-1"));
    const early = { config: { image: "a:1" }, min_secrets_version: version + 1 };
    assert.equal((await bench.call("POST", `/apps/${app}/machines`, early)).status, 412);
    const id = await bench.machine(app, { env: { KEY: "plain" } }, { min_secrets_version: version });
    assert.equal(bench.runtime.started.find((container) => container.id === id)?.env["KEY"], "value-1");
    const second = await bench.call("POST", `/apps/${app}/secrets`, {
      values: { KEY: "value-2", OTHER: null, GONE: null },
    });
    assert.equal(second.body.version, version + 1);
    const listed = await bench.call("GET", `/apps/${app}/secrets`);
    const { secrets } = listed.body as unknown as { secrets: { name: string; digest: string }[] };
    assert.deepEqual(
      secrets.map(({ name }) => name),
      ["KEY"],
    );
    assert.equal(bench.runtime.started.filter((container) => container.id === id).length, 1, "nothing restarts");
    const bare = await bench.machine(app, {}, { skip_secrets: true });
    assert.equal(bench.runtime.started.find((container) => container.id === bare)?.env["KEY"], undefined);
  });

  it("changes metadata without a restart, and finds machines by it", async () => {
    const id = await bench.machine(app, { metadata: { group: "web", old: "1" } });
    const path = `/apps/${app}/machines/${id}/metadata`;
    const change = { metadata: { old: null, launch: "a" } };
    assert.equal((await bench.call("PATCH", path, { ...change, machine_version: "01OLD" })).status, 412);
    assert.equal((await bench.call("PATCH", path, change)).status, 204);
    assert.equal((await bench.call("POST", `${path}/kind`, { value: "app" })).status, 204);
    assert.deepEqual((await bench.call("GET", path)).body, { group: "web", launch: "a", kind: "app" });
    assert.equal(
      (await bench.call("GET", `/apps/${app}/machines?metadata.group=web&metadata.launch=a`)).body.length,
      1,
    );
    assert.equal(
      (await bench.call("GET", `/apps/${app}/machines?metadata.group=web&metadata.launch=b`)).body.length,
      0,
    );
    assert.equal(bench.runtime.started.filter((container) => container.id === id).length, 1);
  });

  it("survives its own restart with all that it knows", async () => {
    const id = await bench.machine(app, { metadata: { a: "1" } });
    await bench.call("POST", `/apps/${app}/secrets`, { values: { KEY: "v" } });
    const waiting = await bench.call("POST", `/apps/${app}/machines`, { config: { image: "a:1" } });
    await bench.restart();
    const { body } = await bench.call("GET", `/apps/${app}/machines/${id}`);
    assert.equal(body["state"], "started");
    assert.equal((await bench.call("GET", `/apps/${app}/secrets/KEY`)).status, 200);
    const late = waiting.body.id;
    await until("the machine under way", async () => (await bench.state(app, late)) === "started");
  });
});
