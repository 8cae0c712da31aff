import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Desk, Listener } from "./desk";
import { listen, makeDesk, needPrograms } from "./desk";

describe("the host's tools", () => {
  it("say how they are called, and take no name for a path", async () => {
    const desk = makeDesk();
    try {
      for (const tool of ["backup", "restore", "ping", "watch", "disk-report", "drain", "status"]) {
        const bare = await desk.run(tool, []);
        assert.equal(bare.code, 64, tool);
        assert.match(bare.stderr, /call it as/);
        const args = { drain: ["api", "a", "1"], watch: [], status: [], "disk-report": [] }[tool] ?? ["x"];
        const escaped = await desk.run(tool, ["../../shop-prod", ...args]);
        assert.equal(escaped.code, 64, tool);
        assert.match(escaped.stderr, /is no app id/);
      }
    } finally {
      desk.remove();
    }
  });
});

describe("status", () => {
  let desk: Desk;
  let app: Listener;
  before(() => needPrograms("jq", "curl"));
  beforeEach(async () => {
    app = await listen((path) => (path === "/health" ? 200 : 500));
    desk = makeDesk();
    desk.write("etc/homeport/shop-prod-eu/alert", "APP=shop\nSTACK=prod-eu\n");
  });
  afterEach(async () => {
    desk.remove();
    await app.close();
  });

  it("says of services, timers, databases and disks how they are", async () => {
    desk.write(
      "etc/homeport/shop-prod/state",
      "api b 3fa2 h 1700000000\nweb a 77 h 1700000001\nworker a 3fa2 h 1700000000\n",
    );
    desk.write(
      "etc/homeport/shop-prod/watch",
      `health api ${app.port} /health\nhealth web ${app.port} /no\nworker worker 1\ndisk 80 /\ndatabase db sqlite\ndatabase cache redis\n`,
    );
    desk.write("var/backups/shop-prod/db/db-20250101T000000Z.db.gz", "12345");
    desk.write("var/backups/shop-prod/db/db-20250102T000000Z.db.gz", "123456");
    const units = [
      "Id=shop-prod-api-b@1.service\nActiveState=active\nResult=success\nMemoryCurrent=1048576\nNRestarts=2\nActiveEnterTimestamp=@1700000002",
      "Id=shop-prod-api-a@1.service\nActiveState=inactive\nMemoryCurrent=[not set]\nNRestarts=0",
      "Id=shop-prod-job-x.timer\nActiveState=active\nUnit=shop-prod-job-x.service\nLastTriggerUSec=@1700000003\nNextElapseUSecRealtime=@1700009999",
      "Id=shop-prod-job-x.service\nActiveState=failed\nResult=timeout\nMemoryCurrent=18446744073709551615",
      "Id=shop-prod-job-y.timer\nActiveState=active\nUnit=shop-prod-job-y.service\nLastTriggerUSec=\nNextElapseUSecRealtime=@1700009999",
      "Id=shop-prod-eu-job-z.service\nActiveState=failed",
    ];
    desk.write("units", units.join("\n\n") + "\n");
    desk.script("systemctl", `cat '${desk.root}/units'`);
    const { code, stdout, stderr } = await desk.run("status", ["shop-prod"]);
    assert.equal(code, 0, stderr);
    const status = JSON.parse(stdout) as Record<string, unknown> & {
      disks: { usedPercent: number; bytes: number }[];
      databases: { backups: { ageSeconds: number } | null }[];
    };
    assert.deepEqual(
      { app: status["app"], stack: status["stack"], failed: status["failed"] },
      { app: "shop", stack: "prod", failed: ["shop-prod-job-x.service"] },
    );
    const since = "2023-11-14T22:13:20Z";
    assert.deepEqual(status["services"], [
      {
        ...{ name: "api", slot: "b", release: "3fa2", since, health: "healthy" },
        instances: [
          {
            unit: "shop-prod-api-b@1.service",
            state: "active",
            since: "2023-11-14T22:13:22Z",
            memoryBytes: 1048576,
            restarts: 2,
          },
        ],
      },
      { name: "web", slot: "a", release: "77", since: "2023-11-14T22:13:21Z", health: "unhealthy", instances: [] },
      { name: "worker", slot: "a", release: "3fa2", since, health: "none", instances: [] },
    ]);
    const next = "2023-11-15T00:59:59Z";
    assert.deepEqual(status["timers"], [
      { name: "job-x", state: "active", last: "2023-11-14T22:13:23Z", result: "timeout", next },
      { name: "job-y", state: "active", last: null, result: "none", next },
    ]);
    const age = status.databases[0]!.backups!.ageSeconds;
    assert.ok(age >= 0 && age < 60);
    assert.deepEqual(status.databases, [
      {
        name: "db",
        engine: "sqlite",
        backups: { count: 2, newest: "db-20250102T000000Z.db.gz", bytes: 6, ageSeconds: age },
      },
      { name: "cache", engine: "redis", backups: null },
    ]);
    const [disk] = status.disks;
    assert.ok(disk!.bytes > 1e6 && disk!.usedPercent >= 0 && disk!.usedPercent <= 100);
  });

  it("answers before the first deploy", async () => {
    const { code, stdout, stderr } = await desk.run("status", ["shop-prod"]);
    assert.equal(code, 0, stderr);
    const { services, timers } = JSON.parse(stdout) as Record<string, unknown>;
    assert.deepEqual([services, timers], [[], []]);
  });
});

describe("certs", () => {
  let desk: Desk;
  before(() => needPrograms("openssl", "jq", "curl"));
  beforeEach(() => {
    desk = makeDesk();
  });
  afterEach(() => {
    desk.remove();
  });
  const openssl = (domain: string, ...args: string[]): string =>
    execFileSync(
      "openssl",
      ["x509", "-in", join(desk.root, `etc/homeport/proxy/certs/${domain}.pem`), "-noout", ...args],
      {
        encoding: "utf8",
      },
    );

  it("makes a self-signed certificate with its key for each domain that has none", async () => {
    const long = `${"a".repeat(60)}.${"b".repeat(60)}.example`;
    desk.write("etc/homeport/proxy/domains/shop-prod", `Shop.Example.com\n${long}\n../evil\n*.example.com\n`);
    desk.write("etc/homeport/proxy/certs/gone.example.com.pem", "x");
    const { code, stderr } = await desk.run("certs", ["--fallback"]);
    assert.equal(code, 0, stderr);
    assert.match(openssl("shop.example.com", "-ext", "subjectAltName"), /DNS:shop\.example\.com/);
    assert.match(openssl(long, "-ext", "subjectAltName"), /DNS:a{60}\.b{60}\.example/);
    assert.deepEqual(
      readdirSync(join(desk.root, "etc/homeport/proxy/certs")).sort(),
      [`${long}.pem`, "shop.example.com.pem"].sort(),
    );
    const before = desk.read("etc/homeport/proxy/certs/shop.example.com.pem");
    assert.match(before, /BEGIN (EC )?PRIVATE KEY/);
    await desk.run("certs", ["--fallback"]);
    assert.equal(desk.read("etc/homeport/proxy/certs/shop.example.com.pem"), before);
  });

  it("gives each domain its turn, and tells the app whose domain failed", async () => {
    const hook = await listen();
    try {
      desk.write("etc/homeport/shop-prod/alert", `APP=shop\nURL=${hook.url}\n`);
      desk.write("etc/homeport/shop-prod/acme", "EMAIL=me@example.com\nDIRECTORY=https://acme.example/dir\n");
      desk.write("etc/homeport/proxy/domains/shop-prod", "bad.example.com\ngood.example.com\n");
      // certbot's part is played by a script that keeps to its layout of folders.
      desk.script(
        "certbot",
        `domain= folder=
         while [ $# -gt 0 ]; do case $1 in --domain) domain=$2 ;; --config-dir) folder=$2 ;; esac; shift; done
         [ $domain != bad.example.com ] || { echo 'Detail: DNS problem: NXDOMAIN'; exit 1; }
         mkdir -p $folder/live/$domain && cd $folder/live/$domain
         openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=ca -keyout ca.key -out ca.pem 2>/dev/null
         openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=$domain -keyout privkey.pem 2>/dev/null |
           openssl x509 -req -CA ca.pem -CAkey ca.key -CAcreateserial -days 90 -out fullchain.pem 2>/dev/null`,
      );
      const { code, stdout } = await desk.run("certs", []);
      assert.equal(code, 0);
      assert.match(stdout, /good\.example\.com: certificate until/);
      assert.match(openssl("good.example.com", "-issuer"), /CN ?= ?ca/);
      assert.match(openssl("bad.example.com", "-issuer"), /bad\.example\.com/);
      assert.equal(hook.received.length, 1);
      assert.match(hook.received[0]!.body, /certificate of bad\.example\.com.*NXDOMAIN/);
      const line = desk.calls().find((call) => call.includes("--domain good"))!;
      assert.match(line, /--server https:\/\/acme\.example\/dir .*--email me@example\.com/);
      const calls = desk.calls().length;
      await desk.run("certs", []);
      const again = desk
        .calls()
        .slice(calls)
        .filter((call) => call.startsWith("certbot"));
      assert.deepEqual(
        again.map((call) => /--domain (\S+)/.exec(call)![1]),
        ["bad.example.com"],
      );
    } finally {
      await hook.close();
    }
  });
});
