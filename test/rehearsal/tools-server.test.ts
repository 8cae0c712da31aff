import assert from "node:assert/strict";
import type { Host, Site } from "../../rehearsal/site";
import { openSite } from "../../rehearsal/site";
import type { PlannedDatabase } from "../../targets/systemd/plan";
import { DeployApp, type Wish } from "./deployApp";

const password = String.raw`pass:with\signs`;
const tool = "/usr/local/lib/homeport";

describe("a database on a server that isn't the host's own", function () {
  this.timeout(300_000);
  let site: Site;
  let host: Host;
  let server: Host;
  let app: DeployApp;
  let wish: Wish;
  const must = async (where: Host, command: string, input?: string): Promise<string> => {
    const { code, stdout, stderr } = await where.exec(command, input === undefined ? {} : { input });
    assert.equal(code, 0, `${command}: ${stdout}${stderr}`);
    return stdout.trim();
  };
  const sql = (text: string, database = "served_test_db"): Promise<string> =>
    must(server, `cd / && runuser -u postgres -- psql -qAt -v ON_ERROR_STOP=1 ${database}`, text);
  const database = (change: Partial<Extract<PlannedDatabase, { engine: "postgres" }>> = {}): PlannedDatabase => ({
    ...{ name: "db", engine: "postgres", database: "served_test_db", password, extensions: ["vector"] },
    backup: { onCalendar: ["*-*-* 02:00:00 UTC"], keep: 2 },
    server: { address: server.address, port: 5432, user: "master", tls: true },
    ...change,
  });

  // As a managed service has it: TLS alone, a user who may make databases and roles and is no superuser, and extensions that
  // such a user may make.
  before(async () => {
    site = await openSite({ log: () => undefined });
    [host, server] = await Promise.all([site.host("app"), site.host("server")]);
    app = new DeployApp(host, "served", 8000);
    wish = { version: "1", services: ["web"], databases: [database()] };
    await must(
      server,
      "systemctl start postgresql; sleep 2; ls /etc/ssl/certs/ssl-cert-snakeoil.pem; echo 'trusted = true' >>/usr/share/postgresql/17/extension/vector.control",
    );
    await sql(
      `CREATE ROLE master LOGIN CREATEDB CREATEROLE PASSWORD '${password}'; ALTER SYSTEM SET listen_addresses = '*'; ALTER SYSTEM SET ssl = on;
       ALTER SYSTEM SET ssl_cert_file = '/etc/ssl/certs/ssl-cert-snakeoil.pem'; ALTER SYSTEM SET ssl_key_file = '/etc/ssl/private/ssl-cert-snakeoil.key';`,
      "postgres",
    );
    await sql("CREATE DATABASE served_test_db OWNER master", "postgres");
    await must(
      server,
      "echo 'hostssl all master 0.0.0.0/0 scram-sha-256' >>/etc/postgresql/17/main/pg_hba.conf; systemctl stop postgresql",
    );
  });
  after(async () => {
    app.remove();
    await site.close();
  });

  it("is waited for and given its extensions over TLS, with no server made on the host and no password shown", async () => {
    await must(host, "DEBIAN_FRONTEND=noninteractive apt-get -yq purge jq socat 'postgresql*' >/dev/null");
    const late = setTimeout(() => void server.exec("systemctl start postgresql"), 4_000);
    const spy = host.exec(
      `end=$((SECONDS + 25)); while ((SECONDS < end)); do cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '; done >/tmp/seen`,
    );
    const { changes } = await app.deploy(wish);
    clearTimeout(late);
    assert.ok(changes.includes("host: installs jq socat postgresql-client"), changes.join("\n"));
    await must(host, "! ls /usr/lib/postgresql/*/bin/postgres && ! systemctl cat postgresql.service");
    assert.equal(await sql("SELECT extname FROM pg_extension WHERE extname = 'vector'"), "vector");
    assert.equal(await sql("SELECT extowner::regrole FROM pg_extension WHERE extname = 'vector'"), "master");
    await spy;
    assert.equal(await must(host, `grep -aFc 'pass:with' /tmp/seen || true`), "0");
    assert.deepEqual((await app.deploy(wish)).changes, []);
  });

  it("is backed up and proven, and the password stays out of argv and journal", async () => {
    await sql(
      `SET ROLE master; CREATE TABLE items (n INTEGER PRIMARY KEY, e vector(3)); COMMENT ON TABLE items IS 'things';
       INSERT INTO items SELECT n, ARRAY[n, 1, 2]::vector FROM generate_series(1, 500) AS n;`,
    );
    await must(
      host,
      `( while :; do cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '; done ) >/tmp/seen & watcher=$!
       systemctl start served-test-backup-db.service; code=$?; kill $watcher; exit $code`,
    );
    const said = await must(host, "journalctl -u served-test-backup-db -o cat --no-pager; cat /tmp/seen");
    assert.match(said, /restored into a scratch database for proof: 500 rows/);
    assert.match(said, /pg_dump --format=custom/);
    assert.ok(!said.includes("pass:with"));
    assert.equal(await sql("SELECT count(*) FROM pg_database WHERE datname LIKE 'served%'"), "1");
  });

  it("is restored beside the present data, which is kept, while somebody of the app is connected", async () => {
    await sql("SET ROLE master; DELETE FROM items WHERE n > 3");
    await must(
      host,
      `cat >/tmp/pgpass && chmod 600 /tmp/pgpass && systemd-run --quiet --collect --setenv=PGPASSFILE=/tmp/pgpass \\
       psql -h ${server.address} -U master -d served_test_db -c 'SELECT pg_sleep(60)'; sleep 1`,
      `*:*:*:*:${password.replace(/[\\:]/g, String.raw`\$&`)}\n`,
    );
    const said = await must(host, `${tool}/restore served-test db`);
    assert.match(said, /web answers \/health/);
    assert.equal(await sql("SELECT count(*), obj_description('items'::regclass) FROM items"), "500|things");
    assert.equal(await sql("SELECT tableowner FROM pg_tables WHERE tablename = 'items'"), "master");
    const [kept] = (await sql("SELECT datname FROM pg_database WHERE datname LIKE 'served_test_db__before%'")).split(
      "\n",
    );
    assert.equal(await sql("SELECT count(*) FROM items", kept), "3");
  });

  it("that doesn't take the password, doesn't answer, or lacks an extension is told as that", async () => {
    const refused = async (change: Parameters<typeof database>[0], why: RegExp): Promise<void> => {
      const { code, stderr, seconds } = await app.run({ ...wish, databases: [database(change)] });
      assert.equal(code, 1);
      assert.match(stderr, why);
      assert.ok(seconds < 20, `told after ${seconds} s`);
    };
    await refused({ extensions: ["vector", "unheard_of"] }, /Extension unheard_of of db could not be made/);
    await must(host, "rm /etc/homeport/served-test/marks");
    await refused({ password: "wrong" }, /password authentication failed[^]*can't be used/);
    assert.equal((await app.ask()).version, "1");
  });

  it("outlives the app: its service ends it, not the host", async () => {
    await app.deploy({ ...wish, onDelete: "delete data" }, "delete");
    assert.equal(await sql("SELECT count(*) FROM items"), "500");
  });
});
