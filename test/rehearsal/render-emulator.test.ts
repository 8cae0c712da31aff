import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { poll } from "../../rehearsal/host/run";
import { type Render, type Site, openSite } from "../../rehearsal/site";

const open = /created|queued|in_progress/;

describe("Render on this machine", function () {
  this.timeout(240_000);
  const folder = mkdtempSync(join(tmpdir(), "homeport-render-"));
  const code = join(folder, "code");
  const repo = "https://github.com/acme/hotrod";
  const docker = { runtime: "docker", region: "oregon", plan: "starter" };
  const dockerfile = { dockerContext: ".", dockerfilePath: "./Dockerfile" };
  const secret = "shh 'quoted' \"twice\" $HOME";
  let site: Site;
  let render: Render;
  let web = { id: "", deploy: "" };
  let cron = { id: "", deploy: "" };
  let variables: { key: string; value: string }[] = [];

  before(async () => {
    cpSync(join(__dirname, "../../rehearsal/standins/hotrod"), code, { recursive: true });
    writeFileSync(join(code, "VERSION"), "1\n");
    site = await openSite({ folder: join(folder, "site"), log: () => undefined });
    render = await site.render();
    await render.limits({ rateLimits: false });
    await render.repository("acme/hotrod", code);
  });
  after(async () => {
    await site.close();
    await assert.rejects(fetch(`${render.endpoint}/rehearsal/health`), /fetch failed/);
    rmSync(folder, { recursive: true, force: true });
  });

  async function call<T = Record<string, string>>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await fetch(`${render.endpoint}/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${render.token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
    return (text === "" ? undefined : JSON.parse(text)) as T;
  }
  const make = async (type: string, name: string, details: object, more: object = {}): Promise<typeof web> => {
    const made = await call<{ service: { id: string }; deployId: string }>("POST", "/services", {
      ...{ type, name, ownerId: render.ownerId, repo, branch: "main", autoDeploy: "no", envVars: variables },
      serviceDetails: { ...docker, envSpecificDetails: dockerfile, ...details },
      ...more,
    });
    return { id: made.service.id, deploy: made.deployId };
  };
  const logs = async (id: string): Promise<string> => {
    const query = `ownerId=${render.ownerId}&resource=${id}&direction=forward&limit=100`;
    const found = await call<{ logs: { message: string }[] }>("GET", `/logs?${query}`);
    return found.logs.map(({ message }) => message).join("\n");
  };
  const settle = ({ id, deploy }: typeof web): Promise<string> =>
    poll(
      async () => {
        const { status = "" } = await call("GET", `/services/${id}/deploys/${deploy}`);
        return open.test(status) ? undefined : status;
      },
      { timeoutMs: 120_000, failure: async () => `the deploy doesn't end: ${await logs(id)}` },
    );
  const isLive = async (service: typeof web): Promise<void> => {
    const status = await settle(service);
    assert.equal(status, "live", status === "live" ? "" : await logs(service.id));
  };
  const redeploy = async (body: object = {}): Promise<string> => {
    const { id = "" } = await call("POST", `/services/${web.id}/deploys`, body);
    return settle({ id: web.id, deploy: id });
  };
  const says = (id: string, wanted: RegExp): Promise<true> =>
    poll(async () => (wanted.test(await logs(id)) ? true : undefined), {
      timeoutMs: 20_000,
      failure: async () => `${id} doesn't log ${wanted.source}: ${await logs(id)}`,
    });
  const visit = async <T>(path: string, init: RequestInit = {}): Promise<T> => {
    const answer = await fetch(`${(await render.url("hotrod-web"))!}${path}`, init);
    return (await answer.json()) as T;
  };
  const available = (path: string): Promise<true> =>
    poll(async () => ((await call("GET", path))["status"] === "available" ? true : undefined), {
      timeoutMs: 60_000,
      failure: () => `${path} isn't available`,
    });

  it("sells databases that services reach by their internal addresses", async () => {
    const common = { ownerId: render.ownerId, region: "oregon", ipAllowList: [] };
    const [db, cache] = await Promise.all([
      call("POST", "/postgres", { ...common, name: "hotrod-db", plan: "basic_256mb", version: "17" }),
      call("POST", "/key-value", { ...common, name: "hotrod-redis", plan: "starter", maxmemoryPolicy: "noeviction" }),
    ]);
    await Promise.all([available(`/postgres/${db["id"]!}`), available(`/key-value/${cache["id"]!}`)]);
    const postgres = await call("GET", `/postgres/${db["id"]!}/connection-info`);
    const redis = await call("GET", `/key-value/${cache["id"]!}/connection-info`);
    variables = Object.entries({
      POSTGRES_URL: postgres["internalConnectionString"]!,
      UPSTASH_REDIS_URL: redis["internalConnectionString"]!,
      WEBHOOK_QUEUE_DRIVER: "bullmq",
      SHOPIFY_WEBHOOK_SECRET: secret,
      PORT: "8080",
    }).map(([key, value]) => ({ key, value }));
  });

  it("builds a service of a repository, runs its migration, and shows it once it is healthy", async () => {
    const disk = { name: "data", mountPath: "/data/chroma", sizeGB: 10 };
    const details = { healthCheckPath: "/health", preDeployCommand: "npm run prisma:migrate", disk };
    const files = { secretFiles: [{ name: "hotrod.json", content: '{"a":1}\n' }] };
    web = await make("web_service", "hotrod-web", details, files);
    const dockerCommand = "/bin/sh -c 'npm run ingest && ls -l /data /etc/secrets'";
    cron = await make("cron_job", "hotrod-ingest", {
      schedule: "* * * * *",
      envSpecificDetails: { ...dockerfile, dockerCommand },
    });
    await isLive(web);
    assert.equal((await visit<{ version: string }>("/version")).version, "1");
    await says(web.id, /migration applied/);
  });

  it("runs a worker that works the web service's queue, by private names", async () => {
    const command = { envSpecificDetails: { ...dockerfile, dockerCommand: "/bin/sh -c 'exec npm run worker'" } };
    const worker = await make("background_worker", "hotrod-worker", command);
    await isLive(worker);
    const body = JSON.stringify({ id: 1 });
    const signature = createHmac("sha256", secret).update(body).digest("base64");
    await visit("/webhooks/orders", { method: "POST", body, headers: { "x-shopify-hmac-sha256": signature } });
    await poll(
      async () => ((await visit<{ processed: number }>("/webhooks/jobs")).processed === 1 ? true : undefined),
      { timeoutMs: 20_000, failure: () => logs(worker.id) },
    );
  });

  it("runs a cron job at its minute and a one-off job, neither with the disk", async () => {
    await isLive(cron);
    const job = await call("POST", `/services/${web.id}/jobs`, {
      startCommand: "/bin/sh -c 'ls /data/chroma || cat /etc/secrets/hotrod.json'",
    });
    await says(web.id, /\{"a":1\}/);
    await poll(
      async () =>
        (await call("GET", `/services/${web.id}/jobs/${job["id"]!}`))["status"] === "succeeded" ? true : undefined,
      { timeoutMs: 20_000, failure: () => logs(web.id) },
    );
    await poll(async () => (/ingest completed/.test(await logs(cron.id)) ? true : undefined), {
      timeoutMs: 75_000,
      failure: async () => `the cron job hasn't run: ${await logs(cron.id)}`,
    });
  });

  it("deploys a new commit, keeps the disk, and leaves what runs where a build or a version fails", async () => {
    const [first] = await call<{ deploy: { id: string } }[]>("GET", `/services/${web.id}/deploys?limit=1`);
    writeFileSync(join(code, "VERSION"), "2\n");
    const second = await render.repository("acme/hotrod", code);
    assert.equal(await redeploy({ commitId: second }), "live");
    assert.equal((await visit<{ version: string }>("/version")).version, "2");
    writeFileSync(join(code, "FAULT"), "health");
    await render.repository("acme/hotrod", code);
    writeFileSync(join(code, "Dockerfile"), "FROM nowhere.example.com/none\n");
    await render.repository("acme/hotrod", code);
    assert.equal(await redeploy(), "build_failed");
    assert.equal((await visit<{ version: string }>("/version")).version, "2");
    const back = await call("POST", `/services/${web.id}/rollback`, { deployId: first!.deploy.id });
    assert.equal(await settle({ id: web.id, deploy: back["id"]! }), "live");
    assert.equal((await visit<{ version: string }>("/version")).version, "1");
  });

  it("goes on after a crash of its own", async () => {
    await render.restart();
    assert.equal((await visit<{ version: string }>("/version")).version, "1");
    assert.equal((await visit<{ processed: number }>("/webhooks/jobs")).processed, 1);
  });
});
