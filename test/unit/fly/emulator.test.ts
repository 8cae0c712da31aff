import assert from "node:assert/strict";
import { PaperRuntime, type PaperBehaviour } from "../../../rehearsal/platform/paper";
import { realWorld, type World } from "../../../drivers/http";
import { deploy, remove } from "../../../targets/fly/driver";
import type { FlySpec } from "../../../targets/fly/plan";
import { openBench, type Bench } from "../rehearsal/flySupport";
import { planOf } from "./plans";

/** Where nothing is said to listen on paper, checks pass; a release command ends by itself. */
const behaviour = ({ image, env }: { image: string; env: Readonly<Record<string, string>> }): PaperBehaviour => {
  if (env.RELEASE_COMMAND === "1")
    return { exit: { code: image.includes("sha256:9") ? 1 : 0, afterMs: 20 }, logs: ["migrates"] };
  // Nobody listens at port 1.
  const listens = { 8080: { host: "127.0.0.1", port: 1 } };
  return image.includes("sha256:8") ? { listens, logs: ["can't find module"] } : {};
};

/** The emulator that was written from Fly's contract by somebody else: what it refuses, Fly would refuse. */
describe("Fly deploys against the emulator", () => {
  let bench: Bench;
  const lines: string[] = [];
  /** Waits pass in a twentieth of their time; the emulator's own are short in this bench. */
  const began = Date.now();
  const world: World = {
    ...realWorld,
    now: () => began + (Date.now() - began) * 20,
    sleep: (ms, signal) => realWorld.sleep(ms / 20, signal),
  };
  const io = { progress: (line: string) => void lines.push(line), signal: new AbortController().signal };

  beforeEach(async () => {
    lines.length = 0;
    bench = await openBench({ runtime: new PaperRuntime(behaviour) });
  });
  afterEach(() => bench.close());

  const specOf = async (name: string, version: string): Promise<FlySpec> => {
    const spec = await planOf(name, version);
    const { endpoint, token } = bench.fly;
    const connection = { machinesUrl: endpoint, apiUrl: endpoint, org: "personal", token };
    return { ...spec, connection, propagationSeconds: 0 };
  };
  const images = async (app: string): Promise<string[]> => {
    const machines = (await bench.call("GET", `/apps/${app}/machines`)).body as unknown as {
      config: { image: string; metadata: Record<string, string> };
    }[];
    return machines
      .map(({ config }) => `${config.metadata.fly_process_group ?? ""} ${config.image.slice(-64, -60)}`)
      .sort();
  };
  /** What `fly releases` and `fly status` read. */
  const releases = async (app: string): Promise<string[]> => {
    const headers = { authorization: `Bearer ${bench.fly.token}`, "content-type": "application/json" };
    const listed = await fetch(`${bench.fly.endpoint}/api/v1/apps/${app}/releases`, { headers });
    const { releases: all } = (await listed.json()) as { releases: { version: number; status: string }[] };
    const query = `{ app(name: "${app}") { currentReleaseUnprocessed { version configDefinition } } }`;
    const body = JSON.stringify({ query });
    const answer = await fetch(`${bench.fly.endpoint}/graphql`, { method: "POST", headers, body });
    const { data } = (await answer.json()) as {
      data: { app: { currentReleaseUnprocessed: { version: number; configDefinition: { app: string } } } };
    };
    assert.equal(data.app.currentReleaseUnprocessed.version, all[0]?.version);
    assert.equal(data.app.currentReleaseUnprocessed.configDefinition.app, app);
    return all.map(({ version, status }) => `v${version} ${status}`);
  };
  const changingCalls = async (after: number): Promise<string[]> => {
    const calls = (await bench.control("GET", `calls?after=${after}`)) as { method: string; path: string }[];
    return calls.filter(({ method }) => method !== "GET").map(({ method, path }) => `${method} ${path}`);
  };
  const count = async (): Promise<number> => ((await bench.control("GET", "calls")) as unknown[]).length;

  it("makes hotrod, changes nothing the second time, brings a new version, and takes it all away", async () => {
    const first = await deploy(await specOf("hotrod", "1"), io, world);
    assert.deepEqual(await images("hotrod-dev"), ["web 1000", "web 1000", "worker 1000"]);
    assert.equal(first.apps["hotrod-dev"]?.volumes.length, 2);
    const made = await count();
    const second = await deploy(await specOf("hotrod", "1"), io, world);
    assert.deepEqual(second.changes, []);
    assert.deepEqual(await changingCalls(made), []);
    await deploy(await specOf("hotrod", "2"), io, world);
    assert.deepEqual(await images("hotrod-dev"), ["web 2000", "web 2000", "worker 2000"]);
    assert.deepEqual(await releases("hotrod-dev"), ["v2 complete", "v1 complete"]);
    await remove({ ...(await specOf("hotrod", "2")), onDelete: "delete data" }, io, world);
    assert.equal((await bench.call("GET", "/apps/hotrod-dev")).status, 404);
  });

  it("goes back when the release command or the new version fails", async () => {
    await deploy(await specOf("hotrod", "1"), io, world);
    await assert.rejects(deploy(await specOf("hotrod", "9"), io, world), /release command failed/);
    await assert.rejects(deploy(await specOf("hotrod", "8"), io, world), /isn't healthy[\s\S]*can't find module/);
    assert.deepEqual(await images("hotrod-dev"), ["web 1000", "web 1000", "worker 1000"]);
    assert.deepEqual(await releases("hotrod-dev"), ["v3 failed", "v2 failed", "v1 complete"]);
  });

  it("gets through answers that are lost after the platform acted", async () => {
    for (const path of [
      "/v1/apps",
      "/v1/apps/hotrod-dev/machines",
      "/v1/apps/hotrod-dev/volumes",
      "/v1/postgres",
      "/v1/apps/hotrod-dev/ip_assignments",
    ]) {
      await bench.control("POST", "faults", { method: "POST", path, kind: "lost", count: 1 });
    }
    const result = await deploy(await specOf("hotrod", "1"), io, world);
    assert.deepEqual(await images("hotrod-dev"), ["web 1000", "web 1000", "worker 1000"]);
    assert.equal(result.apps["hotrod-dev"]?.volumes.length, 2);
    assert.equal(result.apps["hotrod-dev"].ips.length, 2);
    const { data } = (await bench.call("GET", "/postgres?org_slug=personal")).body as unknown as { data: unknown[] };
    assert.equal(data.length, 1);
  });
});
