import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, readdirSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Desk } from "./desk";
import { makeDesk, needPrograms } from "./desk";

describe("backup and restore of SQLite", () => {
  let desk: Desk;
  let file: string;
  const sql = (statement: string, database = file): string =>
    execFileSync("sqlite3", ["-cmd", ".timeout 5000", database, statement], { encoding: "utf8" }).trim();
  const folder = (): string => join(desk.root, "var/backups/shop-prod/db");
  const kept = (): string[] =>
    readdirSync(folder())
      .filter((name) => name.endsWith(".gz"))
      .sort();
  const age = (n: number): void => {
    writeFileSync(join(folder(), `db-2024010${n}T000000Z.db.gz`), gzipSync("old"));
  };

  before(() => needPrograms("sqlite3", "jq", "curl"));
  beforeEach(() => {
    desk = makeDesk();
    file = join(desk.root, "var/lib/shop-prod/data/shop.db");
    desk.write("etc/homeport/shop-prod/backup/db", `ENGINE=sqlite\nPATH=${file}\nKEEP=2\n`);
    desk.write("var/lib/shop-prod/data/.keep", "");
    sql("PRAGMA journal_mode = wal; CREATE TABLE t (n INTEGER PRIMARY KEY, s TEXT); INSERT INTO t VALUES (1, 'one')");
  });
  afterEach(() => {
    desk.remove();
  });

  it("keeps an intact copy, for root alone, and the newest N of them", async () => {
    const first = await desk.run("backup", ["shop-prod", "db"]);
    assert.equal(first.code, 0, first.stderr);
    assert.match(first.stdout, /integrity_check: ok/);
    const [made] = kept();
    assert.match(made!, /^db-\d{8}T\d{6}Z\.db\.gz$/);
    assert.equal(statSync(join(folder(), made!)).mode & 0o777, 0o600);
    [1, 2].forEach(age);
    const second = await desk.run("backup", ["shop-prod", "db"]);
    assert.equal(kept().length, 2);
    assert.ok(!kept().includes("db-20240101T000000Z.db.gz"), second.stdout);
    assert.deepEqual(
      readdirSync(folder()).filter((name) => name.startsWith(".")),
      [],
    );
    assert.deepEqual(
      readdirSync(join(desk.root, "var/backups")).filter((name) => name.startsWith(".")),
      [],
    );
  });

  for (const mode of ["wal", "delete"]) {
    it(`copies a database that is being written (journal ${mode}) as it was at one moment`, async function () {
      this.timeout(30_000);
      sql(`PRAGMA journal_mode = ${mode}; CREATE TABLE a (n INTEGER); CREATE TABLE b (n INTEGER)`);
      sql(
        "WITH RECURSIVE c (n) AS (SELECT 10 UNION ALL SELECT n + 1 FROM c LIMIT 20000) INSERT INTO t SELECT n, hex(randomblob(200)) FROM c",
      );
      // Each transaction writes to both tables: a copy made across one would hold more of the one than of the other.
      const writer = spawn("sqlite3", ["-cmd", ".timeout 20000", "-cmd", "PRAGMA synchronous = off", file], {
        stdio: ["pipe", "ignore", "inherit"],
      });
      writer.stdin.on("error", () => undefined);
      const feed = setInterval(() => {
        writer.stdin.write(
          "BEGIN IMMEDIATE; INSERT INTO a VALUES (1); INSERT INTO b VALUES (1); COMMIT;\n".repeat(
            mode === "wal" ? 50 : 2,
          ),
        );
      }, 10);
      let before = 0;
      try {
        while (before < 50) {
          await new Promise((done) => setTimeout(done, 20));
          before = Number(sql("SELECT count(*) FROM a"));
        }
        const { code, stderr } = await desk.run("backup", ["shop-prod", "db"], { PIECEMEAL_SECONDS: "1" });
        assert.equal(code, 0, stderr);
      } finally {
        clearInterval(feed);
        const ended = new Promise((done) => writer.once("close", done));
        writer.kill("SIGKILL");
        await ended;
      }
      const copy = join(desk.root, "copy.db");
      writeFileSync(copy, execFileSync("gzip", ["-dc", join(folder(), kept()[0]!)], { maxBuffer: 1 << 28 }));
      assert.equal(sql("PRAGMA integrity_check", copy), "ok");
      const [a, b, t] = sql("SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b), (SELECT count(*) FROM t)", copy)
        .split("|")
        .map(Number);
      assert.equal(a, b);
      assert.ok(a! >= before, `${a} of the ${before} rows that were there before`);
      assert.equal(t, 20_001);
      assert.ok(Number(sql("SELECT count(*) FROM a")) > before, "nothing was written meanwhile");
    });
  }

  it("refuses to keep a copy of a damaged database, and keeps the older ones", async () => {
    sql("PRAGMA journal_mode = delete");
    sql(
      "WITH RECURSIVE c (n) AS (SELECT 10 UNION ALL SELECT n + 1 FROM c LIMIT 5000) INSERT INTO t SELECT n, hex(n) FROM c",
    );
    truncateSync(file, statSync(file).size - 8192);
    const { code, stderr } = await desk.run("backup", ["shop-prod", "db"]);
    assert.notEqual(code, 0);
    assert.match(stderr, /older backups stay/);
    assert.deepEqual(kept(), []);
  });

  it("refuses a copy whose pages are whole and whose index lies", async () => {
    sql("CREATE INDEX i ON t (s); CREATE TABLE u (n INTEGER)");
    sql("PRAGMA writable_schema = on; UPDATE sqlite_master SET sql = 'CREATE INDEX i ON t (n)' WHERE name = 'i'");
    const { code, stderr } = await desk.run("backup", ["shop-prod", "db"]);
    assert.equal(code, 1);
    assert.match(stderr, /the copy isn't intact, older backups stay: .*index i/);
    assert.deepEqual(kept(), []);
  });

  it("needs the space first", async () => {
    desk.script("df", "echo Avail; echo 1000");
    const { code, stderr } = await desk.run("backup", ["shop-prod", "db"]);
    assert.equal(code, 1);
    assert.match(stderr, /a backup needs .* which has 1000B; .*Nothing was changed/);
  });

  it("doesn't run twice at a time", async () => {
    desk.write("var/lib/homeport/lock/shop-prod-db", "");
    const holder = spawn(
      "flock",
      [join(desk.root, "var/lib/homeport/lock/shop-prod-db"), "sh", "-c", "echo held; exec cat"],
      {
        stdio: ["pipe", "pipe", "ignore"],
      },
    );
    await new Promise((done) => holder.stdout.once("data", done));
    const { code, stderr } = await desk.run("backup", ["shop-prod", "db"]);
    holder.stdin.end();
    assert.equal(code, 75);
    assert.match(stderr, /shop-prod-db is being backed up or restored already/);
  });

  it("fails where the upload does, with the bucket's key in no argument, and keeps the copy", async () => {
    const secret = "sekrit/KEY+1";
    desk.write(
      "etc/homeport/shop-prod/backup/db",
      `ENGINE=sqlite\nPATH=${file}\nKEEP=2\nBUCKET=b\nREGION=eu-central-1\nENDPOINT=http://127.0.0.1:1\nACCESS_KEY_ID=AKID\nSECRET_ACCESS_KEY=${secret}\n`,
    );
    desk.script("aws", 'env; cat "$AWS_SHARED_CREDENTIALS_FILE" >&2; exit 1');
    const { code, stderr, stdout } = await desk.run("backup", ["shop-prod", "db"]);
    assert.equal(code, 1);
    assert.match(stderr, /aws_secret_access_key = sekrit/);
    assert.match(
      stderr,
      /upload to s3:\/\/b\/backups\/shop-prod\/db\/\d{4}\/\d\d\/\d\d\/db-.*failed; the copy on the host stays/,
    );
    assert.ok(!stdout.includes(secret) && !desk.calls().join("\n").includes(secret));
    assert.equal(kept().length, 1);
  });

  it("restores what was backed up, and keeps the present data with its unfinished log", async () => {
    await desk.run("backup", ["shop-prod", "db"]);
    sql("INSERT INTO t VALUES (2, 'two')");
    desk.script(
      "systemctl",
      `[[ $1 != list-units ]] || printf '%s\\n' 'shop-prod-api-a@1.service loaded active running x' 'shop-prod-job-x.timer loaded active waiting x' 'shop-prod-job-x.service loaded activating start x' 'shop-prod-redis-cache.service loaded active running x'`,
    );
    const { code, stdout, stderr } = await desk.run("restore", ["shop-prod", "db"]);
    assert.equal(code, 0, stderr);
    assert.equal(sql("SELECT group_concat(s) FROM t"), "one");
    const aside = readdirSync(join(desk.root, "var/lib/shop-prod/data")).filter((name) =>
      /^shop\.db\.before-restore-\d{8}T\d{6}Z$/.test(name),
    );
    assert.equal(aside.length, 1);
    assert.equal(sql("SELECT group_concat(s) FROM t", join(desk.root, "var/lib/shop-prod/data", aside[0]!)), "one,two");
    assert.match(stdout, /the data of before is at .*before-restore/);
    const calls = desk.calls().filter((call) => /^systemctl st/.test(call));
    assert.deepEqual(calls, [
      "systemctl stop shop-prod-api-a@1.service shop-prod-job-x.service shop-prod-job-x.timer",
      "systemctl start shop-prod-api-a@1.service shop-prod-job-x.timer",
    ]);
  });

  it("restores into an empty host", async () => {
    await desk.run("backup", ["shop-prod", "db"]);
    execFileSync("sh", ["-c", `rm -f '${file}'*`]);
    const { code, stdout, stderr } = await desk.run("restore", ["shop-prod", "db", kept()[0]!]);
    assert.equal(code, 0, stderr);
    assert.equal(sql("SELECT s FROM t"), "one");
    assert.doesNotMatch(stdout, /data of before/);
  });

  it("touches nothing for an archive that isn't sound, nor stops anything", async () => {
    desk.write("var/backups/shop-prod/db/cut.db.gz", "");
    writeFileSync(join(folder(), "cut.db.gz"), gzipSync("x".repeat(9000)).subarray(0, 30));
    writeFileSync(join(folder(), "text.db.gz"), gzipSync("no database"));
    writeFileSync(join(folder(), "empty.db.gz"), gzipSync(""));
    for (const name of ["cut.db.gz", "text.db.gz", "empty.db.gz", "absent.db.gz"]) {
      const { code, stderr } = await desk.run("restore", ["shop-prod", "db", name]);
      assert.equal(code, 1, name);
      assert.match(stderr, /nothing was changed|there is no absent/);
    }
    assert.equal(sql("SELECT s FROM t"), "one");
    assert.deepEqual(desk.calls(), []);
    assert.ok(!existsSync(`${file}.restoring`));
  });

  it("starts again what a killed restore had stopped", async () => {
    await desk.run("backup", ["shop-prod", "db"]);
    desk.write("var/lib/homeport/restore/shop-prod", "shop-prod-api-b@1.service\n");
    await desk.run("restore", ["shop-prod", "db"]);
    assert.ok(desk.calls().includes("systemctl start shop-prod-api-b@1.service"));
    assert.ok(!existsSync(join(desk.root, "var/lib/homeport/restore/shop-prod")));
  });

  it("names the databases there are for one that isn't", async () => {
    const { code, stderr } = await desk.run("backup", ["shop-prod", "bd"]);
    assert.equal(code, 64);
    assert.match(stderr, /has no backup of "bd"; it has: db/);
    assert.match(
      (await desk.run("backup", ["shop-prd", "db"])).stderr,
      /no app "shop-prd" on this host; those here: shop-prod/,
    );
    assert.equal((await desk.run("restore", ["shop-prod", "../x"])).code, 64);
  });
});
