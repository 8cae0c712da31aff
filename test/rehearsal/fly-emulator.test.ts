import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { poll, sleep } from "../../rehearsal/host/run";
import { type Fly, type Host, type Site, openSite } from "../../rehearsal/site";
import { planOf } from "../unit/fly/plans";
import { type FlyCalls, type FlyMachine, flyCalls, isHealthy } from "./support/flyCalls";
import { loadImage } from "./support/flyImage";

describe("Fly.io on this machine", function () {
  this.timeout(240_000);
  const folder = mkdtempSync(join(tmpdir(), "homeport-fly-"));
  const app = `web-${randomBytes(3).toString("hex")}`;
  const image = "docker.io/test/web:1";
  let site: Site;
  let fly: Fly;
  let host: Host;
  let api: FlyCalls;

  before(async () => {
    site = await openSite({ folder, log: () => undefined });
    fly = await site.fly();
    host = await site.host("fly");
    await fly.limits({ rateLimits: false });
    api = flyCalls(fly);
    await loadImage(host, image);
    await api.app(app, "shared_v4");
  });
  after(async () => {
    await site.close();
    await assert.rejects(fetch(`${fly.endpoint}/rehearsal/health`), /fetch failed/);
    rmSync(folder, { recursive: true, force: true });
  });

  const machines = (): Promise<FlyMachine[]> => api.call<FlyMachine[]>("GET", `/apps/${app}/machines`);
  const read = (id: string): Promise<FlyMachine> => api.read(app, id);
  const reach = (id: string, what: string, wanted: (machine: FlyMachine) => boolean): Promise<FlyMachine> =>
    api.reach(app, id, what, wanted);
  const says = (id: string, wanted: RegExp): Promise<void> => api.says(app, id, wanted);
  const entrypoint = ["/usr/bin/python3", "/app/main.py"];
  const web = (version: string, more: object = {}): Record<string, unknown> => ({
    image,
    init: { entrypoint },
    env: { VERSION: version },
    metadata: { fly_process_group: "web" },
    services: [
      {
        protocol: "tcp",
        internal_port: 8080,
        ports: [{ port: 443, handlers: ["tls", "http"] }],
        checks: [{ type: "http", path: "/health", interval: "1s" }],
      },
    ],
    ...more,
  });
  async function make(config: object, rest: object = {}): Promise<FlyMachine> {
    const machine = await api.call<FlyMachine>("POST", `/apps/${app}/machines`, { region: "iad", config, ...rest });
    await sleep(100);
    return machine;
  }
  const visit = async (path = "/"): Promise<Record<string, never>> => {
    const url = await fly.url(app);
    return (await (await fetch(`${url!}${path}`)).json()) as Record<string, never>;
  };
  const inside = (id: string, code: string): Promise<string> => api.inside(app, id, "/usr/bin/python3", "-c", code);

  it("runs machines with their secrets, checks and public address", async () => {
    const { version } = await api.call<{ version: number }>("POST", `/apps/${app}/secrets`, {
      values: { KEY: "two\nlines 'quoted' \"twice\" $HOME" },
    });
    const machine = await make(web("1"), { min_secrets_version: version });
    await reach(machine.id, "the machine isn't healthy", isHealthy);
    const { env } = (await visit()) as unknown as { env: Record<string, string> };
    assert.equal(env["KEY"], "two\nlines 'quoted' \"twice\" $HOME");
    assert.equal(env["FLY_MACHINE_ID"], machine.id);
    assert.equal(env["FLY_PROCESS_GROUP"], "web");
    await says(machine.id, /version 1 is listening/);
    const shown = await host.exec(
      `ps axww -o args; podman inspect --format '{{.Config.CreateCommand}}' platform-${machine.id}`,
    );
    assert.ok(!shown.stdout.includes("quoted"), "no secret among arguments");
  });

  it("loses no request while two machines are replaced one after the other", async () => {
    const second = await make(web("1"));
    await reach(second.id, "the second machine isn't healthy", isHealthy);
    const url = (await fly.url(app))!;
    const answers = { ok: 0, failed: [] as unknown[] };
    let isOver = false;
    const load = [...Array<undefined>(6)].map(async (_, index) => {
      while (!isOver) {
        const answer = await fetch(`${url}${index === 0 ? "/slow" : "/"}`).catch((error: unknown) => error);
        if (answer instanceof Response && answer.status === 200) {
          answers.ok += 1;
          await answer.text();
        } else answers.failed.push(answer instanceof Response ? answer.status : answer);
        await sleep(10);
      }
    });
    for (const { id } of await machines()) {
      const { instance_id: version } = await api.call<FlyMachine>("POST", `/apps/${app}/machines/${id}`, {
        config: web("2"),
      });
      await api.call("GET", `/apps/${app}/machines/${id}/wait?instance_id=${version}&state=started&timeout=30`);
      await reach(id, "the new version isn't healthy", isHealthy);
      await says(id, /ended in order/);
    }
    isOver = true;
    await Promise.all(load);
    assert.deepEqual(answers.failed, []);
    assert.ok(answers.ok > 100, `${answers.ok} requests`);
    assert.equal((await visit())["version"], "2");
  });

  it("finds an app's machines by their private names", async () => {
    const [first, second] = await machines();
    const names = [
      `${app}.internal`,
      `web.process.${app}.internal`,
      `${second!.id}.vm.${app}.internal`,
      `iad.${app}.internal`,
    ];
    for (const name of names) {
      const code = `import urllib.request; print(urllib.request.urlopen("http://${name}:8080/health").status)`;
      assert.equal(await inside(first!.id, code), "200", name);
    }
    const code = `import socket\ntry: print(socket.gethostbyname("nobody.internal"))\nexcept socket.gaierror: print("unknown")`;
    assert.equal(await inside(first!.id, code), "unknown");
  });

  it("runs a release command once, tells its exit code, and removes its machine", async () => {
    const config = { image, init: { entrypoint, cmd: ["3"] }, auto_destroy: true, restart: { policy: "no" } };
    const { id } = await make(config);
    await reach(id, "the release machine isn't gone", ({ state }) => state === "destroyed");
    const exit = (await read(id)).events.find(({ type }) => type === "exit");
    assert.equal((exit?.request as { exit_event: { exit_code: number } }).exit_event.exit_code, 3);
    await says(id, /told to: 3/);
    assert.ok(!(await host.exec("podman ps -a --format '{{.Names}}'")).stdout.includes(id));
  });

  it("keeps a volume's data from one machine to the next", async () => {
    const { id: volume } = await api.call<{ id: string }>("POST", `/apps/${app}/volumes`, {
      name: "data",
      region: "iad",
      size_gb: 1,
    });
    const mounts = [{ volume, path: "/data" }];
    const code = 'import urllib.request; print(urllib.request.urlopen("http://127.0.0.1:8080/note").read().decode())';
    const config = { ...web("first", { mounts }), services: [] };
    const first = await make(config);
    await reach(first.id, "no start", ({ state }) => state === "started");
    await says(first.id, /is listening/);
    assert.equal(await inside(first.id, code), '{"note": ["first"]}');
    await api.destroy(app, first.id);
    await api.freed(app, volume);
    const second = await make({ ...config, env: { VERSION: "second" } });
    await says(second.id, /is listening/);
    assert.equal(await inside(second.id, code), '{"note": ["first", "second"]}');
    await api.destroy(app, second.id);
    await api.freed(app, volume);
    await api.call("DELETE", `/apps/${app}/volumes/${volume}`);
  });

  it("takes images by its registry, from who has a token and for apps that are there", async () => {
    const push = (as: string, name: string): Promise<{ code: number; stderr: string }> =>
      host.exec(
        `podman push --quiet --tls-verify=false --creds 'x:${as}' --digestfile /tmp/digest ${image} ${fly.registry}/${name}:2`,
      );
    assert.match((await push("fm2_wrong", app)).stderr, /authentication required|unauthorized/i);
    assert.match((await push(fly.token, "nobody-s")).stderr, /app repository not found/);
    const pushed = await push(fly.token, app);
    assert.equal(pushed.code, 0, pushed.stderr);
    const digest = (await host.exec("cat /tmp/digest")).stdout.trim();
    const { id } = await make({ ...web("3"), image: `registry.fly.io/${app}@${digest}` });
    await reach(id, "the pushed image doesn't run", isHealthy);
    const shown = await api.call<{ image_ref: { digest: string } }>("GET", `/apps/${app}/machines/${id}`);
    assert.equal(shown.image_ref.digest, digest);
    await api.destroy(app, id);
    const missing = await api.raw("POST", `/apps/${app}/machines`, {
      config: { image: `registry.fly.io/${app}:none` },
    });
    assert.equal(missing.status, 400);
  });

  it("keeps to a service's limits, stops machines that idle down to the floor, and wakes them for requests", async () => {
    const name = `idle-${app}`;
    await api.app(name, "shared_v4");
    const [planned] = (await planOf("tileshop")).apps
      .flatMap(({ groups }) => groups)
      .flatMap(({ idle, config }) => (idle ? (config.services ?? []) : []));
    assert.ok(planned?.autostop === "stop" && planned.autostart && planned.min_machines_running === 1);
    const service = {
      ...planned,
      internal_port: 8080,
      checks: [{ type: "http", path: "/health", interval: "1s", timeout: "1s" }],
      concurrency: { ...planned.concurrency, soft_limit: 1, hard_limit: 2 },
    };
    const ids = [
      await api.machine(name, web("1", { services: [service] })),
      await api.machine(name, web("1", { services: [service] })),
    ];
    const states = async (): Promise<string> =>
      (await Promise.all(ids.map(async (id) => (await api.read(name, id)).state))).sort().join();
    const reach = (wanted: string): Promise<true> =>
      poll(async () => ((await states()) === wanted ? true : undefined), {
        timeoutMs: 30_000,
        failure: async () => `the machines are ${await states()}, not ${wanted}`,
      });
    const url = (await fly.url(name))!;
    const ask = async (count: number): Promise<{ machine: string; peak: number }[]> =>
      Promise.all(
        Array.from({ length: count }, async () => {
          const answer = await fetch(`${url}/slow`, { headers: { connection: "close" } });
          assert.equal(answer.status, 200, await answer.clone().text());
          return (await answer.json()) as { machine: string; peak: number };
        }),
      );
    await fly.timings({ idle: 2_000 });
    await reach("started,stopped");
    // The one that runs takes both, as its hard limit isn't reached, and the other is woken as its soft one is.
    assert.equal((await ask(2)).length, 2);
    await reach("started,started");
    await fly.timings({ idle: 60_000 });
    const began = Date.now();
    const answers = await ask(6);
    assert.ok(
      Date.now() - began >= 2_000,
      "six requests of a second each were answered at once, two machines' four at most",
    );
    assert.deepEqual(new Set(answers.map(({ machine }) => machine)), new Set(ids));
    assert.equal(Math.max(...answers.map(({ peak }) => peak)), 2);
    await fly.timings({ idle: 2_000 });
    await reach("started,stopped");
    await fly.timings({ idle: 60_000 });
    await api.call("DELETE", `/apps/${name}?force=true`);
  });

  it("goes on after a crash of its own: machines run, their ends are told, and addresses stay", async () => {
    const url = await fly.url(app);
    const before = (await machines()).map(({ id, instance_id: version }) => [id, version]);
    await fly.restart();
    await fly.limits({ rateLimits: false });
    const after = await machines();
    assert.deepEqual(
      after.map(({ id, instance_id: version }) => [id, version]),
      before,
    );
    for (const { id } of after) await reach(id, "it isn't healthy any more", isHealthy);
    assert.equal(await fly.url(app), url);
    assert.equal((await visit())["version"], "2");
    const { id } = after[0]!;
    await host.exec(`podman kill --signal KILL platform-${id}`);
    await reach(id, "the end isn't told", ({ events }) => events.some(({ type }) => type === "exit"));
    await reach(id, "it isn't restarted", isHealthy);
  });
});
