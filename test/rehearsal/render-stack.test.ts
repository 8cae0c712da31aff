import assert from "node:assert/strict";
import { createHmac, randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onRender, renderRepository as repository, standIns } from "../../rehearsal/fiveApps";
import { run, type RunResult } from "../../rehearsal/host/run";
import { openSite, type Render, type Site } from "../../rehearsal/site";
import { RehearsedStack, type RehearsedValue } from "../../rehearsal/stack";
import { ArgvWatch } from "./support/argvWatch";
import { eventually, factsOf, jsonOf, statusOf } from "./support/http";
import { placeSsh } from "./support/ssh";
import { call, copyStandIn, progress, succeeded, type Call } from "./support/world";

describe("hotrod of the development stack on Render, by the real engine", function () {
  this.timeout(600_000);
  const folder = mkdtempSync(join(tmpdir(), "homeport-render-"));
  const code = join(folder, "code");
  let programs: string;
  let site: Site;
  let render: Render;
  let stack: RehearsedStack;
  let values: Record<string, RehearsedValue>;
  let first: Call;
  let seen: Awaited<ReturnType<ArgvWatch["stop"]>>;

  before(async () => {
    site = await openSite({ log: progress });
    const [opened, s3] = await Promise.all([site.render(), site.s3()]);
    render = opened;
    copyStandIn("hotrod", code);
    programs = placeSsh(folder, render.endpoint);
    await render.repository(repository, code);
    stack = await RehearsedStack.open({ folder: join(folder, "stack"), stack: "dev", log: progress });
    values = {
      ...standIns(s3, site.gateway),
      "homeport:apps": { json: ["hotrod"] },
      ...onRender(render),
      // In development the web process works its own jobs; here the worker is to be seen working.
      "hotrod:WEBHOOK_QUEUE_DRIVER": "bullmq",
    };
    await stack.configure(values);
    const watch = await ArgvWatch.start();
    first = succeeded(await call(() => stack.up()));
    seen = await watch.stop();
    progress(`the first \`up\` took ${first.seconds.toFixed(0)} s`);
  });
  after(async () => {
    rmSync(folder, { recursive: true, force: true });
    await site.close();
  });

  const up = async (): Promise<Call> => succeeded(await call(() => stack.up()));
  const url = async (path = ""): Promise<string> => {
    const origin = await render.url("dashboard-remix");
    assert.ok(origin !== undefined, "the web service has no address");
    return origin + path;
  };
  const changing = async (after: number): Promise<string[]> =>
    (await render.calls(after)).filter(({ changes }) => changes).map(({ method, path }) => `${method} ${path}`);
  const last = async (): Promise<number> => (await render.calls()).at(-1)?.number ?? 0;
  const push = async (file: string, text: string | undefined): Promise<void> => {
    if (text === undefined) rmSync(join(code, file));
    else writeFileSync(join(code, file), text);
    await render.repository(repository, code);
  };
  const homeport = (...args: readonly string[]): Promise<RunResult> => {
    const { env, cwd } = stack.command([]);
    const path = `${programs}:${env.PATH ?? ""}`;
    const [verb = "", ...rest] = args;
    return run([join(__dirname, "../../bin/homeport"), verb, "--stack", "dev", ...rest], {
      cwd,
      env: { ...env, PATH: path },
    });
  };
  const domains = async (): Promise<string[]> => {
    const get = async <T>(path: string): Promise<T> => {
      const headers = { authorization: `Bearer ${render.token}` };
      return (await (await fetch(`${render.endpoint}/v1${path}`, { headers })).json()) as T;
    };
    const [web] = await get<{ service: { id: string } }[]>("/services?name=dashboard-remix");
    const all = await get<{ customDomain: { name: string } }[]>(`/services/${web!.service.id}/custom-domains`);
    return all.map(({ customDomain }) => customDomain.name);
  };
  const secretOf = (key: string): string => {
    const value = values[key];
    assert.ok(typeof value === "object" && "secret" in value, key);
    return value.secret;
  };

  it("comes up at the address that the stack says, and tells where", async () => {
    assert.equal(await statusOf(await url("/health")), 200);
    const { hotrod } = await stack.outputs<{ hotrod: { health: object; dashboards: object } }>();
    assert.deepEqual(hotrod.health, { web: "https://dashboard-remix.onrender.com/health" });
    assert.deepEqual(Object.keys(hotrod.dashboards).sort(), ["web", "worker"]);
  });

  it("passes a signed webhook through Key Value to the worker and into Postgres, whose migration has run", async () => {
    const body = JSON.stringify({ id: 1, note: "a test's order" });
    const signature = createHmac("sha256", secretOf("hotrod:SHOPIFY_WEBHOOK_SECRET")).update(body).digest("base64");
    const answer = await fetch(await url("/webhooks/orders"), {
      method: "POST",
      body,
      headers: { "x-shopify-hmac-sha256": signature, "x-shopify-webhook-id": randomUUID(), connection: "close" },
    });
    assert.equal(answer.status, 202, await answer.text());
    await eventually("the job is processed", 20, async () => {
      const { processed } = await jsonOf<{ processed: number }>(await url("/webhooks/jobs"));
      return processed === 1;
    });
  });

  it("shows secrets to nobody", async () => {
    const { stdout: state } = await stack.pulumi(["stack", "export"]);
    for (const key of ["render:apiKey", "hotrod:OPENAI_API_KEY"]) {
      const secret = secretOf(key);
      assert.ok(!state.includes(secret), `the state holds ${key} as plain text`);
      assert.ok(!first.output.includes(secret), `\`up\` prints ${key}`);
      assert.deepEqual(
        seen.commandLines.filter((line) => line.includes(secret)),
        [],
      );
    }
    assert.ok(readFileSync(stack.configFile, "utf8").includes("secure:"));
  });

  it("changes nothing on a second `up`", async () => {
    const before = await last();
    const { counts } = await up();
    assert.deepEqual(counts, { unchanged: first.counts["created"] });
    assert.deepEqual(await render.calls(before), []);
  });

  it("tells how all is, and when jobs run next", async () => {
    const told = await homeport("status", "hotrod", "--json");
    const { apps: [status] = [] } = JSON.parse(told.stdout) as {
      apps?: { services: { name: string; health: string }[]; schedules: { name: string; next: string }[] }[];
    };
    const health = Object.fromEntries((status?.services ?? []).map((one) => [one.name, one.health]));
    assert.deepEqual(health, { web: "healthy", worker: "none" });
    const next = Object.fromEntries((status?.schedules ?? []).map((one) => [one.name, one.next.slice(11, 16)]));
    assert.deepEqual(next, { ingest: "02:00", "export-embeddings": "03:00" });
    const logs = await homeport("logs", "hotrod", "web");
    assert.match(logs.stdout, /migration applied/);
    assert.match(logs.stdout, /listening/);
  });

  it("runs a job and a command beside its service, with the environment and folder of that", async () => {
    const job = await homeport("run", "hotrod", "ingest");
    assert.equal(job.code, 0, job.stdout + job.stderr);
    assert.match(job.stdout, /ingest completed/);
    const { stdout } = await homeport("exec", "hotrod", "web", "--", "sh", "-c", "pwd; echo $WEBHOOK_QUEUE_DRIVER");
    assert.match(stdout, /^\/app\nbullmq$/m);
    const none = await homeport("exec", "hotrod", "web", "--", "sh", "-c", "exit 7");
    assert.equal(none.code, 7, none.stderr);
  });

  it("tells how full its disk is, and restores a snapshot of it", async () => {
    const onDisk = async (line: string): Promise<string> => {
      const done = await homeport("exec", "hotrod", "web", "--", "sh", "-c", `cd /data/chroma && ${line}`);
      assert.equal(done.code, 0, done.stdout + done.stderr);
      return done.stdout;
    };
    await onDisk("echo kept >note && dd if=/dev/zero of=more bs=1M count=20 2>/dev/null");
    const status = await homeport("status", "hotrod");
    assert.match(status.stdout, /web_disk \(\/data\/chroma\) +9\.3 GiB +9\.3 GiB +0 %/);
    await render.snapshots();
    await onDisk("echo lost >note && rm more");
    const listed = await homeport("backups", "hotrod", "web_disk");
    assert.match(listed.stdout, /web_disk +place .* - +20\d\d-\d\d-\d\dT/);
    const unasked = await homeport("restore", "hotrod", "web_disk", "latest");
    assert.match(unasked.stderr, /All that was written since then is lost for good/);
    assert.equal(await onDisk("cat note"), "lost\n");
    const restored = await homeport("restore", "hotrod", "web_disk", "latest", "--yes");
    assert.equal(restored.code, 0, restored.stdout + restored.stderr);
    assert.equal(await onDisk("cat note && ls more"), "kept\nmore\n");
    assert.equal(await statusOf(await url("/health")), 200);
  });

  it("deploys a new commit, and keeps what runs where the next one doesn't get healthy", async () => {
    await push("VERSION", "two\n");
    await stack.configure({ "hotrod:domain": "shop.example.com" });
    const { counts } = await up();
    assert.equal(counts["updated"], 1);
    assert.deepEqual(await domains(), ["shop.example.com"]);
    assert.equal((await factsOf(await url())).version, "two");
    await push("FAULT", "release\n");
    const failed = await call(() => stack.up());
    assert.notEqual(failed.code, 0);
    assert.match(failed.output, /dashboard-remix doesn't get live: pre deploy failed/);
    assert.match(failed.output, /FAULT release: the migration fails/);
    assert.equal((await factsOf(await url())).version, "two");
    await push("FAULT", undefined);
    await stack.configure({ "hotrod:domain": undefined });
    await up();
    assert.deepEqual(await domains(), [], "a domain that isn't declared any more stays");
    assert.equal((await factsOf(await url())).version, "two");
  });

  it("is destroyed: the worker goes, the disk and the databases stay", async () => {
    const before = await last();
    const destroyed = await stack.destroy();
    assert.equal(destroyed.code, 0, destroyed.stdout + destroyed.stderr);
    const calls = (await changing(before)).map((line) => line.replace(/(srv)-\w+/, "$1"));
    assert.deepEqual(calls.sort(), ["DELETE /v1/services/srv", "POST /v1/services/srv/suspend"]);
  });

  it("comes back with its data", async () => {
    await up();
    assert.equal(await statusOf(await url("/health")), 200);
    const { stdout } = await homeport("exec", "hotrod", "web", "--", "cat", "/data/chroma/note");
    assert.equal(stdout, "kept\n");
    const { processed } = await jsonOf<{ processed: number }>(await url("/webhooks/jobs"));
    assert.equal(processed, 1);
  });
});
