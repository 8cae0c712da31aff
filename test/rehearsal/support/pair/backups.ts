import assert from "node:assert/strict";
import { databaseName } from "../../../../components/values/names";
import { onHost, progress } from "../world";
import { factsOf, jsonOf } from "../http";
import { ports, type Pair } from "./pair";

const sqlite = "/var/lib/catscan-prod/data/catscan.db";
const dumpSqlite = `sqlite3 ${sqlite} .dump | sha256sum`;
const postgres = databaseName("hotrod", "prod", "db");
const psql = `runuser -u postgres -- psql -At -d ${postgres}`;
const dumpPostgres = `${psql} -c 'SELECT * FROM webhook_jobs ORDER BY id' | sha256sum`;

/** A host that is lost, and another one that takes its place. */
export function backupTests(pair: Pair): void {
  it("backs SQLite up while it is written to: the copy is whole, and holds what was there", async () => {
    const { world } = pair;
    const insert = "INSERT INTO rtb_daily VALUES (date(), hex(randomblob(8)), abs(random() % 1000))";
    const writer = `for i in $(seq 400); do sqlite3 -cmd '.timeout 20000' ${sqlite} "${insert}" || exit 1; done`;
    const count = `sqlite3 -cmd '.timeout 20000' ${sqlite} 'SELECT count(*) FROM rtb_daily'`;
    await world.on(writer.replace("400", "20"));
    const before = Number(await world.on(count));
    const writing = world.host.exec(writer);
    await world.on("sleep 0.2; systemctl start catscan-prod-backup-db.service");
    const after = Number(await world.on(count));
    assert.equal((await writing).code, 0, "the writer was never turned away");
    const copy = "$(ls /var/backups/catscan-prod/db/*.db.gz | tail -n1)";
    const check = `gunzip <${copy} >/root/copy.db; sqlite3 /root/copy.db 'PRAGMA integrity_check; SELECT count(*) FROM rtb_daily'; rm /root/copy.db`;
    const [integrity, rows] = (await world.on(check)).split("\n");
    assert.equal(integrity, "ok");
    assert.ok(before <= Number(rows) && Number(rows) <= after, `${before} <= ${rows ?? "none"} <= ${after}`);
    assert.ok(after > before, "nothing was written meanwhile");
  });

  it("deploys to an empty host in place of one that is lost, and restores the same rows from the bucket alone", async () => {
    const { world } = pair;
    await world.on(
      `${psql} -q -c "INSERT INTO webhook_jobs (id, topic, payload, processed_by) SELECT 'job-' || n, 'orders', '{}', 'worker' FROM generate_series(1, 1000) n"`,
    );
    await world.on("sleep 1; systemctl start catscan-prod-backup-db.service hotrod-prod-backup-db.service");
    const wanted = { sqlite: await world.on(dumpSqlite), postgres: await world.on(dumpPostgres) };
    await world.host.kill();
    const other = await world.site.host("two");
    const hosts = { rehearsal: { address: other.address, user: other.user, hostKey: other.hostKey } };
    await world.stack.configure({ "vps:hosts": { json: hosts }, "vps:privateKey": { secret: other.privateKey } });
    const { counts, seconds } = await world.mustUp();
    progress(`up on an empty host took ${seconds.toFixed(0)} s`);
    assert.equal(counts["updated"], 2);
    assert.notEqual(await onHost(other, dumpSqlite), wanted.sqlite);
    assert.notEqual(await onHost(other, dumpPostgres), wanted.postgres);
    const restored = await onHost(
      other,
      "/usr/local/lib/homeport/restore catscan-prod db && /usr/local/lib/homeport/restore hotrod-prod db latest",
    );
    assert.match(restored, /downloaded s3:\/\//);
    assert.equal(await onHost(other, dumpSqlite), wanted.sqlite);
    assert.equal(await onHost(other, dumpPostgres), wanted.postgres);
    assert.equal((await factsOf(`http://${other.address}:${ports.prod}`)).version, "2.0.0");
    const { processed } = await jsonOf<{ processed: number }>(`http://${other.address}:${ports.hotrod}/webhooks/jobs`);
    assert.equal(processed, 1000);
    assert.deepEqual(Object.keys((await world.mustUp()).counts), ["unchanged"]);
  });
}
