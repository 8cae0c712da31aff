import assert from "node:assert/strict";
import { resolve } from "node:path";
import { app, cron, env, fromStack, node, Size, Volume } from "../../../components";
import type { PaperBehaviour } from "../../../rehearsal/platform/paper";
import type { Container } from "../../../rehearsal/platform/runtime";
import { rememberPlace } from "../../../targets/containers/session";
import { RailwayOperations } from "../../../targets/railway/operations";
import { RailwayBench } from "./bench";
import { planOf, resolveOnRailway, type Changes } from "./plans";

const folder = resolve(__dirname, "../../../rehearsal/standins/clausea");

/** An app with every part that Railway has something for. */
const shop = app("clausea", "Has all of it", (a) => {
  const files = a.bucket("files");
  const db = a.database("db", {
    engine: "postgres",
    extensions: ["vector"],
    size: Size.gib(60),
    backup: { at: cron("0 4 * * *"), keep: 7 },
  });
  const code = { source: fromStack({ directory: "apps/backend" }), runtime: node("20") };
  const crawler = a.service("crawler", {
    image: "docker.io/acme/crawler:1",
    port: 9000,
    access: "internal",
    health: "/health",
  });
  const web = a.service("web", {
    ...code,
    command: "serve --port $PORT",
    release: "migrate",
    port: 8080,
    health: "/health",
    instances: 2,
    env: { DATABASE_URL: db.url, CRAWLER: crawler.internalUrl, BUCKET: files.bucketName, KEY: env.secret() },
  });
  a.service("store", { ...code, command: "keep", volumes: [Volume.at("/store", Size.gib(5))] });
  a.domain(web);
  a.job("digest", { in: web, at: cron("30 2 * * *", { timeZone: "Asia/Kolkata" }), command: ["one", "it's two"] });
});

const changes: Changes = {
  "clausea:domain": "shop.example.com",
  "clausea:KEY": { value: "marker-shop-key", secret: true },
  "railway:archives": "railway",
  "railway:tcpProxies": '{"clausea.db":5432}',
};
for (const key of ["MONGO_URI", "API_KEY", "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "STREAMLIT_DASHBOARD_PASSWORD"]) {
  changes[`clausea:${key}`] = undefined;
}

/** A release command ends by itself. */
const released = ({ entrypoint = [], command = [] }: Container, code = 0): PaperBehaviour =>
  [...entrypoint, ...command].includes("migrate") ? { exit: { code, afterMs: 5 }, logs: ["migrates"] } : {};

describe("an app with all that Railway has", () => {
  let bench: RailwayBench;
  beforeEach(async () => {
    bench = await RailwayBench.open();
    bench.behaviour(released);
  });
  afterEach(() => bench.close());
  const plan = async (more: Changes = {}) =>
    bench.at(await planOf(await bench.push(folder), { ...changes, ...more }, [shop]));
  const instanceOf = (name: string) => {
    const { services, instances } = bench.railway.world.state;
    const found = Object.values(instances).find(({ serviceId }) => services[serviceId]?.name === name);
    assert.ok(found !== undefined, name);
    return found;
  };
  const runOf = (name: string) => {
    const { services, deployments } = bench.railway.world.state;
    const found = Object.values(deployments).find(
      ({ serviceId, status }) => services[serviceId]?.name === name && status === "SUCCESS",
    );
    assert.ok(found !== undefined, name);
    return found;
  };

  it("comes up as declared, once and the second time", async () => {
    const result = await bench.up(await plan());
    assert.deepEqual(bench.objects(), [
      "bucket clausea-dev-files",
      "domain of web",
      "domain of web",
      "environment dev",
      "instance crawler in dev",
      "instance db in dev",
      "instance digest in dev",
      "instance store in dev",
      "instance web in dev",
      "project clausea",
      "proxy of db to 5432",
      "service crawler",
      "service db",
      "service digest",
      "service store",
      "service web",
      "volume of db at /var/lib/postgresql/data",
      "volume of store at /store",
    ]);
    assert.equal(result.services.web?.url, "https://shop.example.com");
    assert.ok(result.services.web.dns.some(({ type }) => type === "CNAME"));
    assert.match(result.services.db?.tcp ?? "", /:\d+$/);
    const before = bench.count;
    assert.deepEqual((await bench.up(await plan())).changes, []);
    assert.deepEqual(bench.callsAfter(before, true), []);
  });

  it("waits where Railway makes no second volume right after the first", async () => {
    Object.assign(bench.railway.world.timings, { volumeGap: 400 });
    await bench.up(await plan());
    const volumes = bench.objects().filter((line) => line.startsWith("volume"));
    assert.deepEqual(volumes, ["volume of db at /var/lib/postgresql/data", "volume of store at /store"]);
  });

  it("scales, and grows a volume, and deploys nothing else", async () => {
    await bench.up(await plan());
    const before = bench.deployments();
    const spec = await plan({ "clausea:instances": '{"web":3}' });
    const services = spec.services.map((service) =>
      service.name === "db" && service.volume !== undefined
        ? { ...service, volume: { ...service.volume, sizeMb: 80_000 } }
        : service,
    );
    const { changes: done } = await bench.up({ ...spec, services });
    assert.ok(done.includes("db: volume grows from 61440 to 80000 MB"), done.join("\n"));
    assert.equal(instanceOf("web").config.deploy?.numReplicas, 3);
    assert.equal(runOf("web").replicas.filter(({ isUp }) => isUp).length, 3);
    assert.ok(Object.values(bench.railway.world.state.volumeInstances).some(({ sizeMB }) => sizeMB === 80_000));
    const after = bench.deployments();
    for (const name of ["db", "store", "crawler", "digest"]) assert.equal(after[name]?.id, before[name]?.id, name);
    assert.deepEqual((await bench.up({ ...spec, services })).changes, []);
  });

  it("has its settings, volumes and schedules", async () => {
    await bench.up(await plan());
    const { deploy, build, source } = instanceOf("web").config;
    assert.equal(deploy?.startCommand, `/bin/sh -c '${rememberPlace}\nexec serve --port $PORT'`);
    assert.deepEqual(deploy.preDeployCommand, ["/bin/sh -c 'migrate'"]);
    assert.equal(deploy.numReplicas, 2);
    assert.equal(deploy.healthcheckPath, "/health");
    assert.equal(build?.dockerfilePath, "Dockerfile");
    assert.equal(source?.repo, "acme/clausea");
    assert.equal(source.rootDirectory, "apps/backend");
    const digest = instanceOf("digest").config.deploy;
    assert.equal(digest?.cronSchedule, "0 21 * * *");
    assert.equal(digest.restartPolicyType, "NEVER");
    const { volumeInstances } = bench.railway.world.state;
    assert.deepEqual(
      Object.values(volumeInstances).map(({ sizeMB, schedules }) => [sizeMB, schedules]),
      [
        [61_440, ["DAILY", "WEEKLY"]],
        // The plan's own size is more than was asked for.
        [50_000, ["DAILY"]],
      ],
    );
    assert.equal(instanceOf("web").config.deploy?.limitOverride?.containers?.cpu, 1);
  });

  it("gives services the values of others, and the bucket's keys", async () => {
    await bench.up(await plan());
    const { variables } = runOf("web");
    assert.match(
      variables.DATABASE_URL ?? "",
      /^postgresql:\/\/postgres:marker-password-db@db\.railway\.internal:5432\/railway$/,
    );
    assert.equal(variables.CRAWLER, "http://crawler.railway.internal:9000");
    assert.ok(
      (variables.AWS_SECRET_ACCESS_KEY ?? "").length > 0 && !(variables.AWS_SECRET_ACCESS_KEY ?? "").includes("@@"),
    );
    assert.equal(variables.PORT, "8080");
    const digest = runOf("digest");
    assert.equal(digest.variables.DATABASE_URL, variables.DATABASE_URL);
  });

  it("closes what is public no longer, and drops a domain that isn't declared", async () => {
    await bench.up(await plan());
    await bench.up(await plan({ "clausea:domain": undefined, "railway:tcpProxies": "{}" }));
    assert.deepEqual(
      bench.objects().filter((line) => /^(domain|proxy)/.test(line)),
      ["domain of web"],
    );
    const spec = await plan({ "clausea:domain": undefined, "railway:tcpProxies": "{}" });
    const services = spec.services.map((service) => {
      const rest = { ...service };
      delete rest.publicPort;
      return rest;
    });
    await bench.up({ ...spec, services });
    assert.deepEqual(
      bench.objects().filter((line) => /^(domain|proxy)/.test(line)),
      [],
    );
  });

  it("runs a job when a person asks, and tells how it ended", async () => {
    const ending = { code: 0 };
    bench.behaviour((container) =>
      container.env.RAILWAY_SERVICE_NAME === "digest"
        ? { exit: { code: ending.code, afterMs: 5 } }
        : released(container),
    );
    await bench.up(await plan());
    const { apps, settings } = await resolveOnRailway(await bench.push(folder), changes, [shop]);
    const [declared] = apps;
    assert.ok(declared !== undefined);
    const at = { ...settings, url: bench.railway.endpoint, apiToken: bench.railway.token };
    const operations = new RailwayOperations(declared, at, bench.world);
    assert.equal((await operations.status()).schedules[0]?.result, "unknown");
    assert.equal(await operations.runJob("digest"), 0);
    assert.equal((await operations.status()).schedules[0]?.result, "success");
    ending.code = 4;
    assert.equal(await operations.runJob("digest"), 1);
    const { failed, schedules } = await operations.status();
    assert.deepEqual(failed, ["digest"]);
    const [schedule] = schedules;
    assert.deepEqual([schedule?.result, schedule?.reason], ["failed", "crashed"]);
    assert.match(schedule?.next ?? "", /T21:00:00\.000Z$/);
    assert.equal(await operations.runJob("nothing"), 127);
  });

  it("switches nothing when the release command fails", async () => {
    await bench.up(await plan());
    const ran = bench.deployments();
    bench.behaviour((container) => released(container, 1));
    await assert.rejects(
      bench.up(await plan({ "clausea:KEY": { value: "marker-other-key", secret: true } })),
      /web didn't get healthy/,
    );
    assert.ok(bench.lines.includes("web | migrates"), bench.lines.join("\n"));
    assert.equal(bench.deployments().web?.id, ran.web?.id);
  });

  it("stops a program without a health check that doesn't live on", async () => {
    bench.behaviour((container) =>
      container.env.RAILWAY_SERVICE_NAME === "store"
        ? { exit: { code: 3, afterMs: 3 }, logs: ["no disk"] }
        : released(container),
    );
    await assert.rejects(bench.up(await plan()), /store didn't get healthy[\s\S]*its program ended, again and again/);
    assert.ok(bench.lines.includes("store | no disk"));
  });
});
