import assert from "node:assert/strict";
import { DriverError } from "../../../../drivers/error";
import { findings } from "../../../../targets/systemd/operationsExamine";
import { parseBackups, parseLogLine } from "../../../../targets/systemd/operationsOutput";
import { rollbackStage } from "../../../../targets/systemd/operationsRollback";
import { parseStatuses, partOfUnit } from "../../../../targets/systemd/operationsStatus";
import { spawnSync } from "node:child_process";

describe("what hosts answer", () => {
  it("is a status for each app, null where nothing is known", () => {
    const host = {
      ...{ id: "shop-prod", app: "shop", stack: "prod", host: "h", time: "2025-05-01T10:00:00Z" },
      services: [
        {
          ...{ name: "web", slot: "b", release: "3fa2", since: "2025-05-01T09:00:00Z", health: "healthy" },
          instances: [
            { unit: "shop-prod-web-b@2.service", state: "active", since: null, memoryBytes: null, restarts: null },
            {
              unit: "shop-prod-web-b@1.service",
              state: "failed",
              since: "2025-05-01T09:00:01Z",
              memoryBytes: 5,
              restarts: 1,
            },
          ],
        },
      ],
      timers: [
        {
          name: "job-x",
          state: "active",
          last: "2025-05-01T08:00:00Z",
          result: "timeout",
          next: "2025-05-02T08:00:00Z",
        },
        { name: "backup-db", state: "active", last: null, result: "none", next: null },
        { name: "watch", state: "active", last: null, result: "running", next: null },
        { name: "disk-report", state: "active", last: null, result: "success", next: null },
      ],
      databases: [
        { name: "db", engine: "sqlite", backups: { count: 2, newest: "db-1.db.gz", bytes: 6, ageSeconds: 3600 } },
        { name: "redis", engine: "redis", backups: null },
      ],
      disks: [{ path: "/", bytes: 10, freeBytes: 5, usedPercent: 50, limitPercent: 80 }],
      failed: ["shop-prod-job-x.service"],
    };
    const text = `@app shop-prod\n${JSON.stringify(host, null, 2)}\n@app other-prod\n`;
    const statuses = parseStatuses(text, "here");
    assert.equal(statuses.get("other-prod")?.deployed, false);
    assert.deepEqual(statuses.get("shop-prod"), {
      deployed: true,
      time: "2025-05-01T10:00:00Z",
      services: [
        {
          ...{ name: "web", release: "3fa2", slot: "b", health: "healthy", since: "2025-05-01T09:00:00Z" },
          instances: [
            { name: "2", running: true, state: "active" },
            { name: "1", running: false, state: "failed", since: "2025-05-01T09:00:01Z", memoryBytes: 5, restarts: 1 },
          ],
        },
      ],
      schedules: [
        {
          ...{ name: "x", kind: "job", last: "2025-05-01T08:00:00Z", result: "failed", reason: "timeout" },
          next: "2025-05-02T08:00:00Z",
        },
        { name: "db", kind: "backup", result: "unknown" },
        { name: "watch", kind: "watch", result: "running" },
        { name: "disk-report", kind: "report", result: "success" },
      ],
      databases: [
        {
          ...{ name: "db", engine: "sqlite", copies: 2 },
          newest: { name: "db-1.db.gz", bytes: 6, time: "2025-05-01T09:00:00Z" },
        },
        { name: "redis", engine: "redis", copies: 0 },
      ],
      disks: host.disks,
      failed: ["x"],
    });
  });

  it("is an error where an app is there and can't be looked at", () => {
    assert.throws(
      () => parseStatuses("@app shop-prod\n@problem status: line 3 failed\n", "root@h:22"),
      (error) => error instanceof DriverError && error.parts.why === "status: line 3 failed",
    );
  });

  it("has units by the names that people use", () => {
    const names = {
      "shop-prod-web-b@1.service": "web/b1",
      "shop-prod-my-api-a@12.service": "my-api/a12",
      "shop-prod-job-gmail-import.service": "gmail-import",
      "shop-prod-backup-db.service": "backup db",
      "shop-prod-redis-queue.service": "redis queue",
      "shop-prod-release-web-a.service": "web release",
      "shop-prod-watch.timer": "watch",
      "homeport-restore-shop-prod-db.service": "homeport-restore-shop-prod-db",
    };
    for (const [unit, name] of Object.entries(names)) assert.equal(partOfUnit("shop-prod", unit), name);
  });

  it("has log lines of processes and of systemd about them", () => {
    const parse = (entry: object) => parseLogLine("shop-prod", JSON.stringify(entry));
    const time = "1746086412345678";
    assert.deepEqual(
      parse({ __REALTIME_TIMESTAMP: time, MESSAGE: "hi", PRIORITY: "6", _SYSTEMD_UNIT: "shop-prod-web-a@1.service" }),
      { time: new Date(1746086412345.678), part: "web/a1", text: "hi", level: "other" },
    );
    const systemd = { UNIT: "shop-prod-job-x.service", _SYSTEMD_UNIT: "init.scope", PRIORITY: "4" };
    assert.deepEqual(
      [parse({ __REALTIME_TIMESTAMP: time, MESSAGE: "Failed", ...systemd })].map((one) => [one?.part, one?.level]),
      [["x", "warning"]],
    );
    assert.equal(parse({ __REALTIME_TIMESTAMP: time, MESSAGE: [0xc3, 0xa9], PRIORITY: "3" })?.text, "é");
    assert.equal(parse({ __REALTIME_TIMESTAMP: time, MESSAGE: ["a", [98]] })?.text, "a\nb");
    const levels = ["2", "3", "4", "5"].map((PRIORITY) => parse({ __REALTIME_TIMESTAMP: time, PRIORITY })?.level);
    assert.deepEqual(levels, ["error", "error", "warning", "other"]);
    assert.equal(parse({ __REALTIME_TIMESTAMP: time, MESSAGE: null })?.text, "");
    assert.equal(parseLogLine("shop-prod", "-- No entries --"), undefined);
    assert.equal(parse({ MESSAGE: "no time" }), undefined);
  });

  it("has backups, the newest of each database first, and what can't be listed", () => {
    const text = [
      "place\tdb\tdb-1.dump\t5\t2025-05-01T04:00:00Z",
      "archive\tdb\tbackups/x/db-2.dump\t6\t2025-05-02T04:00:00+00:00",
      "archive\ta\tbackups/x/a.dump\t7\t2025-05-01T00:00:00.000Z",
      "problem\ta\ts3://b can't be listed: refused",
      "",
    ].join("\n");
    assert.deepEqual(parseBackups(text), {
      copies: [
        { database: "a", kept: "archive", key: "backups/x/a.dump", bytes: 7, time: "2025-05-01T00:00:00Z" },
        { database: "db", kept: "archive", key: "backups/x/db-2.dump", bytes: 6, time: "2025-05-02T04:00:00Z" },
        { database: "db", kept: "place", key: "db-1.dump", bytes: 5, time: "2025-05-01T04:00:00Z" },
      ],
      problems: ["a: s3://b can't be listed: refused"],
    });
  });
});

describe("a host that is looked at", () => {
  const connection = { address: "192.0.2.10", user: "root" };
  const begun = Date.parse("2025-05-01T10:00:00Z");
  const look = (changes: Record<string, string> = {}): string[] => {
    const lines = { clock: `${begun / 1000 + 0.1}`, init: "systemd", system: "Debian 13", deployed: "yes", ...changes };
    const answer = Object.entries(lines).map(([key, value]) => `${key} ${value}\n`);
    return findings(answer.join(""), connection, { begun, ended: begun + 300 }).map(
      ({ level, what }) => `${level}: ${what}`,
    );
  };

  it("is well", () => {
    assert.deepEqual(look({ disk: "/ 42949672960 32212254720 25%", synchronized: "yes" }), [
      "ok: answers with the configured key as root, root's rights included, in 300 ms",
      "ok: Debian 13",
      "ok: its clock is right and synchronized",
      "ok: / has 30.0 GiB of 40.0 GiB free",
    ]);
  });

  it("has its clock compared with the time of asking, on both sides", () => {
    const at = (seconds: number) => look({ clock: String(begun / 1000 + seconds) })[2];
    assert.equal(at(-4), "ok: its clock is right");
    assert.equal(at(5), "ok: its clock is right");
    assert.equal(at(-6), "warning: its clock is off by 6.0 s");
    assert.equal(at(5.5), "warning: its clock is off by 5.2 s");
    assert.equal(at(3600), "problem: its clock is off by 3599.7 s");
  });

  it("has too little room, failed units, another init, nothing deployed", () => {
    const found = look({
      disk: "/ 1073741824 32212254 97%",
      failed: "homeport-certs.service",
      init: "runit",
      deployed: "no",
    });
    assert.deepEqual(
      found.filter((line) => !line.startsWith("ok")),
      [
        "problem: Debian 13 runs runit as its first process, not systemd",
        "problem: / has 0.0 GiB of 1.0 GiB free",
        "warning: homeport-certs.service has failed",
        "warning: nothing was deployed to it yet",
      ],
    );
  });
});

describe("what travels for a rollback", () => {
  it("is the program and whose history is meant, no value of the stack", async () => {
    const stage = await rollbackStage({ app: "shop", stack: "prod", id: "shop-prod" });
    const list = spawnSync("tar", ["-tzf", "-"], { input: stage, encoding: "utf8" });
    assert.deepEqual(list.stdout.trim().split("\n").sort(), ["deploy.sh", "plan.sh"]);
    const plan = spawnSync("tar", ["-xzOf", "-", "plan.sh"], { input: stage, encoding: "utf8" });
    assert.equal(plan.stdout, "APP=shop STACK=prod ID=shop-prod APP_USER=shop-prod\n");
  });
});
