import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { poll } from "../../rehearsal/host/run";
import { type Fly, type Site, openSite } from "../../rehearsal/site";
import { type FlyCalls, flyCalls } from "./support/flyCalls";
import { loadImage } from "./support/flyImage";

interface Cluster {
  readonly id: string;
  readonly status: string;
  readonly endpoints: {
    readonly primary: Readonly<Record<"direct" | "pooler", { readonly host: string; readonly port: number }>>;
  };
}

describe("What apps find on Fly.io on this machine", function () {
  this.timeout(240_000);
  const folder = mkdtempSync(join(tmpdir(), "homeport-fly-"));
  const tag = randomBytes(3).toString("hex");
  const image = "docker.io/test/web:1";
  const app = `front-${tag}`;
  let site: Site;
  let fly: Fly;
  let api: FlyCalls;
  /** A machine to look around from: it has Python, psql and a shell. */
  let front: string;

  before(async () => {
    site = await openSite({ folder, log: () => undefined });
    fly = await site.fly();
    await fly.limits({ rateLimits: false });
    api = flyCalls(fly);
    await Promise.all([loadImage(await site.host("fly"), image), api.app(app)]);
    front = await api.machine(app, {
      image: "docker.io/pgvector/pgvector:pg17",
      init: { exec: ["/bin/sleep", "3600"] },
    });
  });
  after(async () => {
    await site.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const sh = (script: string): Promise<string> => api.inside(app, front, "/bin/sh", "-c", script);

  it("leads Flycast's names through the proxy, which wakes a machine that sleeps", async () => {
    const back = `back-${tag}`;
    await api.app(back);
    const service = {
      protocol: "tcp",
      internal_port: 8080,
      autostart: true,
      autostop: "stop",
      ports: [{ port: 9000, handlers: ["http"] }],
      checks: [{ type: "http", path: "/health", interval: "1s" }],
    };
    const id = await api.machine(back, { image, services: [service] });
    const ask = `curl -s -m 30 http://${back}.flycast:9000/`;
    await assert.rejects(sh(ask), /exit_code|6 !== 0/, "it has no private address yet");
    await api.call("POST", `/apps/${back}/ip_assignments`, { type: "private_v6" });
    assert.equal((JSON.parse(await sh(ask)) as { machine: string }).machine, id);
    await assert.rejects(sh(`curl -s -m 30 http://${back}.flycast:9001/`), /7 !== 0/, "nothing answers at 9001");
    const { instance_id: version } = await api.read(back, id);
    await api.call("POST", `/apps/${back}/machines/${id}/stop`);
    await api.call("GET", `/apps/${back}/machines/${id}/wait?state=stopped&instance_id=${version}&timeout=30`);
    assert.equal((JSON.parse(await sh(ask)) as { machine: string }).machine, id);
    assert.equal((await api.read(back, id)).state, "started");
    assert.equal(await fly.url(back, 9000), undefined, "the world doesn't reach it");
    assert.match(await sh("curl -s http://_api.internal:4280/v1/apps/x"), /missing authorization header/);
  });

  it("has the images that the documented apps name, and no others", async () => {
    const redis = await api.machine(app, { image: "docker.io/library/redis:7.4" });
    assert.equal(await api.inside(app, redis, "redis-cli", "ping"), "PONG");
    const node = await api.machine(app, {
      image: "node:20-slim",
      init: { exec: ["node", "-e", "setInterval(() => 1, 999)"] },
    });
    assert.match(await api.inside(app, node, "node", "--version"), /^v20\./);
    for (const id of [redis, node]) await api.destroy(app, id);
    const refused = await api.raw("POST", `/apps/${app}/machines`, { config: { image: "docker.io/library/nginx:1" } });
    assert.equal(refused.status, 400);
    assert.match(await refused.text(), /could not find image/);
  });

  it("sells a Postgres of one's own, by name and only from inside, with backups that restore", async () => {
    const ready = (id: string): Promise<Cluster> =>
      poll(
        async () => {
          const { data } = await api.call<{ data: Cluster }>("GET", `/postgres/${id}`);
          return data.status === "ready" ? data : undefined;
        },
        { timeoutMs: 60_000, failure: () => `the cluster ${id} doesn't get ready` },
      );
    const urls = async (id: string): Promise<{ direct: string; pooler: string }> => {
      const { primary } = (await ready(id)).endpoints;
      const login = await api.call<{ data: { username: string; password: string } }>(
        "GET",
        `/postgres/${id}/users/fly-user/credentials`,
      );
      const url = ({ host, port }: Cluster["endpoints"]["primary"]["direct"]): string =>
        `postgresql://${login.data.username}:${login.data.password}@${host}:${port}/fly-db`;
      return { direct: url(primary.direct), pooler: url(primary.pooler) };
    };
    const psql = (url: string, ...lines: string[]): Promise<string> =>
      sh(`psql -XAtq -v ON_ERROR_STOP=1 '${url}' ${lines.map((line) => `-c "${line}"`).join(" ")}`);
    const wanted = { org_slug: "personal", region: "iad", plan: "basic", name: `db-${tag}` };
    const { data } = await api.call<{ data: Cluster }>("POST", "/postgres", wanted);
    assert.equal(data.status, "creating");
    const { direct, pooler } = await urls(data.id);
    assert.match(direct, /^postgresql:\/\/fly-user:\w+@direct\.\w+\.flympg\.net:5432\/fly-db$/);
    await assert.rejects(psql(direct.replace(/:\w+@/, ":wrong@"), "SELECT 1"), /password authentication failed/);
    await assert.rejects(psql(direct, "CREATE EXTENSION vector"), /permission denied/);
    await api.call("POST", `/postgres/${data.id}/databases/fly-db/extensions`, { name: "vector" });
    await psql(direct, "CREATE TABLE t (v vector(2))", "INSERT INTO t VALUES ('[1,2]')");
    assert.equal(await psql(pooler, "SELECT v FROM t"), "[1,2]");

    interface Backups {
      readonly data: readonly { readonly id: string; readonly status: string }[];
    }
    await api.call("POST", `/postgres/${data.id}/backups`, { type: "full" });
    const backup = await poll(
      async () => {
        const [newest] = (await api.call<Backups>("GET", `/postgres/${data.id}/backups`)).data;
        return newest?.status === "completed" ? newest.id : undefined;
      },
      { timeoutMs: 60_000, failure: () => "no backup" },
    );
    await psql(direct, "INSERT INTO t VALUES ('[3,4]')");
    const restore = async (how: object): Promise<string> => {
      const made = await api.call<{ data: Cluster }>("POST", `/postgres/${data.id}/restore`, how);
      return made.data.id;
    };
    const pitr = new Date().toISOString();
    await psql(direct, "SELECT pg_sleep(1)", "DELETE FROM t");
    const [old, late] = await Promise.all([
      restore({ backup_id: backup, name: `old-${tag}` }),
      restore({ pitr_time: pitr, name: `late-${tag}` }),
    ]);
    assert.equal(await psql((await urls(old)).pooler, "SELECT v FROM t"), "[1,2]");
    assert.equal(await psql((await urls(late)).direct, "SELECT v FROM t"), "[1,2]\n[3,4]");
    assert.equal(await psql(direct, "SELECT count(*) FROM t"), "0", "the cluster itself stays as it is");
    for (const id of [data.id, old, late]) await api.call("DELETE", `/postgres/${id}`);
    await assert.rejects(psql(direct, "SELECT 1"), /could not translate host name|Connection refused/);
    const left = await (
      await site.host("fly")
    ).exec("systemctl list-units --no-legend 'rehearsal-p*'; ls -d /var/lib/rehearsal/postgres/*/");
    assert.equal(left.stdout, "");
  });

  it("makes volumes of snapshots and of other volumes", async () => {
    const make = async (more: object): Promise<string> => {
      const wanted = { name: "data", region: "iad", size_gb: 1, ...more };
      return (await api.call<{ id: string }>("POST", `/apps/${app}/volumes`, wanted)).id;
    };
    const on = async (volume: string, script: string): Promise<string> => {
      const mounts = [{ volume, path: "/data" }];
      const id = await api.machine(app, { image, mounts });
      const said = await api.inside(app, id, "/bin/sh", "-c", script);
      await api.destroy(app, id);
      await api.freed(app, volume);
      return said;
    };
    const first = await make({});
    await on(first, "echo one >/data/note; chown 1000 /data/note");
    await api.call("POST", `/apps/${app}/volumes/${first}/snapshots`);
    interface Snapshot {
      readonly id: string;
      readonly status: string;
    }
    const snapshot = await poll(
      async () => {
        const [newest] = await api.call<Snapshot[]>("GET", `/apps/${app}/volumes/${first}/snapshots`);
        return newest?.status === "created" ? newest.id : undefined;
      },
      { timeoutMs: 20_000, failure: () => "no snapshot" },
    );
    await on(first, "echo two >/data/note");
    await api.call("PUT", `/apps/${app}/volumes/${first}/extend`, { size_gb: 2 });
    const restored = await make({ snapshot_id: snapshot });
    const forked = await make({ source_volume_id: first });
    const look = "cat /data/note; stat -c %u /data/note";
    assert.deepEqual([await on(restored, look), await on(forked, look)], ["one\n1000", "two\n1000"]);
    for (const id of [first, restored, forked]) await api.call("DELETE", `/apps/${app}/volumes/${id}`);
  });

  it("sells a Redis and a bucket that machines reach, and that are gone when they are deleted", async () => {
    interface Added {
      readonly createAddOn: {
        readonly addOn: { readonly publicUrl: string; readonly environment: Readonly<Record<string, string>> };
      };
    }
    const add = `mutation ($input: CreateAddOnInput!) { createAddOn(input: $input) { addOn { publicUrl environment } } }`;
    const redis = await api.graphql<Added>(add, { input: { appId: app, type: "upstash_redis", name: `redis-${tag}` } });
    assert.equal(await sh(`redis-cli -u '${redis.createAddOn.addOn.publicUrl}' ping`), "PONG");
    const agree = `mutation ($input: CreateExtensionTosAgreementInput!) { createExtensionTosAgreement(input: $input) { clientMutationId } }`;
    await api.graphql(agree, { input: { addOnProviderName: "tigris" } });
    const name = `bucket-${tag}`;
    const bucket = await api.graphql<Added>(add, { input: { appId: app, type: "tigris", name } });
    const { AWS_ENDPOINT_URL_S3: endpoint = "", BUCKET_NAME: made = "" } = bucket.createAddOn.addOn.environment;
    const ask = `curl -s -m 10 -o /dev/null -w '%{http_code}' -X PUT --data-binary hello '${endpoint}/${made}/note'`;
    assert.equal(await sh(ask), "200");
    const remove = `mutation ($input: DeleteAddOnInput!) { deleteAddOn(input: $input) { deletedAddOnName } }`;
    await api.graphql(remove, { input: { name, provider: "tigris" } });
    assert.equal(await sh(ask), "404");
  });
});
