import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PaperBehaviour } from "../../../rehearsal/platform/paper";
import type { Container } from "../../../rehearsal/platform/runtime";
import { clausea, clauseaServices as all, RailwayBench, standIn } from "./bench";
import { planOf } from "./plans";

/** A container of that service that never answers: nobody listens at port 1. */
const failing =
  (service: string) =>
  (container: Container): PaperBehaviour =>
    container.env.RAILWAY_SERVICE_NAME === service
      ? {
          listens: { [Number(container.env.PORT)]: { host: "127.0.0.1", port: 1 } },
          logs: ["starts", "can't find module"],
        }
      : {};

/** The emulator was written from Railway's contract by somebody else: what it refuses, Railway would refuse. */
describe("Railway deploys against the emulator", () => {
  let bench: RailwayBench;
  let repository: string;
  const folders: string[] = [];

  beforeEach(async () => {
    bench = await RailwayBench.open();
    repository = await bench.push();
  });
  afterEach(async () => {
    await bench.close();
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  });

  const plan = async (changes: Parameters<typeof planOf>[1] = {}) => bench.at(await planOf(repository, changes));
  /** Pushes another version of the stand-in. */
  const pushVersion = async (version: string): Promise<void> => {
    const folder = mkdtempSync(join(tmpdir(), "homeport-version-"));
    folders.push(folder);
    cpSync(standIn, folder, { recursive: true });
    writeFileSync(join(folder, "apps/backend/VERSION"), `${version}\n`);
    await bench.push(folder);
  };

  it("makes clausea, and changes nothing the second time", async () => {
    const made = await bench.up(await plan());
    assert.deepEqual(bench.objects(), clausea);
    assert.deepEqual(bench.serving(), all);
    assert.match(made.services.dashboard?.url ?? "", /^https:\/\/.+\.up\.railway\.app$/);
    const before = bench.count;
    const again = await bench.up(await plan());
    assert.deepEqual(again.changes, []);
    assert.deepEqual(bench.callsAfter(before, true), []);
    assert.deepEqual(again.services, made.services);
  });

  it("deploys a new version with few requests, and what hasn't changed not at all", async () => {
    await bench.up(await plan());
    await pushVersion("2");
    const before = bench.count;
    const result = await bench.up(await plan());
    assert.ok(result.calls <= 25, `${result.calls} requests`);
    assert.deepEqual(bench.callsAfter(before, true), [
      "serviceInstanceDeployV2",
      // Each is written down before the next is started.
      "variableCollectionUpsert",
      "serviceInstanceDeployV2",
      "variableCollectionUpsert",
      "variableCollectionUpsert",
    ]);
    assert.deepEqual(bench.serving(), all);
    assert.deepEqual(bench.objects(), clausea);
  });

  it("sets variables without a deploy each, and deploys the services that have them", async () => {
    await bench.up(await plan());
    const before = bench.count;
    const password = { value: "marker-another-password", secret: true };
    const result = await bench.up(await plan({ "clausea:STREAMLIT_DASHBOARD_PASSWORD": password }));
    assert.deepEqual(result.changes, ["dashboard: 10 variables are set", "dashboard: is deployed"]);
    assert.equal(bench.callsAfter(before, true).filter((call) => call === "serviceInstanceDeployV2").length, 1);
    assert.ok(!bench.lines.join("\n").includes(password.value));
  });

  it("deploys those that refer to another one's variables when these change", async () => {
    const spec = await plan();
    await bench.up(spec);
    const services = spec.services.map((service) =>
      service.name === "redis"
        ? { ...service, variables: { ...service.variables, REDIS_PASSWORD: "n".repeat(32) } }
        : service,
    );
    const result = await bench.up({ ...spec, services });
    assert.deepEqual(
      result.changes.filter((change) => change.endsWith("is deployed")),
      ["redis: is deployed", "api: is deployed", "dashboard: is deployed"],
    );
  });

  it("leaves the version before running when a new one fails, and shows its last lines", async () => {
    await bench.up(await plan());
    const ran = bench.deployments();
    await pushVersion("2");
    bench.behaviour(failing("dashboard"));
    await assert.rejects(bench.up(await plan()), (error: Error) => {
      assert.match(error.message, /dashboard didn't get healthy; .*api.* back at the version before/);
      assert.match(error.message, /health check didn't answer in time; its last line: /);
      assert.match(error.message, /where: environment dev of Railway project clausea/);
      return true;
    });
    assert.ok(bench.lines.includes("dashboard | can't find module"), bench.lines.join("\n"));
    bench.behaviour(() => ({}));
    const serving = bench.deployments();
    for (const service of all) assert.equal(serving[service]?.version, ran[service]?.version, service);
    // What was put back by hand isn't taken for the new version.
    await bench.up(await plan());
    assert.notEqual(bench.deployments().api?.version, ran.api?.version);
    assert.deepEqual(bench.objects(), clausea);
    assert.deepEqual(bench.serving(), all);
  });

  it("tells of a first version that fails, and gets there with the next", async () => {
    bench.behaviour(failing("api"));
    await assert.rejects(bench.up(await plan()), /api didn't get healthy\.\n/);
    assert.ok(bench.lines.includes("api | can't find module"), bench.lines.join("\n"));
    bench.behaviour(() => ({}));
    await bench.up(await plan());
    assert.deepEqual(bench.objects(), clausea);
    assert.deepEqual(bench.serving(), all);
  });

  it("takes the app away and keeps its data, which comes back with it", async () => {
    await bench.up(await plan());
    await bench.destroy(await plan());
    assert.deepEqual(bench.objects(), ["environment dev", "project clausea", "volume of nobody at /data"]);
    await bench.up(await plan());
    assert.deepEqual(bench.objects(), clausea);
    await bench.destroy({ ...(await plan()), onDelete: "delete data" });
    assert.deepEqual(bench.objects(), ["environment dev", "project clausea"]);
    await bench.destroy(await plan());
  });

  it("keeps a service of one stack out of another's environment", async () => {
    const prod = { ...(await plan()), environment: "prod", id: "clausea-prod" };
    await bench.up(prod);
    const spec = await plan();
    const services = spec.services.map((service) => (service.name === "api" ? { ...service, name: "trial" } : service));
    await bench.up({ ...spec, services: [...spec.services, ...services.filter(({ name }) => name === "trial")] });
    const instances = bench.objects().filter((line) => line.startsWith("instance"));
    assert.deepEqual(instances, [
      "instance api in dev",
      "instance api in prod",
      "instance dashboard in dev",
      "instance dashboard in prod",
      "instance redis in dev",
      "instance redis in prod",
      "instance trial in dev",
    ]);
    // What is declared no longer goes from this environment alone.
    await bench.up({ ...spec, services: spec.services.filter(({ name }) => name !== "dashboard") });
    assert.ok(!bench.objects().includes("instance dashboard in dev"));
    assert.ok(!bench.objects().includes("service trial"));
    assert.ok(bench.objects().includes("instance dashboard in prod"));
  });
});
