import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Container } from "../../../rehearsal/platform/runtime";
import { RailwayOperations } from "../../../targets/railway/operations";
import type { RailwaySpec } from "../../../targets/railway/plan";
import { clauseaServices as all, RailwayBench, standIn } from "./bench";
import { planOf, resolveOnRailway } from "./plans";

/** What becomes of the other services where one can't be deployed, or where Railway refuses to undo. */
describe("undoing a version on Railway", () => {
  let bench: RailwayBench;
  let folder: string;
  let repository: string;

  beforeEach(async () => {
    bench = await RailwayBench.open();
    folder = mkdtempSync(join(tmpdir(), "homeport-version-"));
    cpSync(standIn, folder, { recursive: true });
    repository = await bench.push(folder);
  });
  afterEach(async () => {
    await bench.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const plan = async (): Promise<RailwaySpec> => bench.at(await planOf(repository));
  const pushVersion = async (version: string): Promise<void> => {
    writeFileSync(join(folder, "apps/backend/VERSION"), `${version}\n`);
    await bench.push(folder);
  };
  const faults = () => bench.railway.world.faults;
  const withRedisPassword = (spec: RailwaySpec, password: string): RailwaySpec => ({
    ...spec,
    services: spec.services.map((service) =>
      service.name === "redis"
        ? { ...service, variables: { ...service.variables, REDIS_PASSWORD: password } }
        : service,
    ),
  });
  const redisPassword = (): string | undefined => {
    const { deployments, services } = bench.railway.world.state;
    const runs = Object.values(deployments).filter(({ status }) => status === "SUCCESS");
    return runs.find(({ serviceId }) => services[serviceId]?.name === "redis")?.variables.REDIS_PASSWORD;
  };
  const operations = async (): Promise<RailwayOperations> => {
    const { apps, settings } = await resolveOnRailway(repository);
    const [app] = apps;
    assert.ok(app !== undefined);
    return new RailwayOperations(
      app,
      { ...settings, url: bench.railway.endpoint, apiToken: bench.railway.token },
      bench.world,
    );
  };
  const sick =
    (name: string) =>
    ({ env }: Container) =>
      env.RAILWAY_SERVICE_NAME === name ? { listens: { [Number(env.PORT)]: { host: "127.0.0.1", port: 1 } } } : {};
  const versions = (): Record<string, string | undefined> =>
    Object.fromEntries(Object.entries(bench.deployments()).map(([name, { version }]) => [name, version]));
  /** The next deploy gets everything to what is declared. */
  const recovers = async (): Promise<void> => {
    faults().clear();
    bench.behaviour(() => ({}));
    await bench.up(await plan());
    assert.deepEqual(bench.serving(), all);
    assert.deepEqual((await bench.up(await plan())).changes, []);
  };

  it("takes back what was started where the next one can't be, and tells what Railway said", async () => {
    await bench.up(await plan());
    const ran = versions();
    await pushVersion("2");
    faults().add({ kind: "status", path: "serviceInstanceDeployV2", after: 1, count: 99, status: 400 });
    await assert.rejects(
      bench.up(await plan()),
      /dashboard couldn't be deployed; api is back at the version before\. The platform refused a call \(status 400\)/,
    );
    assert.deepEqual(versions(), ran);
    await recovers();
    assert.notEqual(versions().api, ran.api);
  });

  it("says what failed although nothing can be cancelled, and brings back what got healthy meanwhile", async () => {
    await bench.up(await plan());
    const ran = versions();
    await pushVersion("2");
    faults().add({ kind: "buildFailure", path: "^dashboard/" });
    faults().add({ kind: "status", path: "deploymentCancel", count: 99, status: 400 });
    Object.assign(bench.railway.world.timings, { deploy: 600 });
    await assert.rejects(bench.up(await plan()), /dashboard didn't get healthy; .*api.* back at the version before/);
    Object.assign(bench.railway.world.timings, { deploy: 10 });
    assert.ok(bench.lines.some((line) => /^api: its deploy can't be cancelled/.test(line)));
    assert.deepEqual(versions(), ran);
    await recovers();
  });

  it("brings the others back where one can't be, names that one, and writes down what it did", async () => {
    await bench.up(await plan());
    await bench.up(withRedisPassword(await plan(), "n".repeat(32)));
    await pushVersion("2");
    bench.behaviour(sick("dashboard"));
    faults().add({ kind: "status", path: "deploymentRollback", count: 1, status: 400 });
    const spec = await plan();
    await assert.rejects(bench.up(spec), (error: Error) => {
      assert.match(
        error.message,
        /dashboard didn't get healthy; .*back at the version before, redis is not: railway\.com shows/,
      );
      assert.match(error.message, /health check/);
      return true;
    });
    const [environment] = Object.values(bench.railway.world.state.environments);
    const state = JSON.parse(environment?.sharedVariables["HOMEPORT"]?.value ?? "{}") as {
      services: Record<string, { pending?: unknown }>;
      deploying?: unknown;
    };
    for (const name of all) assert.equal(state.services[name]?.pending, undefined, name);
    assert.equal(state.deploying, undefined);
    await recovers();
  });

  it("rolls back what the last deploy has changed, and no database that it left alone", async () => {
    await bench.up(withRedisPassword(await plan(), "o".repeat(32)));
    await bench.up(withRedisPassword(await plan(), "n".repeat(32)));
    await pushVersion("2");
    await bench.up(withRedisPassword(await plan(), "n".repeat(32)));
    await pushVersion("3");
    await bench.up(withRedisPassword(await plan(), "n".repeat(32)));
    const changes = await (await operations()).rollback(() => undefined);
    assert.deepEqual(changes, ["api: goes back to the version before", "dashboard: goes back to the version before"]);
    assert.equal(redisPassword(), "n".repeat(32));
  });

  it("rolls a database back where the last deploy has changed it", async () => {
    await bench.up(withRedisPassword(await plan(), "o".repeat(32)));
    await bench.up(withRedisPassword(await plan(), "n".repeat(32)));
    await (await operations()).rollback(() => undefined);
    assert.equal(redisPassword(), "o".repeat(32));
  });

  it("counts what a run that was cut off has deployed to the version that the next one finishes", async () => {
    await bench.up(withRedisPassword(await plan(), "o".repeat(32)));
    const isApi = Object.entries(bench.railway.world.state.services).find(([, { name }]) => name === "api")?.[0] ?? "";
    bench.killAfter = ({ operationName, variables }) =>
      operationName === "Deploy" && JSON.stringify(variables).includes(isApi);
    await assert.rejects(bench.up(withRedisPassword(await plan(), "n".repeat(32))));
    bench.killAfter = undefined;
    await assert.rejects(
      (await operations()).rollback(() => undefined),
      /cut off[\s\S]*pulumi up/,
    );
    await bench.up(withRedisPassword(await plan(), "n".repeat(32)));
    await (await operations()).rollback(() => undefined);
    assert.equal(redisPassword(), "o".repeat(32));
  });

  it("rolls the others back where Railway refuses it of one, and says of which", async () => {
    await bench.up(await plan());
    await pushVersion("2");
    await bench.up(await plan());
    const second = versions();
    faults().add({ kind: "status", path: "deploymentRollback", count: 1, status: 400 });
    await assert.rejects(
      (await operations()).rollback(() => undefined),
      /The version before of api doesn't run[\s\S]*status 400/,
    );
    assert.equal(versions().api, second.api);
    assert.notEqual(versions().dashboard, second.dashboard);
    await recovers();
  });
});
