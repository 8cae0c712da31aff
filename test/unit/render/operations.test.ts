import assert from "node:assert/strict";
import type { Service } from "../../../components/declaration";
import type { ResolvedApp } from "../../../components/resolvedApp";
import type { LogLine } from "../../../targets/operations";
import { realClock } from "../../../rehearsal/platform/clock";
import { deploy } from "../../../targets/render/driver";
import { RenderOperations } from "../../../targets/render/operations";
import type { RenderSettings } from "../../../targets/render/settings";
import { type Bench, openBench, paper, until } from "../rehearsal/renderSupport";
import { ofRepository, planFor, resolveOnRender } from "./plans";
import { quickWorld } from "./scene";

describe("day-two work on Render", () => {
  let bench: Bench;
  let app: ResolvedApp;
  let settings: RenderSettings;
  let operations: RenderOperations;
  const io = { progress: () => undefined, signal: new AbortController().signal };

  /** Milliseconds that the platform's clock is ahead. */
  let later = 0;

  beforeEach(async () => {
    later = 0;
    bench = await openBench({
      clock: { ...realClock, now: () => Date.now() + later },
      runtime: paper(({ id, command }) => ({
        logs: [`[ingest] beside ${id}`, `starts ${command?.join(" ") ?? ""}`],
      })),
    });
    const found = await resolveOnRender();
    const [hotrod] = found.apps;
    app = ofRepository(hotrod!);
    settings = { ...found.settings, apiUrl: bench.render.endpoint, apiKey: bench.render.token };
    operations = new RenderOperations(app, settings, quickWorld());
  });
  afterEach(() => bench.close());

  const up = (version: string): Promise<unknown> =>
    deploy(planFor(ofRepository(app, version), settings), io, quickWorld());
  const linesOf = async (name?: string, kind: "service" | "job" = "service"): Promise<LogLine[]> => {
    const lines: LogLine[] = [];
    const part = name === undefined ? {} : { part: { kind, name } };
    await operations.logs({ ...part, follow: false }, (line) => lines.push(line), io.signal);
    return lines;
  };

  it("says that nothing is there before the first deploy", async () => {
    const { deployed, services } = await operations.status();
    assert.deepEqual([deployed, services], [false, []]);
    assert.equal(await operations.restart("web"), 127);
    assert.equal((await operations.examine())[0]!.level, "ok");
  });

  it("tells how services and schedules are", async () => {
    await up("a1");
    const { services, schedules, databases, failed } = await operations.status();
    assert.deepEqual(
      services.map(({ name, release, health, instances }) => [name, release, health, instances.length]).sort(),
      [
        ["web", "a10000000000", "healthy", 1],
        ["worker", "a10000000000", "none", 1],
      ],
    );
    assert.deepEqual(
      schedules.map(({ name, next }) => `${name} ${next!.slice(11, 16)}`),
      ["ingest 02:00", "export-embeddings 03:00"],
    );
    assert.deepEqual(
      databases.map(({ name }) => name),
      ["db", "redis"],
    );
    assert.deepEqual(failed, []);
  });

  it("tells how jobs beside a service ended, by its log, which is read also where it is older than an hour", async () => {
    await up("a1");
    const web = Object.values(bench.render.world.state.services).find(({ name }) => name === "hotrod-dev-web")!;
    const results = async (): Promise<unknown[]> =>
      (await operations.status()).schedules.map(({ name, result, reason }) => [name, result, reason]);
    assert.deepEqual(await results(), [
      ["ingest", "unknown", undefined],
      ["export-embeddings", "unknown", undefined],
    ]);
    const log = (line: string): void => {
      bench.render.world.logs.add(web.id, line);
    };
    log("[ingest] ended with 124");
    log("[export-embeddings] ended with 3");
    log("[export-embeddings] it says that it ended with 0 errors");
    assert.deepEqual(await results(), [
      ["ingest", "failed", "timeout"],
      ["export-embeddings", "failed", "exit code 3"],
    ]);
    log("[ingest] ended with 0");
    later = 2 * 3_600_000;
    assert.deepEqual((await results())[0], ["ingest", "success", undefined]);
    const lines = await linesOf("ingest", "job");
    assert.deepEqual(
      lines.filter(({ text }) => text.startsWith("ended")).map(({ text }) => text),
      ["ended with 124", "ended with 0"],
    );
  });

  it("runs a cron job, and tells how it ended also when that is more than an hour ago", async () => {
    const { declaration } = app;
    const plain = (service: Service): Service => ({ ...service, volumes: [] });
    const jobs = declaration.jobs.map((job) => ({ ...job, in: plain(job.in) }));
    const cron = { ...app, declaration: { ...declaration, services: declaration.services.map(plain), jobs } };
    await deploy(planFor(cron, settings), io, quickWorld());
    const own = new RenderOperations(cron, settings, quickWorld());
    assert.equal(await own.runJob("ingest"), 0);
    const results = async (): Promise<string[]> => (await own.status()).schedules.map(({ result }) => result);
    assert.deepEqual(await results(), ["success", "unknown"]);
    later = 2 * 3_600_000;
    assert.deepEqual(await results(), ["success", "unknown"]);
  });

  it("reads logs by service, and those of a job that runs beside one", async () => {
    await up("a1");
    const all = await linesOf();
    assert.ok(all.some(({ part, text }) => part.startsWith("worker/") && text.includes("npm run worker")));
    const web = await linesOf("web");
    assert.ok(web.every(({ part }) => part.startsWith("web")));
    const ingest = await linesOf("ingest", "job");
    assert.ok(ingest.length > 0 && ingest.every(({ text }) => text.startsWith("beside ")), JSON.stringify(ingest));
  });

  it("goes back to the version before, and restarts", async () => {
    await up("a1");
    await up("b2");
    const changes = await operations.rollback(() => undefined);
    assert.equal(changes.length, 2);
    const { services } = await operations.status();
    assert.deepEqual(
      services.map(({ release }) => release),
      ["a10000000000", "a10000000000"],
    );
    const before = bench.runtime.started.length;
    assert.equal(await operations.restart("worker"), 0);
    assert.equal(bench.runtime.started.length, before + 1);
  });

  /** Deploys a version with another variable of a part, and shows what is live of each service by its commit and variable. */
  const upWith = (version: string, change: Record<string, string>): Promise<unknown> => {
    const spec = planFor(ofRepository(app, version), settings);
    const services = spec.services.map((one) => ({ ...one, env: { ...one.env, CHANGE: change[one.part] ?? "none" } }));
    return deploy({ ...spec, services }, io, quickWorld());
  };
  const live = (): Record<string, string | undefined> => {
    const { services, deploys } = bench.render.world.state;
    return Object.fromEntries(
      Object.values(services).map(({ id, name }) => {
        const deploy = Object.values(deploys).find((one) => one.serviceId === id && one.status === "live");
        return [
          name.replace("hotrod-dev-", ""),
          `${deploy?.commit?.id.slice(0, 2)} ${deploy?.snapshot?.env["CHANGE"]}`,
        ];
      }),
    );
  };

  it("takes back what the last deploy changed, and leaves the rest", async () => {
    await upWith("a1", {});
    await upWith("b2", {});
    await upWith("b2", { web: "one" });
    const told: string[] = [];
    assert.equal((await operations.rollback((line) => told.push(line))).length, 1);
    assert.match(told.join(), /worker: stays as it is, as the last deploy didn't change it/);
    const rolled = live();
    assert.equal(rolled["worker"], "b2 none");
    await operations.rollback(() => undefined);
    assert.equal(live()["worker"], "b2 none");
    const { length } = Object.keys(bench.render.world.state.deploys);
    await upWith("c3", { web: "two" });
    assert.deepEqual(live(), { web: "c3 two", worker: "c3 none" });
    assert.equal(Object.keys(bench.render.world.state.deploys).length, length + 2);
    await operations.rollback(() => undefined);
    assert.deepEqual(live(), { web: "b2 two", worker: "b2 none" });
  });

  it("goes back and forward again, and what is declared is deployed by the next up, also of what it doesn't change", async () => {
    await upWith("a1", {});
    await upWith("b2", {});
    await operations.rollback(() => undefined);
    assert.deepEqual(live(), { web: "a1 none", worker: "a1 none" });
    await operations.rollback(() => undefined);
    assert.deepEqual(live(), { web: "b2 none", worker: "b2 none" });
    await operations.rollback(() => undefined);
    await upWith("b2", { web: "one" });
    assert.deepEqual(live(), { web: "b2 one", worker: "b2 none" });
  });

  it("takes back all of a version whose deploy was cut off and gone on with", async () => {
    await upWith("a1", {});
    const abort = new AbortController();
    const spec = planFor(ofRepository(app, "b2"), settings);
    const world = quickWorld();
    let begun = 0;
    const cut = {
      ...world,
      fetch: async (url: string, init: RequestInit) => {
        const answer = await world.fetch(url, init);
        // That of the worker: the web service's version is live by then.
        if (init.method === "POST" && url.endsWith("/deploys") && ++begun === 2) abort.abort(new Error("killed"));
        return answer;
      },
    };
    await assert.rejects(deploy(spec, { ...io, signal: abort.signal }, cut));
    assert.ok(
      Object.values(live()).some((one) => one?.startsWith("a1")),
      JSON.stringify(live()),
    );
    await up("b2");
    await operations.rollback(() => undefined);
    assert.deepEqual(
      Object.values(live()).map((one) => one?.slice(0, 2)),
      ["a1", "a1"],
    );
  });

  it("goes back past a version that failed and was undone, and has nothing to go back to after the first", async () => {
    await up("a1");
    await assert.rejects(
      operations.rollback(() => undefined),
      /There is no version to go back to.*\n.*hotrod-dev-web.*\n.*\n.*pulumi up with its commit/,
    );
    await up("b2");
    await bench.control("POST", "faults", { kind: "buildFailure", path: "^hotrod-dev-worker" });
    await assert.rejects(up("c3"), /hotrod-dev-worker doesn't get live/);
    await operations.rollback(() => undefined);
    assert.deepEqual(
      Object.values(live()).map((one) => one?.slice(0, 2)),
      ["a1", "a1"],
    );
  });

  it("leaves all as it was where a version from before doesn't get live", async () => {
    await up("a1");
    await up("b2");
    await bench.control("POST", "faults", { kind: "unhealthy", path: "^hotrod-dev-w", after: 1 });
    await assert.rejects(
      operations.rollback(() => undefined),
      /doesn't get live/,
    );
    assert.deepEqual(
      Object.values(live()).map((one) => one?.slice(0, 2)),
      ["b2", "b2"],
    );
    const before = bench.render.journal.entries().length;
    await up("b2");
    assert.deepEqual(
      bench.render.journal.entries(before).filter(({ changes }) => changes),
      [],
    );
  });

  it("runs a command with a service's variables, in an instance of its own", async () => {
    await up("a1");
    assert.equal(await operations.exec("worker", ["echo", "it's"]), 0);
    const { command, env } = bench.runtime.started.at(-1)!;
    assert.deepEqual(command, ["/bin/sh", "-c", "'echo' 'it'\\''s'"]);
    assert.equal(env["SHOPIFY_SHOP"], "dev-hotrod.myshopify.com");
  });

  it("runs what needs a disk in the service's instance, by the person's ssh", async () => {
    await up("a1");
    const lines: string[] = [];
    let ends: () => Promise<number> = () => Promise.resolve(75);
    const ssh = (address: string, line: string): Promise<number> => {
      lines.push(`${address} ${line}`);
      return ends();
    };
    const own = new RenderOperations(app, settings, quickWorld(), ssh);
    assert.equal(await own.runJob("ingest"), 75);
    assert.equal(await own.runCommand("rebuild-chroma", ["it's"]), 75);
    assert.equal(await own.exec("web", ["ls", "/data/chroma"]), 75);
    const [web] = Object.values(bench.render.world.state.services).filter(({ name }) => name === "hotrod-dev-web");
    const place = '[ -r /tmp/homeport-shell ] && . /tmp/homeport-shell && cd "$PWD"; ';
    const command = app.declaration.commands.find(({ name }) => name === "rebuild-chroma")!.command;
    assert.deepEqual(lines, [
      `${web!.id}@ssh.frankfurt.render.com ${place}exec sh /etc/secrets/homeport-jobs ingest`,
      `${web!.id}@ssh.frankfurt.render.com ${place}${command} 'it'\\''s'`,
      `${web!.id}@ssh.frankfurt.render.com ${place}exec 'ls' '/data/chroma'`,
    ]);
    const typed = new RegExp(
      `By hand it is: ssh ${web!.id}@ssh\\.frankfurt\\.render\\.com '.*exec sh /etc/secrets/homeport-jobs ingest'`,
    );
    ends = () => Promise.resolve(255);
    await assert.rejects(own.runJob("ingest"), typed);
    ends = () => Promise.reject(new Error("spawn ssh ENOENT"));
    await assert.rejects(own.runJob("ingest"), /why: spawn ssh ENOENT/);
    web!.details = { ...web!.details, plan: "free" };
    await assert.rejects(own.runJob("ingest"), /\/shell and type: .*exec sh \/etc\/secrets\/homeport-jobs ingest/);
  });

  it("exports a database, lists what can be restored, and restores into another one", async () => {
    await up("a1");
    assert.equal(await operations.backup("db"), 0);
    const { copies } = await operations.backups();
    assert.equal(copies.length, 2);
    assert.match(copies[1]!.key, /^any time since /);
    assert.equal(await operations.restore("db", { kind: "latest" }), 0);
    const names = Object.values(bench.render.world.state.postgres).map(({ name }) => name);
    assert.match(names[1]!, /^hotrod-dev-db-\d{12}$/);
    await assert.rejects(operations.restore("db", { kind: "file", path: "x.dump" }), /not to a file/);
  });

  it("tells how full disks are, as far as it was measured", async () => {
    await up("a1");
    bench.runtime.exec = (_id, command) =>
      Promise.resolve({ code: 0, stderr: "", stdout: command[0] === "du" ? `2441406\t${command.at(-1) ?? ""}\n` : "" });
    const { disks } = await operations.status();
    const [{ bytes, freeBytes, id, ...rest }] = disks as [(typeof disks)[0]];
    assert.match(id ?? "", /^dsk-/);
    assert.deepEqual(rest, { path: "web_disk (/data/chroma)", usedPercent: 25, limitPercent: 80 });
    assert.equal(bytes, 10e9);
    assert.ok(Math.abs(freeBytes - 7.5e9) < 1024, String(freeBytes));
    bench.runtime.exec = () => Promise.resolve({ code: 1, stderr: "no du", stdout: "" });
    assert.deepEqual((await operations.status()).disks, []);
  });

  it("lists a disk's snapshots and restores one, which is waited for", async () => {
    await up("a1");
    const { volumes } = operations;
    assert.deepEqual(await volumes.names(), ["web_disk"]);
    await assert.rejects(
      volumes.restore("web_disk", { kind: "latest" }),
      /has no snapshot yet: Render makes the first/,
    );
    await assert.rejects(volumes.snapshot("web_disk"), /makes one of each disk a day, by itself/);
    for (let day = 0; day < 2; day++) await bench.control("POST", "snapshots");
    const [newest, older] = (await volumes.snapshots()).copies;
    assert.ok(newest!.time > older!.time);
    assert.equal(newest!.database, "web_disk");
    const [disk] = Object.values(bench.render.world.state.disks);
    const kept = Object.values(bench.render.world.state.snapshots);
    const web = Object.values(bench.render.world.state.services).find(({ name }) => name === "hotrod-dev-web")!;
    assert.equal(await volumes.restore("web_disk", { kind: "key", key: older!.key }), 0);
    assert.deepEqual(bench.runtime.copiedVolumes.at(-1), [kept[0]!.id, disk!.id]);
    const deploys = Object.values(bench.render.world.state.deploys).filter(({ serviceId }) => serviceId === web.id);
    assert.deepEqual([deploys.at(-1)!.trigger, deploys.at(-1)!.status], ["other", "live"]);
    await assert.rejects(volumes.restore("web_disk", { kind: "key", key: "2020-01-01" }), /no snapshot of 2020-01-01/);
    await assert.rejects(volumes.restore("web_disk", { kind: "file", path: "x" }), /from no file/);
    assert.equal(await volumes.restore("worker_disk", { kind: "latest" }), 127);
  });

  it("says where the version doesn't get live with what was restored", async () => {
    await up("a1");
    await bench.control("POST", "snapshots");
    await bench.control("POST", "faults", { kind: "unhealthy", path: "^hotrod-dev-web" });
    await assert.rejects(
      operations.volumes.restore("web_disk", { kind: "latest" }),
      /hotrod-dev-web doesn't get live: update failed/,
    );
  });

  it("restarts what a restore didn't deploy", async () => {
    await up("a1");
    await bench.control("POST", "snapshots");
    bench.render.world.settings.restoreDeploys = false;
    const web = Object.values(bench.render.world.state.instances).find(({ isKept }) => isKept);
    assert.ok(web !== undefined);
    const before = bench.runtime.started.length;
    assert.equal(await operations.volumes.restore("web_disk", { kind: "latest" }), 0);
    assert.equal(bench.runtime.started.length, before + 2);
  });

  it("sees a blueprint that would undo what is deployed, and what is suspended", async () => {
    await up("a1");
    const { services } = bench.render.world.state;
    const [web] = Object.values(services);
    await bench.control("POST", "blueprints", {
      ...{ name: "old", ownerId: bench.render.ownerId, autoSync: true, repo: "https://github.com/acme/hotrod" },
      resources: [{ id: web!.id, name: web!.name, type: "web_service" }],
    });
    await bench.call("POST", `/services/${web!.id}/suspend`);
    await until("it is suspended", () => web!.suspended);
    const problems = (await operations.examine()).filter(({ level }) => level === "problem");
    assert.match(problems[0]!.what, /blueprint old syncs these services/);
    assert.match(problems[1]!.what, /hotrod-dev-web is suspended/);
    assert.deepEqual((await operations.status()).failed, ["web"]);
  });
});
