import assert from "node:assert/strict";
import { databaseName } from "../../../../components/values/names";
import { call, progress, succeeded, type World } from "../world";
import { bucketNames, clientOf } from "../buckets";
import { statusOf } from "../http";
import { services, type Five } from "./five";

/** What an app could leave on a host, a line each: files, users, units, ports, firewall rules, databases. */
export async function leavings(world: World): Promise<string[]> {
  const text = await world.on(
    [
      "find /etc /opt /usr/local /var/lib /var/backups /var/cache /run /tmp -xdev \\( -name 'postgresql' -o -path /run/systemd -o -path /run/udev -o -path '/run/user' -o -path '/var/lib/systemd' -o -path '/var/lib/apt' -o -path '/var/lib/dpkg' -o -path '/var/cache/apt' -o -path '/var/cache/debconf' -o -path '/var/lib/containers' -o -path /run/containers -o -path /run/libpod -o -path /run/netns -o -path /run/crun \\) -prune -o -print",
      "cut -d: -f1 /etc/passwd | sed 's/^/user /'; cut -d: -f1 /etc/group | sed 's/^/group /'",
      "systemctl list-units --all --plain --no-legend '*-prod*' 'homeport*' | cut -d' ' -f1 | sed 's/^/unit /'",
      "ss -ltnH | awk '{ print \"port \" $4 }'",
      "nft list ruleset | grep -vE 'counter packets' | sed 's/^/nft /'",
      "podman ps -a --format 'container {{.Names}}'; podman network ls --format 'network {{.Name}}'",
      "runuser -u postgres -- psql -At -c \"SELECT 'database ' || datname FROM pg_database UNION SELECT 'role ' || rolname FROM pg_roles\" 2>/dev/null || true",
    ].join("; "),
  );
  return [...new Set(text.split("\n"))].sort();
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

  it("finds the kept data again on the next `up`, with a new database password", async () => {
    const { world } = five;
    const { counts, seconds } = await world.mustUp();
    progress(`up after destroy took ${seconds.toFixed(0)} s`);
    assert.deepEqual(counts, { created: five.first.counts["created"] });
    const answer = await (await fetch(world.url(8090, "/webhooks/jobs"))).json();
    assert.deepEqual(answer, { processed: 1 });
    assert.equal(((await (await fetch(world.url(8000, "/uploads/history"))).json()) as unknown[]).length >= 3, true);
  });

  it("leaves nothing of any app on the host by `destroy` where the stack says `delete data`", async () => {
    const { world } = five;
    const values = Object.fromEntries(world.apps.map((app) => [`${app}:onDelete`, "delete data"]));
    await world.stack.configure(values);
    await world.mustUp();
    assert.ok((await leavings(world)).length > before().length + 100);
    succeeded(await call(() => world.stack.destroy()));
    const left = await leavings(world);
    const known = new Set(before());
    // What the host's apps share stays (Postgres itself, uv, the container engine's rules), and so do two traces without
    // content: the lock that the deletion itself holds, and the folder in which the watch counts.
    const names = world.apps.map((app) => app.replaceAll("-", "[-_]")).join("|");
    const ofAnApp = new RegExp(`^(?!/run/homeport/lock-|/var/lib/homeport/watch/).*(${names})`);
    assert.deepEqual(
      left.filter((line) => !known.has(line) && ofAnApp.test(line)),
      [],
    );
  });
}
