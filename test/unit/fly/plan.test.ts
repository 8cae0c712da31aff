import assert from "node:assert/strict";
import fc from "fast-check";
import { guestFor, sizes } from "../../../targets/fly/guest";
import { marker, secretsHash } from "../../../targets/fly/deploy/tags";
import { secretMarkers } from "../../support/config";
import { planOf, resolveOnFly } from "./plans";

const appNamed = (spec: Awaited<ReturnType<typeof planOf>>, name: string) => {
  const app = spec.apps.find((one) => one.name === name);
  assert.ok(app !== undefined, `${name} isn't among ${spec.apps.map((one) => one.name).join(", ")}`);
  return app;
};

describe("hotrod on Fly", () => {
  it("is a web group with volumes, a worker, a Redis of its own, a scheduler and Managed Postgres", async () => {
    const spec = await planOf("hotrod");
    assert.deepEqual(
      spec.apps.map(({ name, ips }) => [name, ips]),
      [
        ["hotrod-dev--redis", ["private_v6"]],
        ["hotrod-dev", ["shared_v4", "v6"]],
        ["hotrod-dev--scheduler", []],
      ],
    );
    const main = appNamed(spec, "hotrod-dev");
    assert.deepEqual(
      main.groups.map(({ name, count, strategy, volume }) => [name, count, strategy, volume?.sizeGb]),
      [
        ["web", 2, "rolling", 10],
        ["worker", 1, "rolling", undefined],
      ],
    );
    assert.deepEqual(main.groups[0]?.config.guest, { cpu_kind: "shared", cpus: 2, memory_mb: 512 });
    assert.deepEqual(main.release, { group: "web", command: "npm run prisma:migrate", timeoutSeconds: 300 });
    assert.deepEqual(spec.postgres[0], {
      name: "db",
      cluster: "hotrod-dev-db",
      region: "fra",
      plan: "basic",
      diskGb: 10,
      database: "fly-db",
      extensions: [],
    });
  });

  it("serves web on 80 and 443 with its health check, and the worker nowhere", async () => {
    const [web, worker] = appNamed(await planOf("hotrod"), "hotrod-dev").groups;
    assert.deepEqual(web?.config.services, [
      {
        protocol: "tcp",
        internal_port: 8080,
        autostart: true,
        autostop: "off",
        min_machines_running: 2,
        ports: [
          { port: 80, handlers: ["http"], force_https: true },
          { port: 443, handlers: ["tls", "http"] },
        ],
        checks: [{ type: "http", method: "GET", path: "/health", interval: "5s", timeout: "4s", grace_period: "60s" }],
        concurrency: { type: "connections", soft_limit: 200, hard_limit: 250 },
      },
    ]);
    assert.equal(worker?.config.services, undefined);
    assert.match(worker?.config.init?.cmd?.[0] ?? "", /\nexec npm run worker$/);
  });

  it("takes as many connections at a time as the stack says, and shows its own metrics where it has some", async () => {
    const configs = async (changes: Parameters<typeof planOf>[2]) =>
      appNamed(await planOf("hotrod", "1", changes), "hotrod-dev").groups.map(({ config }) => config);
    const [web] = await configs({ "fly:concurrency": '{"hotrod.web":{"hard":500}}' });
    assert.deepEqual(web?.services?.[0]?.concurrency, { type: "connections", soft_limit: 400, hard_limit: 500 });
    const [busy, worker] = await configs({
      "fly:concurrency": '{"hotrod.web":{"type":"requests","soft":1000}}',
      "fly:metrics": '{"hotrod.worker":{"port":9091}}',
    });
    assert.deepEqual(busy?.services?.[0]?.concurrency, { type: "requests", soft_limit: 1000, hard_limit: 1250 });
    assert.deepEqual([busy.metrics, worker?.metrics], [undefined, { port: 9091, path: "/metrics" }]);
  });

  it("keeps every secret out of what machines' configurations show", async () => {
    for (const name of ["hotrod", "tileshop"]) {
      const spec = await planOf(name);
      const shown = JSON.stringify(spec.apps.map(({ groups }) => groups));
      const files = spec.apps.flatMap(({ groups }) => groups.flatMap(({ config }) => config.files ?? []));
      const decoded = files.map(({ raw_value }) => Buffer.from(raw_value ?? "", "base64").toString()).join("\n");
      for (const secret of [...secretMarkers, "marker-password-redis", "marker-s3-secret", "marker-pepper"]) {
        assert.ok(!shown.includes(secret) && !decoded.includes(secret), `${name} shows ${secret}`);
      }
    }
  });

  it("gives variables to the right place, and databases' URLs as secrets", async () => {
    const main = appNamed(await planOf("hotrod"), "hotrod-dev");
    assert.equal(main.secrets.DATABASE_URL, "@@postgres:db@@");
    assert.equal(main.secrets.REDIS_URL, "redis://default:marker-password-redis@hotrod-dev--redis.flycast:6379/0");
    assert.equal(main.groups[0]?.config.env?.CHROMA_PATH, "/data/chroma");
    assert.equal(main.groups[0].config.env.ARCHIVE_BUCKET, "backups-bucket");
    assert.equal(main.secrets.AWS_SECRET_ACCESS_KEY, "marker-s3-secret");
  });

  it("gives the scheduler the jobs, and tokens that only the right apps take", async () => {
    const scheduler = appNamed(await planOf("hotrod"), "hotrod-dev--scheduler");
    assert.deepEqual(scheduler.secrets, {
      TOKEN_HOTROD_DEV__SCHEDULER: "@@deploy-token:hotrod-dev--scheduler@@",
      TOKEN_HOTROD_DEV: "@@deploy-token:hotrod-dev@@",
      // The machine that backs up has the database's address and the bucket's key, and nobody else's.
      DATABASE_DB: "@@postgres:db@@",
      KEY_ID_DB: "AKIAEXAMPLE",
      KEY_SECRET_DB: "marker-s3-secret",
    });
    const file = scheduler.groups[0]?.config.files?.[1];
    assert.equal(file?.guest_path, "/homeport/schedule.json");
    const { jobs, backups } = JSON.parse(Buffer.from(file.raw_value ?? "", "base64").toString()) as {
      jobs: unknown[];
      backups: unknown[];
    };
    assert.deepEqual(backups, [
      {
        name: "backup.db",
        expression: "0 4 * * *",
        timeZone: "UTC",
        engine: "postgres",
        database: "db",
        keep: 7,
        bucket: { name: "backups-bucket", region: "us-east-1", endpoint: "https://s3.example.com" },
        image: "docker.io/pgvector/pgvector:pg17",
        guest: { cpu_kind: "shared", cpus: 1, memory_mb: 1024 },
        variable: "DATABASE_DB",
      },
    ]);
    assert.deepEqual(jobs[0], {
      name: "ingest",
      expression: "0 2 * * *",
      timeZone: "UTC",
      flyApp: "hotrod-dev",
      group: "web",
      inPlace: true,
      commands: ["npm run ingest"],
      onFailure: "stop",
      timeoutSeconds: 7200,
      env: {},
    });
  });
});

describe("tileshop on Fly", () => {
  it("scales web from 1 to 3 by start and stop, and has crawl4ai behind Flycast", async () => {
    const spec = await planOf("tileshop", "1", { "tileshop:domain": "tiles.example.com" });
    const web = appNamed(spec, "tileshop-dev").groups[0];
    assert.equal(web?.count, 3);
    assert.ok(web.idle);
    assert.equal(web.config.services?.[0]?.autostop, "stop");
    assert.equal(web.config.services[0].min_machines_running, 1);
    assert.equal(web.volume?.sizeGb, 50);
    assert.equal(web.config.env?.CRAWL4AI_URL, "http://tileshop-dev--crawl4ai.flycast:11235");
    assert.deepEqual(appNamed(spec, "tileshop-dev").domains, ["tiles.example.com"]);
    const crawler = appNamed(spec, "tileshop-dev--crawl4ai");
    assert.deepEqual(crawler.ips, ["private_v6"]);
    assert.deepEqual(crawler.groups[0]?.config.services?.[0]?.ports, [{ port: 11235, handlers: ["http"] }]);
    assert.deepEqual(spec.postgres[0]?.extensions, ["vector"]);
    // What others connect to comes first.
    assert.ok(spec.apps.indexOf(crawler) < spec.apps.findIndex(({ name }) => name === "tileshop-dev"));
  });
});

describe("what keeps apps from Fly", () => {
  const problems = async (changes: Parameters<typeof resolveOnFly>[0]) =>
    (await resolveOnFly(changes)).problems.map(({ where, what }) => `${where}: ${what}`);

  it("is told at once, with what lacks", async () => {
    const found = await problems({
      "fly:apiToken": undefined,
      "fly:region": undefined,
      "fly:names": '{"hotrot":"x"}',
      "fly:strategies": '{"tileshp":"rolling"}',
      "fly:postgresClusters": '{"hotrod-bd":"hotrod-prod-db-r202607310400"}',
      "hotrod:memory": '{"web":"40 GiB"}',
      "s3:accessKeyId": undefined,
    });
    assert.deepEqual(found.sort(), [
      "fly:apiToken: It has no value.",
      'fly:names: No app of this stack on Fly is called "hotrot"; did you mean "hotrod"?',
      'fly:postgresClusters: No Postgres of this stack on Fly is called "hotrod-bd"; did you mean "hotrod-db"?',
      "fly:region: It has no value.",
      'fly:strategies: No app of this stack on Fly is called "tileshp"; did you mean "tileshop"?',
      "hotrod.web.resources: Fly has no machine with that many CPUs or that much memory.",
      "s3:accessKeyId: It has no value, and hotrod's and tileshop's archive needs one here.",
    ]);
  });

  it("is mended by the command that it tells", async () => {
    const { problems: found } = await resolveOnFly({
      "fly:postgresClusters": '{"hotrod-bd":"x"}',
      "fly:dedicatedIpv4": '["hotrod","hotrot"]',
    });
    assert.deepEqual(
      found.map(({ fix }) => fix),
      ["pulumi config rm --path 'fly:dedicatedIpv4[1]'", `pulumi config rm --path 'fly:postgresClusters["hotrod-bd"]'`],
    );
  });

  it("is a limit that would never count, metrics without a port, and either of a service that isn't there", async () => {
    const found = await problems({
      "fly:concurrency": '{"hotrod.web":{"soft":300,"hard":200},"hotrod.wbe":{"hard":9}}',
      "fly:metrics": '{"hotrod.worker":{"path":"/numbers"}}',
    });
    assert.deepEqual(found.sort(), [
      'fly:concurrency: No service of this stack on Fly is called "hotrod.wbe"; did you mean "hotrod.web"?',
      "fly:concurrency: hotrod.web's soft limit, 300, is above the hard one, 200.",
      "fly:metrics: hotrod.worker's metrics have no port.",
    ]);
    assert.match((await problems({ "fly:metrics": '{"hotrod.web":{"prot":1}}' })).join(), /did you mean "port"/);
  });

  it("isn't what is set for an app that lives elsewhere for now", async () => {
    const found = await problems({
      "homeport:apps": '["hotrod"]',
      "catscan:target": "vps",
      "fly:regions": '{"catscan":"ams"}',
      "fly:dedicatedIpv4": '["catscan"]',
      "fly:concurrency": '{"catscan.api":{"hard":9}}',
      "fly:postgresClusters": '{"catscan-db":"catscan-prod-db-r202607310400"}',
    });
    assert.deepEqual(found, []);
  });

  it("is a service that only some addresses may reach", async () => {
    const found = await problems({ "homeport:apps": '["shopifly"]', "shopifly:target": "fly" });
    assert.ok(
      found.some((line) => line.startsWith("shopifly.dashboard.access:")),
      found.join("\n"),
    );
  });
});

describe("machines' sizes", () => {
  it("have at least what was asked for, in Fly's steps and bounds, and no larger than needed", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("shared" as const, "performance" as const),
        fc.integer({ min: 1, max: 18 }),
        fc.integer({ min: 1, max: 140_000 }),
        (kind, cpus, memory) => {
          const guest = guestFor(kind, cpus, memory);
          const { cpus: offered, least, most } = sizes[kind];
          const largest = offered.at(-1) ?? 0;
          if (guest === undefined) {
            assert.ok(cpus > largest || memory > largest * most - 256, "there is one");
            return;
          }
          assert.ok(guest.cpus >= cpus && guest.memory_mb >= memory && guest.memory_mb % 256 === 0);
          assert.ok(guest.memory_mb >= least * guest.cpus && guest.memory_mb <= most * guest.cpus);
          const smaller = offered.filter((count) => count < guest.cpus && count >= cpus);
          assert.ok(
            smaller.every((count) => count * most < memory),
            "a smaller one would do",
          );
        },
      ),
    );
  });
});

describe("the mark of secrets", () => {
  it("changes with any value, name or key, and not with their order", () => {
    const secrets = fc.dictionary(fc.string(), fc.string(), { minKeys: 1, maxKeys: 5 });
    fc.assert(
      fc.property(secrets, fc.string(), fc.string({ minLength: 1 }), (values, pepper, extra) => {
        const hash = secretsHash(pepper, values);
        assert.equal(secretsHash(pepper, Object.fromEntries(Object.entries(values).reverse())), hash);
        const [name = ""] = Object.keys(values);
        assert.notEqual(secretsHash(pepper, { ...values, [name]: `${values[name] ?? ""}${extra}` }), hash);
        assert.notEqual(secretsHash(`${pepper}${extra}`, values), hash);
        assert.match(marker("hotrod-prod", hash), /^HOMEPORT_HOTROD_PROD_[0-9A-F]{16}$/);
      }),
    );
  });
});
