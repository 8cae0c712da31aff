import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { poll } from "../../rehearsal/host/run";
import { without } from "../../rehearsal/platform/without";
import { type Fly, type S3, type Site, openSite } from "../../rehearsal/site";
import { getObject, listObjects, urlOf, type BucketAccess } from "../../targets/fly/backup/s3";
import { deploy } from "../../targets/fly/driver";
import { FlyOperations } from "../../targets/fly/operations";
import type { FlyGroup, FlySpec } from "../../targets/fly/plan";
import { schedulerScript } from "../../targets/fly/scheduler/bundle";
import type { Schedule } from "../../targets/fly/scheduler/schedule";
import { planFor, resolveOnFly } from "../unit/fly/plans";
import { type FlyCalls, flyCalls } from "./support/flyCalls";

const encode = (text: string): string => Buffer.from(text).toString("base64");
const decode = (text: string): string => Buffer.from(text, "base64").toString();
const bucket = "hotrod-backups";

describe("Backups on Fly.io on this machine", function () {
  this.timeout(290_000);
  const folder = mkdtempSync(join(tmpdir(), "homeport-fly-"));
  let site: Site;
  let fly: Fly;
  let s3: S3;
  let api: FlyCalls;
  let access: BucketAccess;
  let operations: FlyOperations;
  let scheduler: string;
  let spec: FlySpec;
  /** A machine that the database is reached from. */
  let desk: string;
  const app = "hotrod-dev--scheduler";

  /** hotrod's scheduler, with its real program and a bucket that is there, and a backup at this time. */
  function scheduled(group: FlyGroup, expression: string): FlyGroup {
    const files = (group.config.files ?? []).map((file) => {
      if (file.guest_path.endsWith("scheduler.js")) return { ...file, raw_value: encode(schedulerScript()) };
      if (!file.guest_path.endsWith("schedule.json")) return file;
      const schedule = JSON.parse(decode(file.raw_value ?? "")) as Schedule;
      const place = { name: bucket, region: s3.region, endpoint: s3.endpoint };
      const backups = schedule.backups.map((one) => ({ ...one, expression, keep: 3, bucket: place }));
      return { ...file, raw_value: encode(JSON.stringify({ ...schedule, jobs: [], backups })) };
    });
    return { ...group, config: { ...group.config, files } };
  }

  const specAt = (expression: string): FlySpec => ({
    ...spec,
    apps: spec.apps
      .filter(({ name }) => name === app)
      .map((one) => ({
        ...one,
        groups: one.groups.map((group) => scheduled(group, expression)),
        secrets: {
          ...without(one.secrets, "TOKEN_HOTROD_DEV"),
          KEY_ID_DB: s3.accessKeyId,
          KEY_SECRET_DB: s3.secretAccessKey,
        },
      })),
  });
  const io = { progress: () => undefined, signal: new AbortController().signal };
  const sql = (query: string): Promise<string> => {
    const script = `export $(tr '\\0' '\\n' </proc/1/environ | grep ^DATABASE_DB=); psql "$DATABASE_DB" -AtXqc "$0"`;
    return api.inside(app, desk, "/bin/bash", "-c", script, query);
  };
  const keys = async (): Promise<string[]> => (await listObjects(access, "backups/")).map(({ key }) => key);

  before(async () => {
    site = await openSite({ folder, log: () => undefined });
    [fly, s3] = await Promise.all([site.fly(), site.s3()]);
    api = flyCalls(fly);
    await fly.limits({ rateLimits: false });
    const { endpoint, region, accessKeyId, secretAccessKey } = s3;
    access = { bucket, region, endpoint, accessKeyId, secretAccessKey };
    const made = await fetch(urlOf(access), { method: "PUT", headers: { authorization: `AWS ${accessKeyId}:x` } });
    assert.ok(made.ok, await made.text());
    const urls = { "fly:machinesUrl": fly.endpoint, "fly:apiUrl": fly.endpoint };
    const { apps, settings } = await resolveOnFly(urls);
    const hotrod = apps.find(({ declaration }) => declaration.name === "hotrod")!;
    const here = { ...settings, apiToken: fly.token };
    spec = { ...planFor(hotrod, here, "1"), propagationSeconds: 1 };
    operations = new FlyOperations(hotrod, here);
    const result = await deploy(specAt("0 4 29 2 *"), io);
    scheduler = result.apps[app]?.machines["scheduler"]?.[0] ?? "";
    desk = await api.machine(app, {
      image: "docker.io/pgvector/pgvector:pg17",
      init: { exec: ["/bin/sleep", "3600"] },
    });
    await sql(
      "CREATE TABLE parts (id int PRIMARY KEY, name text); INSERT INTO parts SELECT i, 'p' || i FROM generate_series(1, 500) i",
    );
  });
  after(async () => {
    await site.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("are made by a person's word, proven, in the bucket, and listed", async () => {
    assert.equal(await operations.backup("db"), 0, await api.logs(app, scheduler));
    const [key = ""] = await keys();
    assert.match(key, /^backups\/hotrod-dev\/db\/\d{4}\/\d\d\/\d\d\/db-\d{8}T\d{6}Z\.dump$/);
    const { copies, problems } = await operations.backups();
    assert.deepEqual(problems, []);
    const [copy] = copies.filter(({ kept }) => kept === "archive");
    assert.ok(copy?.key === key && copy.bytes > 500, JSON.stringify(copies));
  });

  it("are restored, after what is there was kept aside", async () => {
    await sql("DELETE FROM parts WHERE id > 3; CREATE TABLE later (id int)");
    const before = await keys();
    assert.equal(await operations.restore("db", { kind: "latest" }), 0, await api.logs(app, scheduler));
    assert.equal(await sql("SELECT count(*), to_regclass('later') IS NULL FROM parts"), "500|t");
    const [aside] = (await keys()).filter((key) => !before.includes(key));
    assert.ok(aside !== undefined);
    assert.equal(await operations.restore("db", { kind: "key", key: aside }), 0);
    assert.equal(await sql("SELECT count(*), to_regclass('later') IS NULL FROM parts"), "3|f");
  });

  it("are restored from a person's file, and left alone by one that is no dump", async () => {
    const file = join(folder, "old.dump");
    writeFileSync(file, "no dump");
    assert.notEqual(await operations.restore("db", { kind: "file", path: file }), 0);
    assert.equal(await sql("SELECT count(*) FROM parts"), "3");
    const [first = ""] = await keys();
    const parts: Buffer[] = [];
    for await (const part of (await getObject(access, first)).body) parts.push(part as Buffer);
    writeFileSync(file, Buffer.concat(parts));
    assert.equal(await operations.restore("db", { kind: "file", path: file }), 0, await api.logs(app, scheduler));
    assert.equal(await sql("SELECT count(*) FROM parts"), "500");
  });

  it("are made at their minute, so many of them kept, and status tells of them", async () => {
    await deploy(specAt("* * * * *"), io);
    const backup = async () => (await operations.status()).schedules.find(({ kind }) => kind === "backup");
    await poll(async () => ((await backup())?.result === "success" ? true : undefined), {
      timeoutMs: 150_000,
      everyMs: 1_000,
      failure: async () => `${JSON.stringify(await backup())}\n${await api.logs(app, scheduler)}`,
    });
    assert.equal((await keys()).length, 3);
    const lines: string[] = [];
    const query = { part: { kind: "database", name: "db" }, follow: false } as const;
    await operations.logs(query, ({ text }) => lines.push(text), new AbortController().signal);
    assert.ok(
      lines.some((line) => line.includes("backup.db: succeeded")),
      lines.join("\n"),
    );
    const machines = await api.call<{ config: { metadata?: Readonly<Record<string, string>> } }[]>(
      "GET",
      `/apps/${app}/machines`,
    );
    assert.ok(
      machines.every(({ config }) => config.metadata?.["homeport_job"] === undefined),
      "a machine stayed",
    );
  });
});
