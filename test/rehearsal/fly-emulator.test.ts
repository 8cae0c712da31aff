import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { poll, sleep } from "../../rehearsal/host/run";
import { type Fly, type Host, type Site, openSite } from "../../rehearsal/site";
import { loadImage } from "./support/flyImage";

interface Machine {
  readonly id: string;
  readonly state: string;
  readonly instance_id: string;
  readonly region: string;
  readonly checks: readonly { readonly status: string }[];
  readonly events: readonly { readonly type: string; readonly request?: unknown }[];
}

describe("Fly.io on this machine", function () {
  this.timeout(240_000);
  const folder = mkdtempSync(join(tmpdir(), "homeport-fly-"));
  const app = `web-${randomBytes(3).toString("hex")}`;
  const image = "docker.io/test/web:1";
  let site: Site;
  let fly: Fly;
  let host: Host;

  before(async () => {
    site = await openSite({ folder, log: () => undefined });
    fly = await site.fly();
    host = await site.host("fly");
    await fly.limits({ rateLimits: false });
    await loadImage(host, image);
    await call("POST", "/apps", { name: app, org_slug: "personal" });
    await poll(async () => ((await raw("GET", `/apps/${app}`)).ok ? true : undefined), {
      timeoutMs: 5_000,
      failure: () => "the app doesn't appear",
    });
  });
  after(async () => {
    await site.close();
    await assert.rejects(fetch(`${fly.endpoint}/rehearsal/health`), /fetch failed/);
    rmSync(folder, { recursive: true, force: true });
  });

  const raw = (method: string, path: string, body?: unknown): Promise<Response> =>
    fetch(`${fly.endpoint}/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${fly.token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  async function call<T = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await raw(method, path, body);
    const text = await answer.text();
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
    return (text === "" ? undefined : JSON.parse(text)) as T;
  }
  const machines = (): Promise<Machine[]> => call<Machine[]>("GET", `/apps/${app}/machines`);
  const read = (id: string): Promise<Machine> => call<Machine>("GET", `/apps/${app}/machines/${id}`);
  const reach = (id: string, what: string, wanted: (machine: Machine) => boolean): Promise<true> =>
    poll(async () => (wanted(await read(id)) ? true : undefined), {
      timeoutMs: 30_000,
      failure: async () => `${what}: ${JSON.stringify(await read(id))}`,
    });
  const isHealthy = ({ state, checks }: Machine): boolean =>
    state === "started" && checks.length > 0 && checks.every(({ status }) => status === "passing");
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
  async function make(config: object, rest: object = {}): Promise<Machine> {
    const machine = await call<Machine>("POST", `/apps/${app}/machines`, { region: "iad", config, ...rest });
    await sleep(100);
    return machine;
  }
  const logs = async (id: string): Promise<string> => {
    const answer = await fetch(`${fly.endpoint}/api/v1/apps/${app}/logs?instance=${id}`, {
      headers: { authorization: `Bearer ${fly.token}` },
    });
    const { data } = (await answer.json()) as { data: { attributes: { message: string } }[] };
    return data.map(({ attributes }) => attributes.message).join("\n");
  };
  const says = (id: string, wanted: RegExp): Promise<true> =>
    poll(async () => (wanted.test(await logs(id)) ? true : undefined), {
      timeoutMs: 10_000,
      failure: async () => `${id} doesn't log ${wanted.source}: ${await logs(id)}`,
    });
  const visit = async (path = "/"): Promise<Record<string, never>> => {
    const url = await fly.url(app);
    return (await (await fetch(`${url!}${path}`)).json()) as Record<string, never>;
  };
  const inside = async (id: string, code: string): Promise<string> => {
    const command = ["/usr/bin/python3", "-c", code];
    const done = await call<{ exit_code: number; stdout: string; stderr: string }>(
      "POST",
      `/apps/${app}/machines/${id}/exec`,
      { command, timeout: 20 },
    );
    assert.equal(done.exit_code, 0, done.stderr);
    return done.stdout.trim();
  };

  it("runs machines with their secrets, checks and public address", async () => {
    const { version } = await call<{ version: number }>("POST", `/apps/${app}/secrets`, {
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
      const { instance_id: version } = await call<Machine>("POST", `/apps/${app}/machines/${id}`, { config: web("2") });
      await call("GET", `/apps/${app}/machines/${id}/wait?instance_id=${version}&state=started&timeout=30`);
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
    const { id: volume } = await call<{ id: string }>("POST", `/apps/${app}/volumes`, {
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
    await call("DELETE", `/apps/${app}/machines/${first.id}?force=true`);
    await call("GET", `/apps/${app}/machines/${first.id}/wait?state=destroyed&timeout=30`);
    const second = await make({ ...config, env: { VERSION: "second" } });
    await says(second.id, /is listening/);
    assert.equal(await inside(second.id, code), '{"note": ["first", "second"]}');
    await call("DELETE", `/apps/${app}/machines/${second.id}?force=true`);
    await call("GET", `/apps/${app}/machines/${second.id}/wait?state=destroyed&timeout=30`);
    await call("DELETE", `/apps/${app}/volumes/${volume}`);
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
    const shown = await call<{ image_ref: { digest: string } }>("GET", `/apps/${app}/machines/${id}`);
    assert.equal(shown.image_ref.digest, digest);
    await call("DELETE", `/apps/${app}/machines/${id}?force=true`);
    await call("GET", `/apps/${app}/machines/${id}/wait?state=destroyed&timeout=30`);
    const missing = await raw("POST", `/apps/${app}/machines`, { config: { image: `registry.fly.io/${app}:none` } });
    assert.equal(missing.status, 400);
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

  it("sells a Postgres with pgvector, a Redis and a bucket that answer", async () => {
    const wanted = { org_slug: "personal", region: "iad", plan: "basic", name: "db" };
    const { data } = await call<{ data: { id: string } }>("POST", "/postgres", wanted);
    const path = `/postgres/${data.id}`;
    interface Ready {
      readonly data: {
        readonly status: string;
        readonly endpoints: { primary: { pooler: { host: string; port: number } } };
      };
    }
    const cluster = await poll(
      async () => {
        const read = await call<Ready>("GET", path);
        return read.data.status === "ready" ? read.data : undefined;
      },
      { timeoutMs: 20_000, failure: () => "no Postgres" },
    );
    await call("POST", `${path}/databases/fly-db/extensions`, { name: "vector" });
    const { data: login } = await call<{ data: { username: string; password: string } }>(
      "GET",
      `${path}/users/fly-user/credentials`,
    );
    const { host: address, port } = cluster.endpoints.primary.pooler;
    const said = await host.exec(
      `psql -XAt 'postgresql://${login.username}@${address}:${port}/${data.id}_fly_db' -c "CREATE TABLE t (v vector(2)); INSERT INTO t VALUES ('[1,2]'); SELECT v FROM t"`,
    );
    assert.match(said.stderr, /password/, "it wants one");
    const works = await host.exec(
      `IFS= read -r PGPASSWORD; export PGPASSWORD; psql -XAtq 'postgresql://${login.username}@${address}:${port}/${data.id}_fly_db' -c "CREATE TABLE t (v vector(2))" -c "INSERT INTO t VALUES ('[1,2]')" -c "SELECT v FROM t"`,
      { input: `${login.password}\n` },
    );
    assert.equal(works.stdout.trim(), "[1,2]", works.stderr);

    const graphql = async (query: string, variables: unknown): Promise<Record<string, never>> => {
      const answer = await fetch(`${fly.endpoint}/graphql`, {
        method: "POST",
        headers: { authorization: `Bearer ${fly.token}`, "content-type": "application/json" },
        body: JSON.stringify({ query, variables }),
      });
      const { data: got, errors } = (await answer.json()) as { data: Record<string, never>; errors?: unknown };
      assert.equal(errors, undefined, JSON.stringify(errors));
      return got;
    };
    const add = `mutation($input: CreateAddOnInput!) { createAddOn(input: $input) { addOn { publicUrl environment } } }`;
    interface Added {
      readonly addOn: { readonly publicUrl: string; readonly environment: Record<string, string> };
    }
    const redis = (await graphql(add, {
      input: { appId: app, type: "upstash_redis", name: `${app}-redis` },
    })) as unknown as {
      createAddOn: Added;
    };
    const pong = await host.exec('read -r url; redis-cli -u "$url" ping', {
      input: `${redis.createAddOn.addOn.publicUrl}\n`,
    });
    assert.equal(pong.stdout.trim(), "PONG", pong.stderr);
    await graphql(
      `
        mutation ($input: CreateExtensionTosAgreementInput!) {
          createExtensionTosAgreement(input: $input) {
            clientMutationId
          }
        }
      `,
      { input: { addOnProviderName: "tigris" } },
    );
    const bucket = (await graphql(add, {
      input: { appId: app, type: "tigris", name: `${app}-bucket` },
    })) as unknown as {
      createAddOn: Added;
    };
    const { AWS_ENDPOINT_URL_S3: endpoint, BUCKET_NAME: name } = bucket.createAddOn.addOn.environment;
    assert.notEqual((await fetch(`${endpoint!}/${name!}`)).status, 404, "the bucket is there");
  });
});
