import { CreateBucketCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { accessSync, constants, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Host, Site } from "../../rehearsal/site";
import { openSite } from "../../rehearsal/site";
import { poll } from "../../rehearsal/host/run";
import type { HostPlan } from "../../targets/systemd/plan";
import type { Listener } from "../unit/tools/desk";
import { listen, needPrograms, toolsFolder } from "../unit/tools/desk";
import { install, must, shopPlan } from "./toolsHost";

const tool = "/usr/local/lib/homeport";
const bucket = "shop-prod-archive";

describe("the host's tools as files", function () {
  this.timeout(120_000);
  before(() => needPrograms("shellcheck"));

  it("are clean to shellcheck, and those that are called can be", () => {
    const names = readdirSync(toolsFolder);
    execFileSync("shellcheck", ["--external-sources", ...names], { cwd: toolsFolder, encoding: "utf8" });
    for (const name of names) if (!name.endsWith(".sh")) accessSync(join(toolsFolder, name), constants.X_OK);
  });
});

describe("the host's tools on a host", function () {
  this.timeout(300_000);
  let site: Site;
  let host: Host;
  let hook: Listener;
  let client: S3Client;
  let plan: HostPlan;
  const on = (command: string, input?: string): Promise<string> => must(host, command, input);
  const pg = (statement: string, where = host): Promise<string> =>
    must(where, "cd / && runuser -u postgres -- psql -qAt -v ON_ERROR_STOP=1 shop_prod", statement);
  const sqlite = (statement: string, where = host): Promise<string> =>
    must(where, `sqlite3 -cmd '.timeout 20000' /var/lib/shop-prod/data/shop.db`, statement);
  const quiet = (yes: boolean): Promise<string> =>
    on(yes ? "touch /var/lib/shop-prod/data/quiet; sleep 0.3" : "rm -f /var/lib/shop-prod/data/quiet");
  const told = (): { unit: string; state: string; log: string[]; result: string }[] =>
    hook.received.map((one) => JSON.parse(one.body) as ReturnType<typeof told>[number]);
  const keys = async (): Promise<string[]> =>
    ((await client.send(new ListObjectsV2Command({ Bucket: bucket }))).Contents ?? []).map(({ Key = "" }) => Key);

  before(async () => {
    site = await openSite({ log: () => undefined });
    const [first, s3] = await Promise.all([site.host("first"), site.s3()]);
    host = first;
    hook = await listen(() => 200, site.gateway);
    const { endpoint, region, accessKeyId, secretAccessKey } = s3;
    client = new S3Client({ endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
    plan = shopPlan(`${hook.url}/hook`, s3, bucket);
    await install(host, plan);
    await pg(
      `SET ROLE shop_prod; CREATE TABLE items (n INTEGER PRIMARY KEY, e vector(3)); COMMENT ON TABLE items IS 'things';
       INSERT INTO items SELECT n, ARRAY[n, 1, 2]::vector FROM generate_series(1, 500) AS n;`,
    );
  });
  after(async () => {
    client.destroy();
    await Promise.all([hook.close(), site.close()]);
  });
  beforeEach(() => {
    hook.received.length = 0;
  });

  it("back up both databases by their units while they are written, prove and upload them", async () => {
    await poll(async () => (Number(await sqlite("SELECT count(*) FROM a").catch(() => "0")) > 100 ? true : undefined), {
      timeoutMs: 30_000,
      failure: () => "the app doesn't write",
    });
    const before = Number(await sqlite("SELECT count(*) FROM a"));
    await on("systemctl start shop-prod-backup-db.service shop-prod-backup-pg.service");
    const after = Number(await sqlite("SELECT count(*) FROM a"));
    assert.ok(after > before, "the app was kept from writing");
    const log = await on("journalctl -u 'shop-prod-backup-*' -o cat --no-pager");
    assert.match(log, /shop-prod\/db: copied .* while in use; integrity_check: ok/);
    assert.match(log, /shop-prod\/pg: restored into a scratch database for proof: 500 rows/);
    const names = (await keys()).sort();
    assert.match(
      names.join("\n"),
      /^backups\/shop-prod\/db\/(\d{4})\/\d\d\/\d\d\/db-\1\d{4}T\d{6}Z\.db\.gz\nbackups\/shop-prod\/pg\/.*\.dump$/,
    );
    const copy = `zcat /var/backups/shop-prod/db/*.gz >/tmp/copy.db && sqlite3 /tmp/copy.db`;
    const [a, b] = (await on(`${copy} 'SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b)'`))
      .split("|")
      .map(Number);
    assert.ok(a === b && a! >= before && a! <= after, `${a} and ${b}, between ${before} and ${after}`);
    assert.equal(await pg("SELECT count(*) FROM pg_database WHERE datname LIKE 'shop%'"), "1");
    assert.equal(await on("find /var/backups -name '.*' -path '*shop*'"), "");
    assert.equal(
      await on("stat -c %U:%a /var/lib/shop-prod/data/shop.db-wal"),
      await on("stat -c %U:%a /var/lib/shop-prod/data/shop.db"),
    );
  });

  it("keep the bucket's key out of processes, journal and other users' sight", async () => {
    const secret = plan.buckets[0]!.key!.secretAccessKey;
    const watch = `( while :; do cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '; done ) >/tmp/seen & watcher=$!
      systemctl start shop-prod-backup-db.service; kill $watcher; wait $watcher 2>/dev/null; true`;
    await on(watch);
    const seen = await on("cat /tmp/seen; journalctl -o cat --no-pager -u 'shop-prod*'");
    assert.match(seen, /aws .*s3 cp/);
    assert.ok(!seen.includes(secret));
    assert.notEqual((await host.exec("runuser -u shop-prod -- cat /etc/homeport/shop-prod/backup/db")).code, 0);
  });

  it("restore both on the same host, with the present data kept, owned and open to whom it was", async () => {
    await quiet(true);
    const rows = await sqlite("SELECT count(*) FROM a");
    await on("systemctl start shop-prod-backup-db.service shop-prod-backup-pg.service");
    await sqlite("DELETE FROM a");
    await pg("DROP TABLE items");
    const said = await on(`${tool}/restore shop-prod db && ${tool}/restore shop-prod pg latest`);
    assert.match(said, /stopped \d+ units of shop-prod[^]*started 1 units[^]*api answers \/health/);
    assert.equal(await sqlite("SELECT count(*) FROM a"), rows);
    assert.equal(await on("stat -c %U:%G /var/lib/shop-prod/data/shop.db"), "shop-prod:shop-prod");
    assert.equal(await pg("SELECT count(*), obj_description('items'::regclass) FROM items"), "500|things");
    assert.equal(await pg("SELECT tableowner FROM pg_tables WHERE tablename = 'items'"), "shop_prod");
    assert.equal(await pg("SELECT has_database_privilege('public', 'shop_prod', 'CONNECT')").catch(() => "f"), "f");
    assert.match(
      await pg("SELECT datname FROM pg_database WHERE datname LIKE 'shop_prod__before%'"),
      /^shop_prod__before_\d{8}T/,
    );
    await quiet(false);
  });

  it("restore into an empty host from the bucket", async () => {
    const second = await site.host("second");
    await install(second, plan);
    const rows = await on(
      `zcat $(ls /var/backups/shop-prod/db/*.gz | tail -1) >/tmp/copy.db && sqlite3 /tmp/copy.db 'SELECT count(*) FROM a'`,
    );
    // Written by the app that starts anew, and so far from what was.
    await must(second, "touch /var/lib/shop-prod/data/quiet");
    const said = await must(second, `${tool}/restore shop-prod db`);
    assert.match(said, /downloaded s3:\/\/shop-prod-archive\/backups[^]*api answers \/health/);
    await must(second, `${tool}/restore shop-prod pg`);
    assert.equal(await sqlite("SELECT count(*) FROM a", second), rows);
    assert.equal(await pg("SELECT sum(n) FROM items", second), "125250");
    await second.stop();
  });

  it("refuse a damaged archive and one that was changed in the bucket, with all running on", async () => {
    const before = await on("systemctl show -P ActiveEnterTimestampMonotonic shop-prod-api-a@1.service");
    await on("head -c 300 $(ls /var/backups/shop-prod/pg/*.dump | tail -1) >/var/backups/shop-prod/pg/cut.dump");
    const cut = await host.exec(`${tool}/restore shop-prod pg cut.dump`);
    assert.equal(cut.code, 1);
    assert.match(cut.stderr, /is no intact dump; nothing was changed/);
    const absent = await host.exec(`${tool}/restore shop-prod pg backups/shop-prod/pg/none.dump`);
    assert.match(absent.stderr, /there is no s3:\/\/shop-prod-archive\/backups\/shop-prod\/pg\/none\.dump/);
    assert.equal(await pg("SELECT count(*) FROM items"), "500");
    assert.equal(await on("systemctl show -P ActiveEnterTimestampMonotonic shop-prod-api-a@1.service"), before);
  });

  it("tell a failed unit with its last lines", async () => {
    await host.exec("systemctl start shop-prod-job-broken.service");
    await poll(() => (hook.received.length > 0 ? true : undefined), {
      timeoutMs: 20_000,
      failure: () => "nothing was told",
    });
    const [alert] = told();
    assert.deepEqual(
      [alert?.unit, alert?.state, alert?.result],
      ["shop-prod-job-broken.service", "failed", "exit-code"],
    );
    assert.ok(alert?.log.includes("it broke here"));
    await on("systemctl reset-failed shop-prod-job-broken.service");
  });

  it("watch a service through the proxy and tell each turn once", async () => {
    const watch = (): Promise<string> => on("systemctl start shop-prod-watch.service");
    await watch();
    await on("touch /var/lib/shop-prod/data/sick");
    await watch();
    await watch();
    await on("rm /var/lib/shop-prod/data/sick");
    await watch();
    await watch();
    assert.deepEqual(
      told().map((one) => `${one.unit} ${one.state}`),
      ["api bad", "api good"],
    );
  });

  it("tell of no failure where a round of watching is stopped, as it is when its app is taken off", async () => {
    const [unit, show] = ["shop-prod-watch.service", "systemctl show -P ActiveState shop-prod-watch.service"];
    await on(`systemctl start --no-block ${unit}; until [ "$(${show})" = activating ]; do :; done`);
    await on(`systemctl kill -s STOP ${unit}; systemctl stop ${unit}`);
    assert.equal(await on(show), "inactive");
    assert.deepEqual(told(), []);
  });

  it("let a WebSocket of the slot of before end before that slot is stopped, also after a reload of the proxy", async () => {
    const key = "dGhlIHNhbXBsZSBub25jZQ==";
    const asked = `GET /ws HTTP/1.1\\r\\nHost: shop.example.test\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\n`;
    const client = `( printf '${asked}Sec-WebSocket-Key: ${key}\\r\\nSec-WebSocket-Version: 13\\r\\n\\r\\n'
      while [ -e /tmp/hold ]; do sleep 0.1; done ) | socat -t 0 - TCP:127.0.0.1:18100 >/tmp/hold.out`;
    await on("cat >/tmp/client.sh", client);
    const proxy = (commands: string): Promise<string> =>
      on(`echo "${commands}" | socat - /run/homeport-proxy/admin.sock`);
    for (const reload of [false, true]) {
      await on(
        "touch /tmp/hold; rm -f /tmp/hold.out; systemctl start shop-prod-api-a@1.service shop-prod-api-b@1.service",
      );
      await proxy("set server shop-prod-api/a-1 state ready; set server shop-prod-api/b-1 state maint");
      await on("systemd-run --quiet --collect bash /tmp/client.sh");
      await on("for i in $(seq 50); do grep -q '101 ' /tmp/hold.out && exit; sleep 0.1; done; exit 1");
      await proxy("set server shop-prod-api/b-1 state ready; set server shop-prod-api/a-1 state maint");
      await on("echo 'api b 3fa2 hash 1700000000' >/etc/homeport/shop-prod/state");
      if (reload) await on("systemctl reload homeport-proxy.service; sleep 1");
      await on(`systemd-run --quiet --collect --unit=shop-prod-drain-api-a ${tool}/drain shop-prod api a 60`);
      await on("sleep 2; systemctl is-active shop-prod-api-a@1.service shop-prod-drain-api-a.service");
      await on("rm /tmp/hold");
      await on(
        "for i in $(seq 80); do systemctl -q is-active shop-prod-api-a@1.service || exit 0; sleep 0.1; done; exit 1",
      );
      await on("systemctl is-active shop-prod-api-b@1.service");
    }
    await on(
      "echo 'api a 3fa2 hash 1700000000' >/etc/homeport/shop-prod/state; systemctl start shop-prod-api-a@1.service",
    );
    await on("systemctl restart homeport-proxy.service");
  });

  it("say within half a second how the app is", async () => {
    const begun = Date.now();
    const status = JSON.parse(await on(`time -p ${tool}/status shop-prod 2>/dev/null`)) as {
      services: { name: string; health: string; instances: { unit: string; state: string; memoryBytes: number }[] }[];
      timers: { name: string; result: string; next: string | null }[];
      databases: { name: string; backups: { count: number } | null }[];
    };
    assert.ok(Date.now() - begun < 3_000);
    const [api] = status.services;
    assert.deepEqual([api?.name, api?.health], ["api", "healthy"]);
    const running = api?.instances.find((one) => one.unit === "shop-prod-api-a@1.service");
    assert.equal(running?.state, "active");
    assert.deepEqual(
      status.databases.map((one) => [one.name, (one.backups?.count ?? 0) >= 2]),
      [
        ["db", true],
        ["pg", true],
      ],
    );
  });

  describe("with a certificate authority of its own (Pebble)", () => {
    const folder = mkdtempSync(join(tmpdir(), "homeport-pebble-"));
    after(() => {
      rmSync(folder, { recursive: true, force: true });
    });

    it("get a certificate over http through the proxy, and the proxy serves it without a restart", async function () {
      try {
        const env = { ...process.env, GOBIN: folder, CGO_ENABLED: "0" };
        execFileSync("go", ["install", "github.com/letsencrypt/pebble/v2/cmd/pebble@v2.8.0"], {
          env,
          stdio: "pipe",
          timeout: 200_000,
        });
      } catch (error) {
        console.log(`      not tried: Pebble can't be built here (${String(error).split("\n")[0] ?? ""})`);
        this.skip();
      }
      await must(
        host,
        "cat >/usr/local/bin/pebble && chmod 755 /usr/local/bin/pebble",
        readFileSync(join(folder, "pebble")),
      );
      const config = {
        pebble: {
          ...{ listenAddress: "127.0.0.1:14000", managementListenAddress: "127.0.0.1:15000" },
          ...{ certificate: "/opt/pebble/cert.pem", privateKey: "/opt/pebble/key.pem", httpPort: 80, tlsPort: 443 },
          ...{ ocspResponderURL: "", externalAccountBindingRequired: false },
        },
      };
      await on("mkdir -p /opt/pebble && cat >/opt/pebble/config.json", JSON.stringify(config));
      await on(
        `cd /opt/pebble && openssl req -x509 -newkey rsa:2048 -nodes -days 1 -keyout key.pem -out cert.pem -subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null
         echo '127.0.0.1 shop.example.test' >>/etc/hosts
         echo 'CA=/opt/pebble/cert.pem' >>/etc/homeport/shop-prod/acme
         systemd-run --quiet --unit=pebble --setenv=PEBBLE_VA_NOSLEEP=1 --setenv=PEBBLE_WFE_NONCEREJECT=0 pebble -config /opt/pebble/config.json
         for i in $(seq 100); do curl -sk https://localhost:14000/dir >/dev/null && exit; sleep 0.1; done; exit 1`,
      );
      const served = `openssl s_client -connect 127.0.0.1:443 -servername shop.example.test </dev/null 2>/dev/null | openssl x509 -noout -issuer`;
      assert.match(await on(served), /shop\.example\.test/);
      const worker = await on(
        "systemctl show -P MainPID homeport-proxy; systemctl show -P ActiveEnterTimestampMonotonic homeport-proxy",
      );
      const { code } = await host.exec("systemctl start homeport-certs.service");
      const log = await on("journalctl -u homeport-certs -o cat --no-pager");
      assert.equal(code, 0, log);
      assert.match(log, /shop\.example\.test: the proxy serves it/);
      assert.match(await on(served), /Pebble/);
      assert.equal(
        await on(
          "systemctl show -P MainPID homeport-proxy; systemctl show -P ActiveEnterTimestampMonotonic homeport-proxy",
        ),
        worker,
      );
      assert.equal(await on("stat -c %U:%a /etc/homeport/proxy/certs/shop.example.test.pem"), "root:600");
      await on("systemctl start homeport-certs.service");
      assert.equal((await on("journalctl -u homeport-certs -o cat --no-pager")).match(/certificate until/g)?.length, 1);
    });
  });
});
