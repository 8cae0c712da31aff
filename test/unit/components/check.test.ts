import assert from "node:assert/strict";
import { apps } from "../../../apps";
import { app, cron, env, folder, python, Size, Volume, type AppScope } from "../../../components";
import { checkCapabilities } from "../../../components/check/capabilities";
import { checkDeclaration } from "../../../components/check/declaration";
import { checkFields } from "../../../components/check/fields";
import { reference } from "../../../components/environment";
import { readSettings } from "../../../components/settings";
import { appSettings } from "../../../components/appSettings";
import { Duration } from "../../../components/values/duration";
import { systemdCapabilities } from "../../../targets/systemd/check";
import type { Capabilities, Target } from "../../../targets/target";

const code = { source: folder("."), runtime: python("3.11"), command: "run" };
const declare = (build: (a: AppScope) => void) => app("sample", "A sample", build).declare("dev");
const mistakes = (build: (a: AppScope) => void) => checkDeclaration(declare(build)).map((p) => `${p.where}: ${p.what}`);

describe("fields of a declaration", () => {
  it("are known, all that the five apps have", () => {
    for (const each of apps) {
      for (const environment of ["dev", "live"] as const) assert.deepEqual(checkFields(each.declare(environment)), []);
    }
  });

  it("are told where nothing reads them, each by its component and with the nearest right one", () => {
    /** As an app's file may have it, which is run without a look at its types. */
    const misspelt = <T extends object>(right: T, wrong: object): T => ({ ...right, ...wrong });
    const found = checkFields(
      declare((a) => {
        const web = a.service(
          "web",
          misspelt(code, { acess: "restricted", resources: { memry: 1 }, checks: [{ pth: "/" }] }),
        );
        a.service(
          "more",
          misspelt(code, { runtime: { language: "python", versin: "3" }, instances: { min: 1, most: 2 } }),
        );
        a.service("kept", misspelt(code, { volumes: [{ path: "/data", sise: 1 }], logs: { path: "/data", keeps: 1 } }));
        a.job("nightly", misspelt({ in: web, at: cron("@daily"), command: "x" }, { timout: 3 }));
        a.command("ask", misspelt({ in: web, command: "x", about: "Asks" }, { interactiv: true }));
        a.bucket("archive", misspelt({}, { colfAfter: 3 }));
        a.database("db", misspelt({ engine: "postgres" as const }, { extension: [], backup: { att: 1 } }));
        a.database("cache", misspelt({ engine: "redis" as const }, { engine: "reddis" }));
        a.checklist(misspelt({ when: "weekly" as const, what: "Look." }, { comand: "x" }));
      }),
    );
    assert.deepEqual(
      found.map(
        ({ where, what }) => `${where.replace("sample.", "")} ${/did you mean "(\w+)"/.exec(what)?.[1] ?? what}`,
      ),
      [
        "web.acess access",
        "web.resources.memry memory",
        "web.checks.pth path",
        "more.runtime.versin version",
        'more.instances.most A range of instances has no field "most".',
        "kept.logs.keeps keep",
        "kept.volumes.sise size",
        "nightly.timout timeout",
        "ask.interactiv interactive",
        "archive.colfAfter coldAfter",
        "db.extension extensions",
        "db.backup.att at",
        "cache.engine redis",
        "checklist.comand command",
      ],
    );
  });
});

describe("checks of a declaration", () => {
  it("find nothing in a right one", () => {
    assert.deepEqual(
      mistakes((a) => {
        const db = a.database("db", { engine: "postgres" });
        const web = a.service("web", { ...code, port: 80, health: "/", env: { URL: env.url({ default: db.url }) } });
        a.job("job", { in: web, at: cron("@daily"), command: "x" });
      }),
      [],
    );
  });

  const cases: [string, (a: AppScope) => void, RegExp][] = [
    ["no service", () => undefined, /sample.services/],
    ["neither source nor image", (a) => a.service("web", { command: "x" }), /web.source/],
    ["both source and image", (a) => a.service("web", { ...code, image: "x:1" }), /web.source/],
    ["a source without a runtime", (a) => a.service("web", { source: folder("."), command: "x" }), /web.runtime/],
    [
      "a source without a command",
      (a) => a.service("web", { source: folder("."), runtime: python("3.11") }),
      /web.command/,
    ],
    ["a port without health", (a) => a.service("web", { ...code, port: 80 }), /web.health/],
    ["health without a port", (a) => a.service("web", { ...code, health: "/" }), /web.port/],
    ["a health path without a slash", (a) => a.service("web", { ...code, port: 80, health: "ok" }), /slash/],
    ["a bad name", (a) => a.service("Web_1", { ...code }), /lower-case/],
    [
      "one name twice",
      (a) => {
        a.service("web", code);
        a.database("web", { engine: "redis" });
      },
      /Two parts/,
    ],
    ["no instance", (a) => a.service("web", { ...code, instances: 0 }), /web.instances/],
    ["bounds that cross", (a) => a.service("web", { ...code, instances: { min: 3, max: 1 } }), /web.instances/],
    ["a volume in /etc", (a) => a.service("web", { ...code, volumes: [Volume.at("/etc/x", Size.gib(1))] }), /system/],
    ["a relative volume", (a) => a.service("web", { ...code, volumes: [Volume.at("data", Size.gib(1))] }), /absolute/],
    [
      "volumes one in the other",
      (a) => a.service("web", { ...code, volumes: [Volume.at("/d", Size.gib(1)), Volume.at("/d/e", Size.gib(1))] }),
      /one inside the other/,
    ],
    ["logs outside of a volume", (a) => a.service("web", { ...code, logs: { path: "/logs" } }), /wouldn't outlive/],
    ["a database outside of a volume", (a) => a.database("db", { engine: "sqlite", file: "/x.db" }), /db.file/],
    ["PORT among the variables", (a) => a.service("web", { ...code, env: { PORT: "80" } }), /PORT is given/],
    ["a variable's bad name", (a) => a.service("web", { ...code, env: { "A-B": "x" } }), /isn't a variable's name/],
    [
      "a reference to nothing",
      (a) => {
        a.database("redis", { engine: "redis" });
        a.service("web", { ...code, env: { URL: reference("rediss", "url") } });
      },
      /did you mean "redis"/,
    ],
    [
      "a reference to what isn't offered",
      (a) =>
        a.service("web", { ...code, env: { URL: env.url({ default: a.database("r", { engine: "redis" }).path }) } }),
      /has no path; it has url/,
    ],
    [
      "the address of a worker",
      (a) => a.service("web", { ...code, env: { URL: a.service("worker", code).url } }),
      /listens on no port/,
    ],
    [
      "a job in another app's service",
      (a) => {
        const other = declare((b) => b.service("web", code)).services[0];
        a.service("web", code);
        if (other !== undefined) a.job("job", { in: other, at: cron("@daily"), command: "x" });
      },
      /isn't declared in this app/,
    ],
    [
      "a disk alarm of 80",
      (a) => {
        a.diskAlarm(80);
      },
      /share/,
    ],
  ];
  for (const [title, build, expected] of cases) {
    it(`find ${title}`, () => {
      const found = mistakes(build).filter((line) => !line.startsWith("sample.services") || title === "no service");
      assert.ok(
        found.some((line) => expected.test(line)),
        found.join("\n"),
      );
    });
  }
});

describe("checks against a target", () => {
  const target = (name: string, changes: Partial<Capabilities>): Target => ({
    name,
    about: name,
    capabilities: { ...systemdCapabilities, ...changes },
    settings: {},
    check: () => [],
    open: () => Promise.reject(new Error("not opened in this test")),
    operate: () => Promise.reject(new Error("not operated in this test")),
  });
  const able = target("able", {});
  const settings = readSettings("sample", appSettings, { stack: "dev", entries: new Map() }).values;

  const everything = declare((a) => {
    const db = a.database("db", { engine: "postgres", extensions: ["vector"], backup: { at: cron("@daily") } });
    const web = a.service("web", {
      ...code,
      port: 80,
      health: "/",
      access: "restricted",
      instances: 2,
      volumes: [Volume.at("/data", Size.gib(1))],
      env: { URL: env.url({ default: db.url }) },
    });
    a.service("image", { image: "x:1" });
    a.bucket("bucket");
    a.domain(web);
    a.job("often", { in: web, at: cron("* * * * *"), command: "x" });
    a.job("local", { in: web, at: cron("0 8 * * *", { timeZone: "Europe/Berlin" }), command: "x" });
  });

  it("pass where the target has all", () => {
    assert.deepEqual(checkCapabilities(everything, settings, able, [able]), []);
  });

  const lacks: [string, Partial<Capabilities>, string][] = [
    ["a volume with instances", { volumes: { perService: 1, withInstances: false } }, "sample.web.instances"],
    ["volumes", { volumes: { perService: 0, withInstances: true } }, "sample.web.volumes"],
    ["short schedules", { cron: { minimum: Duration.minutes(5), timeZones: "all" } }, "sample.often.at"],
    ["time zones", { cron: { minimum: Duration.minutes(1), timeZones: "UTC" } }, "sample.local.at"],
    ["zones whose clocks change", { cron: { minimum: Duration.minutes(1), timeZones: "fixed" } }, "sample.local.at"],
    ["images", { code: ["source"] }, "sample.image.image"],
    ["restricted access", { restrictedAccess: false }, "sample.web.access"],
    ["domains", { domains: false }, "sample.domains"],
    ["buckets", { buckets: false }, "sample.bucket"],
    ["Postgres", { databases: {} }, "sample.db.engine"],
    ["the extension", { databases: { postgres: { extensions: ["hstore"] } } }, "sample.db.extensions"],
  ];
  for (const [title, changes, where] of lacks) {
    it(`tell ${title}, and which target would fit`, () => {
      const found = checkCapabilities(everything, settings, target("poor", changes), [target("poor", changes), able]);
      assert.deepEqual(
        found.map((p) => p.where),
        [where],
      );
      assert.match(found[0]?.what ?? "", /^"sample" asks for .*; poor can't give it\.$/);
      assert.equal(found[0]?.fix, "pulumi config set sample:target able");
    });
  }

  it("tell everything at once", () => {
    const poor = target("poor", { buckets: false, domains: false, code: ["source"], restrictedAccess: false });
    assert.equal(checkCapabilities(everything, settings, poor, [poor]).length, 4);
  });

  it("count the instances that the stack sets", () => {
    const one = { ...settings, instances: { web: 1 } };
    const poor = target("poor", { volumes: { perService: 1, withInstances: false } });
    assert.deepEqual(checkCapabilities(everything, one, poor, [poor]), []);
  });
});
