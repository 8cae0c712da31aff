import assert from "node:assert/strict";
import { databaseName } from "../../../../components/values/names";
import { call, progress, succeeded, type World } from "../world";
import { bucketNames, clientOf } from "../buckets";
import { jsonOf, statusOf } from "../http";
import { services, type Five } from "./five";

/** What isn't looked at: systemd's and the packages' own records, and what is on no disk. */
const pruned = [
  ..."/run/systemd /run/udev /run/user /run/containers /run/libpod /run/crun /run/netns /run/lock".split(" "),
  ..."/var/lib/systemd /var/lib/apt /var/lib/dpkg /var/lib/containers /var/lib/postgresql".split(" "),
  ..."/var/cache/apt /var/cache/debconf /run/postgresql /tmp/systemd-private-*".split(" "),
];
/** What stays of packages once they have been used: Postgres goes on, podman keeps its chains, nobody's lock is empty. */
const packages =
  /^((database|role) (postgres|template\d|pg_\w+)|port \S+:5432|\/etc\/rc\d\.d(\/[SK]\d+postgresql)?|.*\/postgresql\.service|\/etc\/containers\/networks|\/run\/motd.*|\/run\/homeport.*)$/;

/** What an app could leave on a host, a line each: files, users, units, ports, tables of the packet filter, databases. */
export async function leavings(world: World): Promise<string[]> {
  const skipped = pruned.map((path) => `-path '${path}'`).join(" -o ");
  const ask = "SELECT 'database ' || datname FROM pg_database UNION SELECT 'role ' || rolname FROM pg_roles";
  const text = await world.on(
    [
      `find /etc /opt /usr/local /var/lib /var/backups /var/cache /run /tmp -xdev \\( ${skipped} \\) -prune -o -print`,
      "cut -d: -f1 /etc/passwd | sed 's/^/user /'; cut -d: -f1 /etc/group | sed 's/^/group /'",
      "systemctl list-units --all --plain --no-legend '*-prod*' 'homeport*' | cut -d' ' -f1 | sed 's/^/unit /'",
      "ss -ltnH | awk '{ print \"port \" $4 }'",
      "nft list tables | grep -v netavark",
      "podman ps -a --format 'container {{.Names}}'; podman network ls --format 'network {{.Name}}'",
      `runuser -u postgres -- psql -At -c "${ask}" 2>/dev/null || true`,
    ].join("; "),
  );
  return [...new Set(text.split("\n"))].filter((line) => !packages.test(line)).sort();
}

/** What `destroy` takes and what it leaves. */
export function destroyTests(five: Five, before: () => readonly string[]): void {
  it("takes services, jobs and configuration away by `destroy`, and keeps data, databases and archives", async () => {
    const { world } = five;
    const sum = "sha256sum /var/lib/catscan-prod/data/catscan.db | cut -d' ' -f1";
    await world.on(
      "systemctl stop 'catscan-prod-api-*'; sqlite3 /var/lib/catscan-prod/data/catscan.db 'PRAGMA wal_checkpoint(TRUNCATE)'",
    );
    const rows = await world.on(sum);
    const { seconds } = succeeded(await call(() => world.stack.destroy()));
    progress(`destroy took ${seconds.toFixed(0)} s`);
    for (const { port } of services) assert.match(String(await statusOf(world.url(port), 1_000)), /^none/);
    assert.equal(await world.on("systemctl list-units --all --plain --no-legend '*-prod-*'"), "");
    assert.equal(
      await world.on("ls -d /opt/*-prod /etc/homeport/*-prod /etc/systemd/system/*-prod* 2>/dev/null | cat"),
      "",
    );
    assert.equal(await world.on(sum), rows);
    const count = `runuser -u postgres -- psql -At -d ${databaseName("hotrod", "prod", "db")} -c 'SELECT count(*) FROM webhook_jobs'`;
    assert.equal(await world.on(count), "1");
    const client = clientOf(world.s3);
    assert.equal((await bucketNames(client)).length, 4);
    client.destroy();
  });

  it("finds the kept data again on the next `up`, with new passwords of the databases", async () => {
    const { world } = five;
    await world.stack.configure(Object.fromEntries(world.apps.map((app) => [`${app}:onDelete`, "delete data"])));
    const { counts, seconds } = await world.mustUp();
    progress(`up after destroy took ${seconds.toFixed(0)} s`);
    assert.deepEqual(counts, { created: five.first.counts["created"] });
    assert.deepEqual(await jsonOf(world.url(8090, "/webhooks/jobs")), { processed: 1 });
    assert.ok((await jsonOf<unknown[]>(world.url(8000, "/uploads/history"))).length >= 3);
  });

  it("leaves nothing at all on the host by `destroy` where the stack says `delete data`", async () => {
    const { world } = five;
    assert.ok((await leavings(world)).length > before().length + 100);
    succeeded(await call(() => world.stack.destroy()));
    const known = new Set(before());
    assert.deepEqual(
      (await leavings(world)).filter((line) => !known.has(line)),
      [],
    );
  });
}
