import assert from "node:assert/strict";
import { createHmac, randomUUID } from "node:crypto";
import { ArgvWatch } from "./support/argvWatch";
import { FlyWorld } from "./support/flyWorld";
import { eventually, factsOf, jsonOf, statusOf } from "./support/http";
import { progress, type Call } from "./support/world";

describe("hotrod and tileshop of the live stack on Fly, by the real engine", function () {
  this.timeout(600_000);
  const apps = ["hotrod", "tileshop"] as const;
  let world: FlyWorld;
  let first: Call;
  let seen: Awaited<ReturnType<ArgvWatch["stop"]>>;

  before(async () => {
    world = await FlyWorld.open(apps);
    const watch = await ArgvWatch.start();
    first = await world.mustUp();
    seen = await watch.stop();
    progress(`the first \`up\` took ${first.seconds.toFixed(0)} s`);
  });
  after(() => world.close());

  const secretOf = (key: string): string => {
    const value = world.values[key];
    assert.ok(typeof value === "object" && "secret" in value, key);
    return value.secret;
  };
  const groups = async (app: string): Promise<string[]> => [...((await world.machines(app))?.keys() ?? [])].sort();
  const imagesOf = async (app: string): Promise<string[]> =>
    [...((await world.machines(app))?.values() ?? [])].map(({ config }) => config.image);

  /** Machines with the versions of their configurations. */
  const idsOf = async (app: string): Promise<string[]> =>
    [...((await world.machines(app))?.values() ?? [])].map((one) => `${one.id} ${one.instance_id}`).sort();

  it("makes the machines that the apps declare, each app's of one image by digest", async () => {
    assert.deepEqual(Object.keys(first.counts), ["created"]);
    assert.deepEqual(await groups("hotrod-prod"), ["web/1", "web/2", "worker/1"]);
    assert.deepEqual(await groups("hotrod-prod--redis"), ["redis/1"]);
    assert.deepEqual(await groups("hotrod-prod--scheduler"), ["scheduler/1"]);
    assert.deepEqual(await groups("tileshop-prod"), ["web/1", "web/2", "web/3"]);
    assert.deepEqual(await groups("tileshop-prod--crawl4ai"), ["crawl4ai/1"]);
    for (const app of apps) {
      const [image, ...others] = new Set(await imagesOf(`${app}-prod`));
      assert.match(image ?? "", new RegExp(`^registry\\.fly\\.io/${app}-prod@sha256:[0-9a-f]{64}$`));
      assert.deepEqual(others, []);
    }
  });

  it("answers at the apps' public addresses, and tells the domain's records", async () => {
    for (const app of apps) assert.equal(await statusOf(await world.url(`${app}-prod`, "/health")), 200, app);
    const { hotrod } = await world.stack.outputs<{
      hotrod: { dns: { name: string; type: string }[]; health: object };
    }>();
    assert.deepEqual(hotrod.health, { web: "https://dashboard.hotrodan.com/health" });
    const records = hotrod.dns.map(({ name, type }) => `${type} ${name}`);
    for (const wanted of ["A", "AAAA"]) assert.ok(records.includes(`${wanted} dashboard.hotrodan.com`), records.join());
  });

  it("passes a signed webhook of hotrod through Redis to the worker and into Postgres", async () => {
    const body = JSON.stringify({ id: 1, note: "a test's order" });
    const signature = createHmac("sha256", secretOf("hotrod:SHOPIFY_WEBHOOK_SECRET")).update(body).digest("base64");
    const answer = await fetch(await world.url("hotrod-prod", "/webhooks/orders"), {
      method: "POST",
      body,
      headers: { "x-shopify-hmac-sha256": signature, "x-shopify-webhook-id": randomUUID(), connection: "close" },
    });
    assert.equal(answer.status, 202, await answer.text());
    await eventually("the job is processed", 20, async () => {
      const { processed } = await jsonOf<{ processed: number }>(await world.url("hotrod-prod", "/webhooks/jobs"));
      return processed === 1;
    });
  });

  it("runs tileshop's scrape, which asks the crawler and writes vectors into Postgres", async () => {
    const ran = await world.homeport("run", "tileshop", "scrape");
    assert.equal(ran.code, 0, ran.stdout + ran.stderr);
    const { count } = await jsonOf<{ count: number }>(await world.url("tileshop-prod", "/products"));
    assert.equal(count, 25);
  });

  it("has every job's next run", async () => {
    const told = await world.homeport("status", "hotrod", "--json");
    const { apps: [status] = [] } = JSON.parse(told.stdout) as {
      apps?: { schedules: { name: string; next: string }[] }[];
    };
    const next = Object.fromEntries((status?.schedules ?? []).map((one) => [one.name, one.next.slice(11, 16)]));
    assert.equal(next["ingest"], "02:00");
    assert.equal(next["export-embeddings"], "03:00");
  });

  it("shows the token of Fly to nobody", async () => {
    const token = secretOf("fly:apiToken");
    const { stdout: state } = await world.stack.pulumi(["stack", "export"]);
    assert.ok(state.includes("hotrod-web-image"));
    assert.ok(!state.includes(token), "the state holds it as plain text");
    assert.ok(!first.output.includes(token), "`up` prints it");
    assert.ok(seen.commandLines.length > 10);
    assert.deepEqual(
      seen.commandLines.filter((line) => line.includes(token)),
      [],
    );
  });

  it("changes nothing on a second `up`: no call to Fly, no build", async () => {
    const { result, calls } = await world.during(() => world.mustUp());
    assert.deepEqual(result.counts, { unchanged: first.counts["created"] });
    assert.deepEqual(calls, []);
  });

  it("builds nothing for a file that .dockerignore leaves out", async () => {
    world.write("hotrod", "notes.db", "not part of the image\n");
    const { result, calls } = await world.during(() => world.mustUp());
    assert.deepEqual(result.counts, { unchanged: first.counts["created"] });
    assert.deepEqual(calls, []);
  });

  it("puts a volume back to a snapshot of it by `homeport restore`, data and all", async () => {
    const inside = (id: string, script: string) => world.calls.inside("hotrod-prod", id, "/bin/sh", "-c", script);
    const webOne = async () => (await world.machines("hotrod-prod"))!.get("web/1")!.id;
    const before = await webOne();
    await inside(before, "echo kept >/data/chroma/note; echo >/data/chroma/mark");
    const saved = await world.homeport("backup", "hotrod", "web_1");
    assert.equal(saved.code, 0, saved.stdout + saved.stderr);
    await inside(before, "echo spoiled >/data/chroma/note; rm /data/chroma/mark");
    const restored = await world.homeport("restore", "hotrod", "web_1", "latest", "--yes");
    assert.equal(restored.code, 0, restored.stdout + restored.stderr);
    const now = await webOne();
    assert.notEqual(now, before);
    assert.equal(await inside(now, "cat /data/chroma/note; ls /data/chroma/mark"), "kept\n/data/chroma/mark");
    assert.deepEqual(await groups("hotrod-prod"), ["web/1", "web/2", "worker/1"]);
    assert.equal(await statusOf(await world.url("hotrod-prod", "/health")), 200);
  });

  it("tells of machines that somebody took away, and makes them anew when asked to repair the app", async () => {
    const known = await idsOf("hotrod-prod");
    const gone = (await world.machines("hotrod-prod"))!.get("web/2")!.id;
    const scheduler = (await world.machines("hotrod-prod--scheduler"))!.get("scheduler/1")!.id;
    await world.calls.destroy("hotrod-prod", gone);
    await world.calls.destroy("hotrod-prod--scheduler", scheduler);
    const told = await world.homeport("status", "hotrod");
    assert.equal(told.code, 1);
    assert.match(told.stdout, /machine web\/2, the scheduler's machine: homeport repair hotrod, then pulumi up/);
    assert.deepEqual((await world.mustUp()).counts, { unchanged: first.counts["created"] });
    const asked = await world.homeport("repair", "hotrod");
    assert.equal(asked.code, 0, asked.stdout + asked.stderr);
    assert.deepEqual((await world.mustUp()).counts, { unchanged: first.counts["created"]! - 1, updated: 1 });
    assert.deepEqual(await groups("hotrod-prod"), ["web/1", "web/2", "worker/1"]);
    assert.deepEqual(await groups("hotrod-prod--scheduler"), ["scheduler/1"]);
    const kept = await idsOf("hotrod-prod");
    assert.deepEqual(
      known.filter((one) => !kept.includes(one)).map((one) => one.split(" ")[0]),
      [gone],
    );
    const well = await world.homeport("status", "hotrod");
    assert.equal(well.code, 0, well.stdout);
    assert.match(well.stdout, /db +postgres 16: ready, basic/);
    const { result, calls } = await world.during(() => world.mustUp());
    assert.deepEqual(result.counts, { unchanged: first.counts["created"] });
    assert.deepEqual(calls, []);
  });

  it("deploys a new version of one app, and leaves the other alone", async () => {
    const before = await idsOf("tileshop-prod");
    world.write("hotrod", "VERSION", "two\n");
    const { counts } = await world.mustUp();
    assert.equal(counts["updated"], 2, JSON.stringify(counts));
    const url = await world.url("hotrod-prod");
    const versions = new Set(await Promise.all(Array.from({ length: 8 }, async () => (await factsOf(url)).version)));
    assert.deepEqual([...versions], ["two"]);
    assert.deepEqual(await idsOf("tileshop-prod"), before);
    assert.deepEqual(await world.calls.releases("hotrod-prod"), ["v2 complete", "v1 complete"]);
    assert.deepEqual(await world.calls.releases("tileshop-prod"), ["v1 complete"]);
  });

  it("ends with the last lines of a build that fails, and what ran goes on", async () => {
    const images = await imagesOf("hotrod-prod");
    world.write("hotrod", "Dockerfile", "FROM node:20-bullseye\nRUN echo the reason as it came >&2 && exit 3\n");
    const { result, calls } = await world.during(() => world.up());
    assert.notEqual(result.code, 0);
    assert.match(result.output, /hotrod-web-image updating .*the reason as it came/);
    assert.match(result.output, /hotrod-web-image\):\s+error: error reading build output: .*RUN echo the reason/);
    assert.deepEqual(
      calls.filter(({ changes }) => changes),
      [],
    );
    assert.deepEqual(await imagesOf("hotrod-prod"), images);
    assert.equal((await factsOf(await world.url("hotrod-prod"))).version, "two");
  });

  it("takes everything away but the data, also where no Docker Engine answers", async () => {
    const stopped = await (await world.site.host("fly")).exec("systemctl stop docker-engine");
    assert.equal(stopped.code, 0, stopped.stderr);
    const destroyed = await world.stack.destroy();
    assert.equal(destroyed.code, 0, destroyed.stdout + destroyed.stderr);
    for (const app of apps) assert.deepEqual(await groups(`${app}-prod`), []);
    assert.notEqual(await world.machines("hotrod-prod"), undefined, "hotrod's volumes are gone");
    assert.equal(await world.machines("hotrod-prod--scheduler"), undefined);
  });
});
