import assert from "node:assert/strict";
import { PaperRuntime, type PaperBehaviour } from "../../../rehearsal/platform/paper";
import { realWorld, type World } from "../../../drivers/http";
import type { Command } from "../../../components/declaration";
import type { ResolvedApp } from "../../../components/resolvedApp";
import type { FlySettings } from "../../../targets/fly/settings";
import type { LogLine } from "../../../targets/operations";
import { deploy } from "../../../targets/fly/driver";
import { FlyOperations } from "../../../targets/fly/operations";
import { openBench, type Bench } from "../rehearsal/flySupport";
import { planFor, resolveOnFly } from "./plans";

const behaviour = ({ env }: { env: Readonly<Record<string, string>> }): PaperBehaviour =>
  env.RELEASE_COMMAND === "1"
    ? { exit: { code: 0, afterMs: 10 } }
    : env.FLY_PROCESS_GROUP === "job-once"
      ? { exit: { code: 0, afterMs: 30 }, logs: ["hello from job-once"] }
      : { logs: [`hello from ${env.FLY_PROCESS_GROUP ?? ""}`] };

/** What the scheduler's machine was asked to do, and what it answers. */
class Answering extends PaperRuntime {
  readonly asked: string[] = [];
  /** Whether no program can be started. */
  isSick = false;

  constructor() {
    super((container) => (this.isSick ? { broken: "exec format error" } : behaviour(container)));
  }

  override exec(id: string, command: readonly string[]) {
    const script = command.at(-1) ?? "";
    const verb = /scheduler\.js (.*?)(?:\n|$)/.exec(script)?.[1];
    if (verb !== undefined) this.asked.push(verb.replace(/'\\''|'/g, ""));
    if (verb?.startsWith("'list'") === true) return done('[["backups/hotrod-dev/db/x.dump",9,"2026-07-31T04:00:00Z"]]');
    if (script.startsWith("cat ")) return done("0");
    return super.exec(id, command);
  }
}
const done = (stdout: string) => Promise.resolve({ code: 0, stdout, stderr: "" });

/** Waits pass in a twentieth of their time. */
const began = Date.now();
const world: World = {
  ...realWorld,
  now: () => began + (Date.now() - began) * 20,
  sleep: (ms, signal) => realWorld.sleep(ms / 20, signal),
};

describe("day-two work on Fly", () => {
  let bench: Bench;
  let operations: FlyOperations;
  let hotrod: ResolvedApp;
  let settings: FlySettings;
  const runtime = new Answering();

  before(async () => {
    bench = await openBench({ runtime });
    const { endpoint, token } = bench.fly;
    const { apps, settings: read } = await resolveOnFly({ "fly:propagation": "1s" });
    hotrod = apps.find(({ declaration }) => declaration.name === "hotrod")!;
    settings = { ...read, machinesUrl: endpoint, apiUrl: endpoint, apiToken: token };
    const io = { progress: () => undefined, signal: new AbortController().signal };
    for (const version of ["1", "2"]) await deploy(planFor(hotrod, settings, version), io, world);
    operations = new FlyOperations(hotrod, settings, world);
  });
  after(() => bench.close());

  it("tells the state of services, schedules and volumes", async () => {
    const status = await operations.status();
    assert.ok(status.deployed);
    assert.deepEqual(
      status.services.map(({ name, health, instances }) => [
        name,
        health,
        instances.length,
        instances.every((one) => one.running),
      ]),
      [
        ["web", "healthy", 2, true],
        ["worker", "none", 1, true],
      ],
    );
    assert.deepEqual(
      status.schedules.map(({ name }) => name),
      ["ingest", "export-embeddings", "db"],
    );
    assert.match(status.schedules[0]?.next ?? "", /T02:00:00/);
    assert.equal(status.disks.length, 3); // two of web, one of Redis
    assert.deepEqual(status.missing, []);
    assert.deepEqual(
      status.databases.map(({ name, engine, state, copies }) => [name, engine, state, copies]),
      [
        ["db", "postgres 16", "ready, basic, 10 GB", 0],
        ["redis", "redis", "started, on redis_1 of 1 GB", 0],
      ],
    );
  });

  it("tells what somebody took away, and the next deploy makes that and nothing else", async () => {
    const others = (await operations.status()).services.flatMap(({ instances }) => instances.map(({ name }) => name));
    const [gone] = others.filter((name) => name.startsWith("web/2"));
    const id = /\((\w+),/.exec(gone ?? "")?.[1] ?? "";
    await bench.call("DELETE", `/apps/hotrod-dev/machines/${id}?force=true`);
    const { machines } = bench.fly.world.state;
    const taken = Object.values(machines).filter(
      ({ app, state }) => /--(redis|scheduler)$/.test(app) && state === "started",
    );
    for (const one of taken) await bench.call("DELETE", `/apps/${one.app}/machines/${one.id}?force=true`);
    await Promise.all(bench.fly.world.tasks.values());
    const status = await operations.status();
    assert.deepEqual(status.missing, ["machine web/2", "the scheduler's machine", "the machine of redis"]);
    assert.equal(status.databases[1]?.state, "gone, on redis_1 of 1 GB");
    const io = { progress: () => undefined, signal: new AbortController().signal };
    const { changes } = await deploy(planFor(hotrod, settings, "2"), io, world);
    const created = changes.filter((line) => line.includes("is created in"));
    assert.deepEqual(
      created.map((line) => line.replace(/ in .*/, "")),
      [
        "hotrod-dev--redis: redis 1 is created",
        "hotrod-dev: web 2 is created",
        "hotrod-dev--scheduler: scheduler 1 is created",
      ],
    );
    assert.ok(!changes.some((line) => line.includes("release command")), changes.join("\n"));
    const now = await operations.status();
    assert.deepEqual(now.missing, []);
    const kept = now.services.flatMap(({ instances }) => instances.map(({ name }) => name));
    assert.deepEqual(
      others.filter((name) => !kept.includes(name)),
      [gone],
    );
  });

  it("tells which of an app's domains have no certificate yet, and what to enter for them", async () => {
    const app = { ...hotrod, domains: { web: "shop.example.com" } };
    const findings = async () => (await new FlyOperations(app, settings, world).examine()).slice(1);
    assert.deepEqual(await findings(), [
      { level: "problem", what: "Fly has no certificate for shop.example.com: pulumi up asks for one." },
    ]);
    await bench.call("POST", "/apps/hotrod-dev/certificates/acme", { hostname: "shop.example.com" });
    const { certificates } = bench.fly.world.state.apps["hotrod-dev"]!;
    Object.assign(certificates["shop.example.com"]!, { activeAt: Date.now() + 3_600_000 });
    const [waiting] = await findings();
    assert.equal(waiting?.level, "warning");
    assert.match(waiting.what, /isn't active: pending_validation/);
    assert.match(waiting.fix ?? "", /registrar, then wait: A shop\.example\.com [\d.]+, AAAA shop\.example\.com /);
    Object.assign(certificates["shop.example.com"]!, { activeAt: 0 });
    assert.deepEqual(await findings(), [{ level: "ok", what: "The certificate of shop.example.com is active." }]);
    await bench.call("DELETE", "/apps/hotrod-dev/certificates/shop.example.com");
  });

  it("takes a machine that the proxy has stopped for one that is as it should be, and none whose host is away", async () => {
    const machine = Object.values(bench.fly.world.state.machines).find(
      ({ config, state }) => state === "started" && config.metadata?.["fly_process_group"] === "web",
    )!;
    const [service] = machine.config.services ?? [];
    Object.assign(machine, { state: "stopped" });
    const web = async () =>
      (await operations.status()).services[0]?.instances.find(({ name }) => name.includes(machine.id));
    assert.equal((await web())?.running, false);
    Object.assign(machine, { state: "started", hostStatus: "unreachable" });
    const away = await web();
    assert.deepEqual([away?.running, away?.state], [false, "started, its host is unreachable"]);
    Object.assign(machine, { state: "stopped", hostStatus: "ok" });
    Object.assign(service!, { autostop: "stop" });
    const asleep = await web();
    assert.deepEqual([asleep?.running, asleep?.state], [true, "stopped until it is needed"]);
    Object.assign(service!, { autostop: "off" });
    Object.assign(machine, { state: "started" });
  });

  it("shows log lines of a service alone, the newest so many of them", async () => {
    const lines: LogLine[] = [];
    const query = { part: { kind: "service", name: "web" }, follow: false, lines: 3 } as const;
    await operations.logs(query, (line) => lines.push(line), new AbortController().signal);
    assert.ok(lines.length > 0 && lines.length <= 3, `${lines.length} lines`);
    assert.ok(
      lines.every(({ part }) => /^web\/\d$/.test(part)),
      JSON.stringify(lines),
    );
  });

  it("restarts a service, and brings back the version before", async () => {
    assert.equal(await operations.restart("worker"), 0);
    const changes = await operations.rollback(() => undefined);
    assert.ok(
      changes.some((line) => line.includes("web 1 is updated")),
      changes.join("\n"),
    );
    const machines = (await bench.call("GET", "/apps/hotrod-dev/machines")).body as unknown as {
      config: { image: string };
    }[];
    assert.ok(
      machines.every(({ config }) => config.image.includes("sha256:1000")),
      JSON.stringify(machines.map((m) => m.config.image)),
    );
  });

  it("backs a database up, and lists what there is", async () => {
    assert.equal(await operations.backup("db"), 0);
    assert.deepEqual(await operations.backups(), {
      copies: [
        {
          database: "db",
          kept: "archive",
          key: "backups/hotrod-dev/db/x.dump",
          bytes: 9,
          time: "2026-07-31T04:00:00Z",
        },
      ],
      problems: [],
    });
    assert.equal(await operations.restore("db", { kind: "latest" }), 0);
    assert.deepEqual(
      runtime.asked.filter((verb) => !verb.startsWith("list")),
      ["backup db", "restore db latest"],
    );
  });

  it("makes a snapshot of a volume, and puts it in the place of the present data, which stays in its own", async () => {
    type Seen = { id: string; name: string; attached_machine_id: string | null };
    const volumes = async () => (await bench.call("GET", "/apps/hotrod-dev/volumes")).body as unknown as Seen[];
    const machines = async () =>
      (await bench.call("GET", "/apps/hotrod-dev/machines")).body as unknown as {
        id: string;
        state: string;
        cordoned?: boolean;
        config: { mounts?: { volume: string }[]; metadata: Record<string, string> };
      }[];
    assert.deepEqual((await operations.volumes.names()).toSorted(), ["redis_1", "web_1", "web_2"]);
    const [before] = (await volumes()).filter(({ name }) => name === "web_1");
    const machinesBefore = (await machines()).length;
    assert.equal(await operations.volumes.snapshot("web_1"), 0);
    const { copies } = await operations.volumes.snapshots();
    assert.deepEqual(
      copies.map(({ database, kept }) => [database, kept]),
      [["web_1", "place"]],
    );
    await assert.rejects(
      operations.volumes.restore("web_1", { kind: "key", key: "vs_none" }),
      /has no snapshot vs_none/,
    );
    await assert.rejects(operations.volumes.restore("web_2", { kind: "latest" }), /has no snapshot yet/);
    assert.equal(await operations.volumes.restore("web_1", { kind: "key", key: copies[0]!.key }), 0);
    const after = (await volumes()).filter(({ name }) => name === "web_1");
    const [made] = after.filter(({ id }) => id !== before!.id);
    assert.equal(after.length, 2);
    const left = await machines();
    assert.equal(left.length, machinesBefore);
    const holder = left.find(({ config }) => config.mounts?.some(({ volume }) => volume === made!.id));
    assert.deepEqual(
      [holder?.state, holder?.cordoned ?? false, holder?.config.metadata["homeport_slot"]],
      ["started", false, "1"],
    );
    assert.ok(!left.some(({ config }) => config.mounts?.some(({ volume }) => volume === before!.id)));
  });

  it("leaves a volume as it was where the machine with the snapshot doesn't get healthy", async () => {
    const names = async (path: string) =>
      ((await bench.call("GET", `/apps/hotrod-dev/${path}`)).body as unknown as { id: string; state: string }[])
        .filter(({ state }) => !state.includes("destroy"))
        .map(({ id }) => id)
        .sort();
    assert.equal(await operations.volumes.snapshot("web_2"), 0);
    const before = [await names("machines"), await names("volumes")];
    runtime.isSick = true;
    try {
      await assert.rejects(operations.volumes.restore("web_2", { kind: "latest" }));
    } finally {
      runtime.isSick = false;
    }
    assert.deepEqual([await names("machines"), await names("volumes")], before);
  });

  /** hotrod with a command of its worker, which has no volume. */
  const withCommand = (command: Pick<Command, "name" | "command" | "interactive">): ResolvedApp => {
    const { declaration } = hotrod;
    const worker = declaration.services.find(({ name }) => name === "worker")!;
    return { ...hotrod, declaration: { ...declaration, commands: [{ ...command, in: worker, about: "" }] } };
  };

  it("runs a job on a machine of its own, and shows what it wrote", async () => {
    const written: string[] = [];
    const write = process.stdout.write.bind(process.stdout);
    process.stdout.write = (text: string | Uint8Array) => written.push(String(text)) > 0;
    try {
      const changed = withCommand({ name: "once", command: "true" });
      assert.equal(await new FlyOperations(changed, settings, world).runCommand("once", []), 0);
    } finally {
      process.stdout.write = write;
    }
    assert.match(written.join(""), /hello from job-once/);
  });

  it("says who can run a command that talks to a person", async () => {
    const changed = withCommand({ name: "login", command: "login", interactive: true });
    await assert.rejects(
      new FlyOperations(changed, settings, world).runCommand("login", []),
      /fly ssh console --app hotrod-dev --command 'login'/,
    );
  });

  it("restores what Fly itself keeps into a cluster beside the present one", async () => {
    const [first] = (
      (await bench.call("GET", "/postgres?org_slug=personal")).body as unknown as {
        data: { id: string }[];
      }
    ).data;
    await bench.call("POST", `/postgres/${first?.id ?? ""}/backups`, { type: "full" });
    const { copies } = await operations.backups();
    const own = copies.find(({ kept }) => kept === "place");
    assert.ok(own !== undefined);
    assert.equal(await operations.restore("db", { kind: "key", key: own.key }), 0);
    const { data } = (await bench.call("GET", "/postgres?org_slug=personal")).body as unknown as {
      data: { name: string }[];
    };
    assert.match(
      data
        .map(({ name }) => name)
        .sort()
        .join(" "),
      /^hotrod-dev-db hotrod-dev-db-r\d{12}$/,
    );
  });

  it("looks at the place", async () => {
    assert.deepEqual(
      (await operations.examine()).map(({ level }) => level),
      ["ok"],
    );
  });
});
