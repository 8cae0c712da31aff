import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { app, cron, Duration, env, fromStack, python, Size, Volume } from "../../../components";
import { Cron } from "../../../components/values/cron";
import { Repositories } from "../../../rehearsal/platform/repositories";
import { rememberPlace } from "../../../targets/containers/session";
import { shell } from "../../../targets/railway/commands";
import { kindsOf } from "../../../targets/railway/databases";
import { repositoryOf } from "../../../targets/railway/names";
import { utcSchedule } from "../../../targets/railway/schedule";
import { words } from "../../../rehearsal/railway/words";
import { secretMarkers } from "../../support/config";
import { standIn } from "./bench";
import { planOf, resolveOnRailway, type Changes } from "./plans";

describe("clausea's plan for Railway", () => {
  let folder: string;
  let repository: string;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "homeport-repository-"));
    const repositories = new Repositories(join(folder, "bare"));
    cpSync(standIn, join(folder, "source"), { recursive: true });
    await repositories.commit("acme/clausea", join(folder, "source"));
    repository = join(folder, "bare", "acme", "clausea.git");
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const problems = async (changes: Changes, declared?: Parameters<typeof resolveOnRailway>[2]) =>
    (await resolveOnRailway(repository, changes, declared)).problems.map(({ where, what }) => `${where}: ${what}`);

  it("is what its runbook has: two services of one repository and folder, each with its command, and a Redis", async () => {
    const { services, project, environment } = await planOf(repository);
    assert.deepEqual([project, environment], ["clausea", "dev"]);
    const [redis, api, dashboard] = services;
    assert.deepEqual(
      services.map(({ name, role, first, publicPort }) => [name, role, first, publicPort]),
      [
        ["redis", "database", true, undefined],
        ["api", "service", false, 8000],
        ["dashboard", "service", false, 8501],
      ],
    );
    assert.equal(api?.settings.rootDirectory, "apps/backend");
    assert.equal(api.settings.healthcheckPath, "/health");
    assert.equal(
      api.settings.startCommand,
      `/bin/sh -c '${rememberPlace}\nexec uv run uvicorn main:app --host 0.0.0.0 --port $PORT'`,
    );
    assert.ok(dashboard !== undefined);
    assert.deepEqual(dashboard.source, api.source);
    assert.match(dashboard.settings.startCommand ?? "", /streamlit run src\/dashboard\/app\.py --server\.port=\$PORT/);
    assert.equal(dashboard.limits.memoryGB, 1);
    assert.equal(api.variables.REDIS_URL, "${{redis.REDIS_URL}}");
    assert.deepEqual(redis?.volume, { path: "/data", sizeMb: 1024, backups: ["DAILY"] });
  });

  it("knows which variables hold secrets", async () => {
    const { services, pepper } = await planOf(repository);
    for (const { name, secrets, variables } of services) {
      for (const [variable, value] of Object.entries(variables)) {
        const isMarked = [...secretMarkers, "marker-password-redis", pepper].some((secret) => value.includes(secret));
        assert.equal(secrets.includes(variable), isMarked, `${name}.${variable}`);
      }
    }
  });

  it("is told what lacks, all at once", async () => {
    assert.deepEqual(
      await problems({
        "railway:apiToken": undefined,
        "railway:projects": '{"clausae":"x"}',
        "railway:tcpProxies": '{"clausea.redsi":6379}',
        "clausea:CORS_ORIGINS": "https://${{other.URL}}",
      }),
      [
        "railway:apiToken: It has no value.",
        'railway:projects: No app of this stack on Railway is called "clausae"; did you mean "clausea"?',
        'railway:tcpProxies: No component of this stack on Railway is called "clausea.redsi"; did you mean "clausea.redis"?',
        "clausea:CORS_ORIGINS: Its value holds ${{, which Railway reads as a reference to another variable.",
      ],
    );
  });

  it("takes what is set for an app that lives elsewhere for now", async () => {
    const elsewhere = { "hotrod:target": "fly", "railway:projects": '{"hotrod":"x"}' };
    assert.deepEqual(await problems({ ...elsewhere, "railway:tcpProxies": '{"hotrod.db":5432}' }), []);
  });

  it("needs code at GitHub", async () => {
    const none = { "railway:repositories": undefined };
    assert.deepEqual(await problems({ ...none, "clausea:source": standIn }), [
      "clausea:source: Its code is a folder of this machine, which Railway can't reach.",
    ]);
    assert.deepEqual(await problems(none), [
      "clausea:source: Its repository isn't at GitHub, as far as its address tells.",
    ]);
    assert.deepEqual(await problems({ "railway:repositories": '{"clausea":"https://github.com/acme/clausea"}' }), [
      'railway:repositories: "https://github.com/acme/clausea" isn\'t a repository of the form owner/name.',
    ]);
  });

  it("takes the dashboard as it is, as it asks for a password, unless addresses are configured", async () => {
    const found = await problems({ "clausea:allowFrom": '["203.0.113.7/32"]' });
    assert.deepEqual(found, [
      'clausea.dashboard.access: "clausea" asks for a service that only some addresses reach; railway can\'t give it.',
    ]);
  });

  it("tells what a job, a schedule, a backup or a browser's place can't be on Railway", async () => {
    const other = app("clausea", "Doesn't fit", (a) => {
      const archive = a.bucket("archive", { coldAfter: Duration.days(30) });
      const db = a.database("db", { engine: "postgres", backup: { at: cron("0 4 * * *"), to: archive } });
      const code = { source: fromStack(), runtime: python("3.11") };
      const web = a.service("web", {
        ...code,
        command: "serve",
        port: 80,
        health: "/health",
        sticky: true,
        instances: 2,
        env: { DATABASE_URL: db.url },
      });
      const store = a.service("store", { ...code, command: "keep", volumes: [Volume.at("/store", Size.gib(1))] });
      const image = a.service("image", {
        image: "docker.io/acme/image:1",
        volumes: [Volume.at("/image", Size.gib(1))],
        env: { FILE: env.secretFile() },
      });
      a.database("file", { engine: "sqlite", file: "/store/x.db", backup: { at: cron("0 4 * * *") } });
      a.job("often", { in: web, at: cron("*/2 * * * *"), command: "x" });
      a.job("berlin", { in: web, at: cron("0 8 * * *", { timeZone: "Europe/Berlin" }), command: "x" });
      a.job("stored", { in: store, at: cron("0 8 * * *"), command: "x" });
      a.job("imaged", { in: image, at: cron("0 8 * * *"), command: "x" });
    });
    const secrets = ["MONGO_URI", "API_KEY", "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "STREAMLIT_DASHBOARD_PASSWORD"];
    const found = await problems(
      {
        ...Object.fromEntries(secrets.map((name) => [`clausea:${name}`, undefined])),
        "clausea:FILE": { value: "content", secret: true },
        "railway:archives": "railway",
      },
      [other],
    );
    assert.deepEqual(
      found.map((line) => line.split(":")[0]),
      [
        "clausea.often.at",
        "clausea.berlin.at",
        "clausea.web.sticky",
        "clausea.image.command",
        "clausea.imaged.in",
        "clausea.db.backup",
        "clausea.file.backup",
        "clausea.archive",
      ],
    );
  });
});

describe("a repository's name at GitHub", () => {
  it("is read from every form of its address", () => {
    for (const url of [
      "https://github.com/acme/clausea",
      "https://github.com/acme/clausea.git",
      "https://token@github.com/acme/clausea/",
      "git@github.com:acme/clausea.git",
      "ssh://git@github.com/acme/clausea",
      "ssh://git@github.com:22/acme/clausea.git",
    ]) {
      assert.equal(repositoryOf({ kind: "git", url }), "acme/clausea", url);
    }
    for (const url of ["https://gitlab.com/acme/clausea", "https://github.com.evil.example/acme/x", "../clausea"]) {
      assert.equal(repositoryOf({ kind: "git", url }), undefined, url);
    }
  });
});

describe("a schedule in UTC", () => {
  const from = new Date("2026-03-01T00:00:00Z");

  it("has the same times, or there is none", () => {
    const zones = fc.constantFrom(
      "Asia/Kolkata",
      "Asia/Tokyo",
      "America/Phoenix",
      "Asia/Kathmandu",
      "Pacific/Kiritimati",
    );
    const minute = fc.constantFrom("0", "30", "*/15", "5,35", "7");
    const hour = fc.constantFrom("0", "3", "23", "*", "*/6", "1-4", "0,12");
    const days = fc.constantFrom("* * *", "* * 1", "* * 1-5", "* * 0,6", "1 * *", "* 2 *", "15 6 *");
    fc.assert(
      fc.property(zones, minute, hour, days, (timeZone, minutes, hours, rest) => {
        const declared = new Cron(`${minutes} ${hours} ${rest}`, { timeZone });
        const moved = utcSchedule(declared, from);
        if (moved === undefined) return;
        const times = (one: Cron) => one.next(from, 300).map((time) => time.toISOString());
        assert.deepEqual(times(new Cron(moved)), times(declared), `${declared.toString()} as ${moved}`);
      }),
      { numRuns: 60 },
    );
  });

  it("is found where it is simple, and not made up where clocks change", () => {
    const inZone = (expression: string, timeZone: string) => utcSchedule(new Cron(expression, { timeZone }), from);
    assert.equal(inZone("30 2 * * *", "Asia/Kolkata"), "0 21 * * *");
    assert.equal(inZone("0 3 * * mon", "Asia/Tokyo"), "0 18 * * 0");
    assert.equal(inZone("0 12 1 * *", "Asia/Tokyo"), "0 3 1 * *");
    assert.equal(inZone("0 8 * * *", "UTC"), "0 8 * * *");
    assert.equal(inZone("0 8 * * *", "Europe/Berlin"), undefined);
    assert.equal(inZone("0 3 1 * *", "Asia/Tokyo"), undefined);
    assert.equal(inZone("0 0,12 * * 1", "Asia/Tokyo"), undefined);
  });
});

describe("a start command", () => {
  it("comes to the shell as it is, however it is quoted", () => {
    fc.assert(
      fc.property(fc.string(), (script) => {
        assert.deepEqual(words(shell(script)), ["/bin/sh", "-c", script]);
      }),
    );
  });
});

describe("Railway's schedules of backups", () => {
  it("save as often, and keep as long, as was declared", () => {
    assert.deepEqual(kindsOf({ at: cron("0 4 * * *"), keep: 5 }), ["DAILY"]);
    assert.deepEqual(kindsOf({ at: cron("0 4 * * *"), keep: 7 }), ["DAILY", "WEEKLY"]);
    assert.deepEqual(kindsOf({ at: cron("0 4 * * 0") }), ["WEEKLY"]);
    assert.deepEqual(kindsOf({ at: cron("0 4 1 * *") }), ["MONTHLY"]);
  });
});
