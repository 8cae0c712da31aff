import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import type { ResolvedApp } from "../../../components/resolvedApp";
import { RailwayOperations } from "../../../targets/railway/operations";
import type { RailwaySettings } from "../../../targets/railway/settings";
import type { LogLine } from "../../../targets/operations";
import { RailwayBench, standIn } from "./bench";
import { planOf, resolveOnRailway } from "./plans";

describe("day-two work on Railway", () => {
  let bench: RailwayBench;
  let repository: string;
  let folder: string;
  let app: ResolvedApp;
  let settings: RailwaySettings;

  beforeEach(async () => {
    bench = await RailwayBench.open();
    folder = mkdtempSync(join(tmpdir(), "homeport-version-"));
    cpSync(standIn, folder, { recursive: true });
    repository = await bench.push(folder);
    const resolved = await resolveOnRailway(repository);
    const [first] = resolved.apps;
    assert.ok(first !== undefined);
    app = first;
    settings = { ...resolved.settings, url: bench.railway.endpoint, apiToken: bench.railway.token };
  });
  afterEach(async () => {
    await bench.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const up = async () => bench.up(bench.at(await planOf(repository)));
  const operations = () => new RailwayOperations(app, settings, bench.world);
  /** What it tells the person on the way isn't this test's. */
  const quietly = async <T>(work: () => Promise<T>): Promise<T> => {
    const write = process.stderr.write.bind(process.stderr);
    process.stderr.write = () => true;
    try {
      return await work();
    } finally {
      process.stderr.write = write;
    }
  };

  it("tells the state, and what somebody has changed since", async () => {
    assert.equal((await operations().status()).deployed, false);
    const { services: made } = await up();
    const status = await operations().status();
    assert.deepEqual(
      status.services.map(({ name, health, release }) => [name, health, release]),
      [
        ["api", "healthy", made.api?.deployment],
        ["dashboard", "healthy", made.dashboard?.deployment],
      ],
    );
    assert.deepEqual(status.failed, []);
    assert.match(status.disks[0]?.path ?? "", /^clausea-dev-redis/);
    assert.deepEqual(
      status.databases.map(({ name, engine, state = "" }) => [name, engine, state.replace(/\d+ MB/, "N MB")]),
      [
        ["mongo", "external", "run by somebody else"],
        ["redis", "redis", "success, on clausea-dev-redis of N MB"],
      ],
    );
    const { id } = made.api ?? { id: "" };
    const { environment } = await up();
    await fetch(bench.railway.endpoint, {
      method: "POST",
      headers: { authorization: `Bearer ${bench.railway.token}`, "content-type": "application/json" },
      body: JSON.stringify({
        query: "mutation D($s: String!, $e: String!) { serviceInstanceDeployV2(serviceId: $s, environmentId: $e) }",
        variables: { s: id, e: environment },
      }),
    });
    const [api] = (await operations().status()).services;
    assert.match(api?.instances[0]?.state ?? "", /not the deployed version: somebody has deployed it since/);
  });

  it("brings the version before back, and forth again", async () => {
    await up();
    const first = bench.deployments();
    await assert.rejects(
      operations().rollback(() => undefined),
      /There is no version to go back to[^]*the last deploy was the first one of redis, api, dashboard/,
    );
    writeFileSync(join(folder, "apps/backend/VERSION"), "2\n");
    await bench.push(folder);
    await up();
    const second = bench.deployments();
    assert.notEqual(second.api?.version, first.api?.version);
    const changes = await operations().rollback(() => undefined);
    assert.deepEqual(changes, ["api: goes back to the version before", "dashboard: goes back to the version before"]);
    assert.equal(bench.deployments().api?.version, first.api?.version);
    await operations().rollback(() => undefined);
    assert.equal(bench.deployments().api?.version, second.api?.version);
    assert.deepEqual(bench.serving(), ["api", "dashboard", "redis"]);
    const again = await up();
    assert.ok(!again.changes.includes("redis: is deployed"));
  });

  it("shows logs of all services or of one", async () => {
    bench.behaviour(({ env }) => ({ logs: [`${env.RAILWAY_SERVICE_NAME ?? ""} listens`] }));
    await up();
    const read = async (part?: { kind: "service"; name: string }) => {
      const lines: LogLine[] = [];
      const query = { follow: false, ...(part === undefined ? {} : { part }) };
      await operations().logs(query, (line) => void lines.push(line), new AbortController().signal);
      return lines.map((line) => `${line.part}: ${line.text}`);
    };
    const all = await read();
    for (const name of ["api", "dashboard", "redis"])
      assert.ok(all.includes(`${name}: ${name} listens`), all.join("\n"));
    const one = await read({ kind: "service", name: "api" });
    assert.ok(one.length > 0 && one.every((line) => line.startsWith("api: ")));
  });

  it("saves a volume, lists copies and puts one back; next to staged changes it doesn't", async () => {
    await up();
    await quietly(async () => {
      assert.equal(await operations().backup("redis"), 0);
      const { copies } = await operations().backups();
      assert.deepEqual(
        copies.map(({ database, kept }) => [database, kept]),
        [["redis", "place"]],
      );
      await assert.rejects(operations().restore("redis", { kind: "key", key: "none" }), /There is no such copy/);
      await assert.rejects(operations().restore("redis", { kind: "file", path: "x" }), /can't take a file/);
      assert.equal(await operations().restore("redis", { kind: "latest" }), 0);
    });
    const [environment] = Object.values(bench.railway.world.state.environments);
    assert.equal(environment?.staged, undefined);
    if (environment !== undefined) {
      environment.staged = {
        id: "p",
        patch: { services: { x: { deploy: { startCommand: "y" } } } },
        status: "STAGED",
        createdAt: 0,
        updatedAt: 0,
      };
    }
    await assert.rejects(operations().restore("redis", { kind: "latest" }), /Somebody has staged changes/);
  });

  const environmentOf = () => {
    const [environment] = Object.values(bench.railway.world.state.environments);
    assert.ok(environment !== undefined);
    return environment;
  };
  /** What somebody else stages, beside what is staged already. */
  const stage = (): void => {
    const environment = environmentOf();
    const patch = { ...environment.staged?.patch, sharedVariables: { THEIRS: { value: "1" } } };
    environment.staged = { id: "p", patch, status: "STAGED", createdAt: 0, updatedAt: 0 };
  };

  it("commits nothing that somebody has staged while a copy was on its way back", async () => {
    await up();
    await quietly(async () => {
      await operations().backup("redis");
      Object.assign(bench.railway.world.timings, { workflow: 200 });
      const restored = operations().restore("redis", { kind: "latest" });
      setTimeout(stage, 100);
      await assert.rejects(restored, /Somebody has staged changes in the environment meanwhile/);
    });
    assert.equal(environmentOf().sharedVariables["THEIRS"], undefined);
    assert.ok(environmentOf().staged !== undefined, "somebody else's changes are gone");
  });

  it("takes back its own return that was never committed, and nobody else's", async () => {
    await up();
    await quietly(async () => {
      await operations().backup("redis");
      bench.railway.world.faults.add({ kind: "status", path: "environmentPatchCommitStaged", count: 1, status: 400 });
      await assert.rejects(operations().restore("redis", { kind: "latest" }), /status 400/);
      assert.ok(environmentOf().staged !== undefined);
      assert.equal(await operations().restore("redis", { kind: "latest" }), 0);
      assert.equal(environmentOf().staged, undefined);
      const mounted = Object.values(bench.railway.world.state.volumeInstances).filter(
        ({ serviceId }) => serviceId !== undefined,
      );
      assert.equal(mounted.length, 1);
      stage();
      await assert.rejects(operations().restore("redis", { kind: "latest" }), /Somebody has staged changes/);
    });
  });

  it("doesn't roll back, restore or deploy while somebody else does, until that has ended or its time is over", async () => {
    await up();
    writeFileSync(join(folder, "apps/backend/VERSION"), "2\n");
    await bench.push(folder);
    await up();
    const lease = (holder: string, host: string, pid: number, seconds: number): void => {
      const variable = environmentOf().sharedVariables["HOMEPORT"];
      assert.ok(variable !== undefined);
      const until = new Date(bench.world.now() + seconds * 1000).toISOString();
      const state = JSON.parse(variable.value) as object;
      Object.assign(variable, { value: JSON.stringify({ ...state, lease: { holder, host, pid, until } }) });
    };
    const rollback = () => operations().rollback(() => undefined);
    lease("homeport restore", "elsewhere", 1, 3600);
    await assert.rejects(rollback(), /homeport restore is under way on elsewhere/);
    await assert.rejects(up(), /homeport restore is under way on elsewhere/);
    lease("pulumi up", "elsewhere", 1, 3600);
    await assert.rejects(operations().restore("redis", { kind: "latest" }), /pulumi up is under way on elsewhere/);
    await assert.rejects(rollback(), /pulumi up is under way on elsewhere/);
    lease("homeport rollback", "elsewhere", 1, -1);
    await rollback();
    // No process has so high a number.
    lease("homeport rollback", hostname(), 99_999_999, 3600);
    await up();
    assert.doesNotMatch(environmentOf().sharedVariables["HOMEPORT"]?.value ?? "", /lease/);
  });

  it("restarts services, and looks at its place", async () => {
    const [before] = await operations().examine();
    assert.equal(before?.level, "ok");
    await up();
    assert.equal(await quietly(() => operations().restart("api")), 0);
    const findings = await operations().examine();
    assert.deepEqual(
      findings.map(({ level }) => level),
      ["ok"],
    );
  });

  it("runs what a person asks for in a service's instance, by the person's ssh", async () => {
    const { services } = await up();
    const lines: string[] = [];
    let ends: () => Promise<number> = () => Promise.resolve(7);
    const ssh = (address: string, line: string): Promise<number> => {
      lines.push(`${address} ${line}`);
      return ends();
    };
    const own = new RailwayOperations(app, settings, bench.world, ssh);
    assert.equal(await own.runCommand("test-connection", ["it's"]), 7);
    assert.equal(await own.exec("api", ["ls", "/a b"]), 7);
    const instance = Object.values(bench.railway.world.state.instances).find(
      ({ serviceId }) => serviceId === services.api?.id,
    );
    const place = '[ -r /tmp/homeport-shell ] && . /tmp/homeport-shell && cd "$PWD"; ';
    assert.deepEqual(lines, [
      `${instance?.id ?? ""}@ssh.railway.com ${place}uv run python -m src.dashboard.test_connection 'it'\\''s'`,
      `${instance?.id ?? ""}@ssh.railway.com ${place}exec 'ls' '/a b'`,
    ]);
    ends = () => Promise.resolve(255);
    await assert.rejects(
      own.exec("api", ["ls"]),
      /railway ssh keys add [\s\S]*By hand it is: ssh \S+@ssh\.railway\.com '/,
    );
    ends = () => Promise.reject(new Error("spawn ssh ENOENT"));
    await assert.rejects(own.exec("api", ["ls"]), /why: spawn ssh ENOENT/);
    assert.equal(await quietly(() => own.exec("nothing", ["ls"])), 127);
  });
});
