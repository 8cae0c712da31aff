import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { app, cron, env, fromStack, node, Size, Volume } from "../../../components";
import { words } from "../../../rehearsal/railway/words";
import type { Ssh } from "../../../targets/containers/session";
import type { LogLine } from "../../../targets/operations";
import { RailwayOperations } from "../../../targets/railway/operations";
import type { RailwayService } from "../../../targets/railway/plan";
import { describeChange } from "../../../targets/railway/summary";
import { RailwayBench } from "./bench";
import { planOf, resolveOnRailway, type Changes } from "./plans";

const folder = resolve(__dirname, "../../../rehearsal/standins/clausea");

/** A service with a volume and a file on it as its database, and jobs beside it. */
const keeper = app("clausea", "Keeps a file", (a) => {
  const archive = a.bucket("archive");
  const redis = a.database("redis", { engine: "redis" });
  const store = a.service("store", {
    source: fromStack({ directory: "apps/backend" }),
    runtime: node("20"),
    command: "tell-service",
    volumes: [Volume.at("/store", Size.gib(5))],
    env: { LEVEL: "service", TOKEN: env.secretFile({ rewritten: true }) },
  });
  a.database("db", { engine: "sqlite", file: "/store/x.db", backup: { at: cron("0 4 * * 0"), to: archive } });
  const at = cron("30 2 * * *", { timeZone: "Asia/Kolkata" });
  a.job("nightly", {
    in: store,
    at,
    command: "tell-job",
    env: { LEVEL: "job", KEY: env.secret(), QUEUE: redis.url },
  });
  a.job("plain", { in: store, at: cron("0 3 * * *"), command: "tell-job" });
});

const changes: Changes = {
  ...Object.fromEntries(
    ["MONGO_URI", "API_KEY", "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "STREAMLIT_DASHBOARD_PASSWORD"].map((key) => [
      `clausea:${key}`,
      undefined,
    ]),
  ),
  "clausea:KEY": { value: "marker-job's-key", secret: true },
  "clausea:TOKEN": { value: "marker-token", secret: true },
  "railway:ownBackups": '["clausea"]',
};

describe("jobs beside a service on Railway", () => {
  let bench: RailwayBench;
  let scratch: string;
  beforeEach(async () => {
    bench = await RailwayBench.open();
    scratch = mkdtempSync(join(tmpdir(), "homeport-jobs-"));
  });
  afterEach(async () => {
    await bench.close();
    rmSync(scratch, { recursive: true, force: true });
  });

  const spec = async () => bench.at(await planOf(await bench.push(folder), changes, [keeper]));
  const storeOf = ({ services }: { services: readonly RailwayService[] }): RailwayService => {
    const found = services.find(({ name }) => name === "store");
    assert.ok(found !== undefined);
    return found;
  };
  const operations = async (ssh?: Ssh): Promise<RailwayOperations> => {
    const { apps, settings } = await resolveOnRailway(await bench.push(folder), changes, [keeper]);
    const [resolved] = apps;
    assert.ok(resolved !== undefined);
    return new RailwayOperations(
      resolved,
      { ...settings, url: bench.railway.endpoint, apiToken: bench.railway.token },
      bench.world,
      ssh,
    );
  };

  it("are no services of their own, and have their own variables, which their service doesn't see", async () => {
    const { services } = await spec();
    assert.deepEqual(
      services.map(({ name }) => name),
      ["redis", "store"],
    );
    const store = storeOf({ services });
    for (const name of ["HOMEPORT_NIGHTLY__KEY", "TOKEN_BASE64"]) assert.ok(store.secrets.includes(name), name);
    assert.equal(store.variables.HOMEPORT_NIGHTLY__QUEUE, "${{redis.REDIS_URL}}");

    // The very command that Railway gets, in folders of this test.
    const here = (text: string): string => text.replace(/\/run\/homeport|\/tmp(?=\/homeport-shell)|\/store/g, scratch);
    const jobs = here(Buffer.from(store.variables.HOMEPORT_JOBS_BASE64 ?? "", "base64").toString());
    const variables = Object.fromEntries(Object.entries(store.variables).map(([name, value]) => [name, here(value)]));
    const run = (command: readonly string[]) => {
      const [program = "", ...args] = command;
      const PATH = `${scratch}:${process.env["PATH"] ?? ""}`;
      const given = {
        ...variables,
        HOMEPORT_JOBS_BASE64: Buffer.from(jobs).toString("base64"),
        PATH,
        TMPDIR: scratch,
      };
      return spawnSync(program, args, { encoding: "utf8", env: given, cwd: scratch, timeout: 10_000 });
    };
    const tell = (name: string, text: string) => {
      writeFileSync(join(scratch, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    };
    const waits = `${scratch}/waits`;
    tell(
      "tell-service",
      `echo "$LEVEL $(cat "$TOKEN")"; env | grep -c HOMEPORT_; until [ -s ${waits} ]; do :; done; kill $(cat ${waits})`,
    );
    tell("tell-job", 'echo "$LEVEL $KEY $QUEUE $(cat "$TOKEN")"; pwd');
    tell("sleep", `echo $PPID $$ >${waits}; exec /bin/sleep 5`);
    const started = run(words(here(store.settings.startCommand ?? "")));
    assert.equal(started.stdout, "service marker-token\n0\n", started.stderr);
    const ran = run(["sh", `${scratch}/jobs`, "nightly"]);
    assert.equal(ran.stdout, `job marker-job's-key \${{redis.REDIS_URL}} marker-token\n${scratch}\n`, ran.stderr);
    assert.equal(run(["sh", `${scratch}/jobs`, "plain"]).stdout, `service   marker-token\n${scratch}\n`);
  });

  it("run at their times in UTC, and are told in a preview as what they are", async () => {
    const script = Buffer.from(storeOf(await spec()).variables.HOMEPORT_JOBS_BASE64 ?? "", "base64").toString();
    assert.match(script, /due ' 0 ' ' 21 ' .* both && run nightly /);
    const { apps, settings } = await resolveOnRailway(await bench.push(folder), changes, [keeper]);
    const [resolved] = apps;
    assert.ok(resolved !== undefined);
    const lines = describeChange(resolved, settings);
    assert.equal(lines.HOMEPORT_JOB_NIGHTLY_UTC, "0 21 * * *");
    assert.equal(lines.HOMEPORT_JOB_NIGHTLY_IN, "store's own instance, as it needs its volume");
    assert.equal(lines.HOMEPORT_DB_BACKUP, "Railway's own, snapshots of the volume: one a week for a month");
    assert.equal(lines.HOMEPORT_JOB_NIGHTLY_ENV_KEY, "[secret]");
  });

  it("are in their service's log and in the state under their own names", async () => {
    bench.behaviour(({ env: { RAILWAY_SERVICE_NAME } }) =>
      RAILWAY_SERVICE_NAME === "store"
        ? { logs: ["serves", "[other] mine", "[plain] all good", "[plain] ended with 0", "[nightly] ended with 124"] }
        : {},
    );
    await bench.up(await spec());
    const day = await operations();
    const read = async (part?: { kind: "job" | "service"; name: string }) => {
      const lines: LogLine[] = [];
      const query = { follow: false, ...(part === undefined ? {} : { part }) };
      await day.logs(query, (line) => void lines.push(line), new AbortController().signal);
      return lines.map(({ part: of, text, level }) => `${of}: ${text}${level === "error" ? " (error)" : ""}`);
    };
    assert.deepEqual(await read({ kind: "job", name: "plain" }), ["plain: all good", "plain: ended with 0"]);
    assert.deepEqual(await read({ kind: "job", name: "nightly" }), ["nightly: ended with 124 (error)"]);
    const all = await read();
    for (const line of ["store: serves", "store: [other] mine", "plain: all good"]) assert.ok(all.includes(line), line);
    const { schedules, failed } = await day.status();
    assert.deepEqual(
      schedules.map(({ name, result, reason }) => [name, result, reason]),
      [
        ["nightly", "failed", "timeout"],
        ["plain", "success", undefined],
      ],
    );
    assert.match(schedules[0]?.next ?? "", /T21:00:00\.000Z$/);
    assert.deepEqual(failed, ["nightly"]);
  });

  it("are started by hand in their service's instance", async () => {
    await bench.up(await spec());
    const lines: string[] = [];
    const day = await operations((_address, line) => {
      lines.push(line);
      return Promise.resolve(75);
    });
    assert.equal(await day.runJob("nightly"), 75);
    assert.match(lines.join("\n"), /; exec sh \/run\/homeport\/jobs nightly$/);
  });

  it("leave a file's backups to snapshots of the volume that it is on", async () => {
    await bench.up(await spec());
    const { volumeInstances } = bench.railway.world.state;
    const [, store] = Object.values(volumeInstances);
    assert.deepEqual(store?.schedules, ["DAILY", "WEEKLY"]);
    const day = await operations();
    assert.equal(await day.backup("db"), 0);
    const { copies } = await day.backups();
    assert.deepEqual(
      copies.map(({ database }) => database),
      ["db"],
    );
  });
});
