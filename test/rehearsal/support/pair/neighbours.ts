import assert from "node:assert/strict";
import { mainPids } from "../hostFacts";
import { factsOf, statusOf } from "../http";
import { versionLoad } from "../load";
import { call, succeeded, type World } from "../world";
import { ports, type Pair } from "./pair";

/** The processes of an app of a stack that serve; watchers and drains come and go. */
async function serving(world: World, id: string): Promise<[string, number][]> {
  return [...(await mainPids(world.host, id))].filter(([unit]) => /@\d|redis/.test(unit));
}

/** Whether a command succeeds as the user of an app, with no more rights than that. */
async function asUser(world: World, user: string, command: string): Promise<boolean> {
  const { code } = await world.host.exec(`runuser -u ${user} -- timeout 2 bash -c '${command}'`);
  return code === 0;
}

/** Apps and stacks that share a host and must not notice each other. */
export function neighbourTests(pair: Pair): void {
  it("brings the development stack up beside the live one, which keeps its processes and serves on", async () => {
    const { world, dev } = pair;
    const before = [await serving(world, "catscan-prod"), await serving(world, "hotrod-prod")];
    assert.deepEqual(
      before.map((pids) => pids.length),
      [1, 4],
    );
    world.setVersion("catscan", "1.0.0-dev");
    const load = versionLoad(world.url(ports.prod), 20);
    succeeded(await call(() => dev.up()));
    const { failures, answered } = await load.end();
    assert.deepEqual(failures, []);
    assert.deepEqual([...answered.keys()], ["1.0.0"]);
    assert.deepEqual([await serving(world, "catscan-prod"), await serving(world, "hotrod-prod")], before);
    assert.equal((await factsOf(world.url(ports.dev))).version, "1.0.0-dev");
    assert.equal((await factsOf(world.url(ports.prod))).version, "1.0.0");
  });

  it("keeps an app's variables, credentials, data, release and processes from the users of the others", async () => {
    const { world } = pair;
    const pid = (await serving(world, "catscan-prod"))[0]?.[1] ?? 0;
    // Each is there, and readable for whom it belongs to or for root.
    const own = ["cat /opt/catscan-prod/current/VERSION", "cat /var/lib/catscan-prod/data/catscan.db"];
    const roots = [
      "/etc/homeport/catscan-prod/env/api.env",
      "/etc/homeport/catscan-prod/credentials/api/GMAIL_CREDENTIALS",
      `/proc/${pid}/environ`,
    ];
    for (const command of own) assert.ok(await asUser(world, "catscan-prod", `${command} >/dev/null`), command);
    for (const path of roots) assert.ok(Number(await world.on(`cat ${path} | wc -c`)) > 0, path);
    for (const user of ["catscan-dev", "hotrod-prod", "nobody"]) {
      for (const command of [
        ...own,
        ...roots.map((path) => `cat ${path}`),
        "ls /var/lib/catscan-prod",
        "ls /etc/homeport/catscan-prod",
      ]) {
        assert.equal(await asUser(world, user, `${command} >/dev/null`), false, `${user}: ${command}`);
      }
    }
  });

  it("keeps an app's own ports on the host from the users of the others", async () => {
    const { world } = pair;
    const slots = (
      await world.on('awk \'$2 == "catscan-prod" || $2 == "hotrod-prod" { print $1, $2 }\' /var/lib/homeport/ports')
    )
      .split("\n")
      .map((line) => line.split(" ") as [string, string])
      // Open to everybody, so to neighbours, too.
      .filter(([port]) => port !== String(ports.prod) && port !== String(ports.hotrod));
    const listening = new Set((await world.on("ss -ltnH | awk '{ sub(/.*:/, \"\", $4); print $4 }'")).split("\n"));
    const tried = slots.filter(([port]) => listening.has(port));
    assert.ok(tried.length >= 3, slots.join(" "));
    for (const [port, owner] of tried) {
      const connect = `exec 3<>/dev/tcp/127.0.0.1/${port}`;
      assert.ok(await asUser(world, owner, connect), `${owner} reaches its own port ${port}`);
      assert.equal(await asUser(world, "catscan-dev", connect), false, `catscan-dev reaches port ${port} of ${owner}`);
    }
  });

  it("updates one of them and leaves the processes of the others", async () => {
    const { world } = pair;
    const before = [await serving(world, "catscan-dev"), await serving(world, "hotrod-prod")];
    world.setVersion("catscan", "2.0.0");
    await world.mustUp();
    assert.equal((await factsOf(world.url(ports.prod))).version, "2.0.0");
    assert.equal((await factsOf(world.url(ports.dev))).version, "1.0.0-dev");
    assert.deepEqual([await serving(world, "catscan-dev"), await serving(world, "hotrod-prod")], before);
  });

  it("destroys the development stack without a trace in the live one", async () => {
    const { world, dev } = pair;
    const before = [await serving(world, "catscan-prod"), await serving(world, "hotrod-prod")];
    await dev.configure({ "catscan:onDelete": "delete data" });
    succeeded(await call(() => dev.up()));
    const load = versionLoad(world.url(ports.prod), 20);
    succeeded(await call(() => dev.destroy()));
    assert.deepEqual((await load.end()).failures, []);
    assert.match(String(await statusOf(world.url(ports.dev), 1_000)), /^none/);
    assert.deepEqual([await serving(world, "catscan-prod"), await serving(world, "hotrod-prod")], before);
    assert.equal(
      await world.on("getent passwd catscan-dev; ls -d /var/lib/catscan-dev /opt/catscan-dev 2>/dev/null | cat"),
      "",
    );
    assert.deepEqual(Object.keys((await world.mustUp()).counts), ["unchanged"]);
  });
}
