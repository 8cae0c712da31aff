import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { RailwaySpec } from "../../../targets/railway/plan";
import { clausea, clauseaServices as all, RailwayBench } from "./bench";
import { planOf } from "./plans";

/** Milliseconds of the emulator until lists show what was made: ten seconds of the driver's. */
const slow = 200;

/** Railway takes two services, volumes or buckets of one name: taking the wrong one is taking another one's data. */
describe("things of one name on Railway", () => {
  let bench: RailwayBench;
  let spec: RailwaySpec;
  const open = async (options: Parameters<typeof RailwayBench.open>[0] = {}): Promise<void> => {
    bench = await RailwayBench.open(options);
    spec = bench.at(await planOf(await bench.push()));
  };
  afterEach(() => bench.close());

  const state = () => bench.railway.world.state;
  const ask = async (query: string, variables: unknown): Promise<void> => {
    const answer = await fetch(bench.railway.endpoint, {
      method: "POST",
      headers: { authorization: `Bearer ${bench.railway.token}`, "content-type": "application/json" },
      body: JSON.stringify({ query, variables }),
    });
    const { errors } = (await answer.json()) as { errors?: unknown };
    assert.equal(errors, undefined, JSON.stringify(errors));
  };
  /** A service that somebody makes by hand. */
  const makeService = (name: string) => {
    const [projectId] = Object.keys(state().projects);
    const [environmentId] = Object.keys(state().environments);
    const input = { projectId, environmentId, name };
    return ask("mutation($input: ServiceCreateInput!) { serviceCreate(input: $input) { id } }", { input });
  };
  const idOf = (name: string): string =>
    Object.values(state().services).find((service) => service.name === name)?.id ?? "";
  const changed = (name: string): RailwaySpec => ({
    ...spec,
    services: spec.services.map((service) =>
      service.name === name ? { ...service, variables: { ...service.variables, MORE: "1" } } : service,
    ),
  });
  const refused = async (wanted: RailwaySpec, message: RegExp): Promise<void> => {
    const before = bench.count;
    await assert.rejects(bench.up(wanted), message);
    assert.deepEqual(bench.callsAfter(before, true), []);
  };
  /** Kills a deploy right after the call that makes one of these. */
  const killAfter = async (operation: string, of: string): Promise<void> => {
    bench.killAfter = ({ operationName, variables }) =>
      operationName === operation && JSON.stringify(variables).includes(of);
    await assert.rejects(bench.up(spec));
    bench.killAfter = undefined;
  };

  it("leaves a second service alone that somebody has made, and stays with its own", async () => {
    await open();
    await bench.up(spec);
    const own = idOf("redis");
    await makeService("redis");
    const { changes } = await bench.up(changed("api"));
    assert.deepEqual(changes, ["api: 9 variables are set", "api: is deployed"]);
    const [volume] = Object.values(state().volumeInstances);
    assert.equal(volume?.serviceId, own);
    assert.equal(Object.keys(state().volumeInstances).length, 1);
    await bench.destroy(spec);
    assert.ok(bench.objects().includes("service redis"), "somebody else's service is gone");
  });

  it("refuses to choose between two that aren't written down, but for the one that the environment has", async () => {
    await open();
    await bench.up(spec);
    const [environment] = Object.values(state().environments);
    assert.ok(environment !== undefined);
    environment.sharedVariables = {};
    await makeService("redis");
    await refused({ ...spec, adopt: true }, /There are 2 services called redis: .*rename or delete those/s);
    const own = idOf("redis");
    for (const [key, instance] of Object.entries(state().instances)) {
      const isSecond = state().services[instance.serviceId]?.name === "redis" && instance.serviceId !== own;
      if (isSecond) Reflect.deleteProperty(state().instances, key);
    }
    const { services } = await bench.up({ ...spec, adopt: true });
    assert.equal(services.redis?.id, own);
  });

  it("refuses where its own service was renamed, as a new one would have no data", async () => {
    await open();
    await bench.up(spec);
    const redis = state().services[idOf("redis")];
    assert.ok(redis !== undefined);
    redis.name = "cache";
    await refused(changed("api"), /The app's redis is called cache now\.[\s\S]*name it redis again/);
    redis.name = "redis";
    await bench.up(changed("api"));
    assert.equal(Object.keys(state().volumeInstances).length, 1);
  });

  for (const [operation, of] of [
    ["CreateService", '"redis"'],
    ["CreateService", '"dashboard"'],
    ["CreateVolume", "/data"],
  ] as const) {
    it(`makes nothing twice where a run was killed after ${operation} of ${of} and lists are late`, async () => {
      await open();
      await killAfter(operation, of);
      const { timings } = bench.railway.world;
      // Long enough for all but what is from 1970.
      Object.assign(timings, { listed: Date.now() / 2 });
      for (const place of Object.values({ ...state().projects, ...state().environments }))
        Object.assign(place, { createdAt: 0 });
      for (const made of Object.values({ ...state().services, ...state().volumeInstances, ...state().instances }))
        Object.assign(made, { createdAt: Date.now() });
      const looksAgain = () => bench.lines.some((line) => /doesn't list .*looking again/.test(line));
      const deploy = bench.up(spec);
      while (!looksAgain() && (await Promise.race([deploy.then(() => false), sleep(5, true)])));
      assert.ok(looksAgain());
      Object.assign(timings, { listed: 0 });
      await deploy;
      assert.deepEqual(bench.objects(), clausea);
      assert.deepEqual(bench.serving(), all);
      assert.deepEqual((await bench.up(spec)).changes, []);
    });
  }

  it("deploys where lists are late all the time, and keeps services out of other environments", async () => {
    await open({ listed: slow });
    const prod = { ...spec, environment: "prod", id: "clausea-prod" };
    await bench.up(prod);
    await bench.up(spec);
    const [redis] = spec.services.filter(({ name }) => name === "redis");
    assert.ok(redis !== undefined);
    await bench.up({ ...spec, services: [...spec.services, { ...redis, name: "trial" }] });
    const instances = bench.objects().filter((line) => line.startsWith("instance"));
    assert.ok(instances.includes("instance trial in dev"));
    assert.ok(!instances.includes("instance trial in prod"), instances.join("\n"));
  });

  it("makes a service anew that somebody has deleted, after it was looked for", async () => {
    await open();
    await bench.up(spec);
    await ask("mutation($id: String!) { serviceDelete(id: $id) }", { id: idOf("api") });
    await bench.up(spec);
    assert.deepEqual(bench.objects(), clausea);
    assert.ok(bench.lines.some((line) => line.startsWith("Railway doesn't list api")));
  });

  it("attaches the volume with the data again where an older one has the same name, and refuses where it can't tell", async () => {
    await open();
    await bench.up(spec);
    const [own] = Object.values(state().volumeInstances);
    const [volume] = Object.values(state().volumes);
    assert.ok(own !== undefined && volume !== undefined);
    // As a copy that was put back leaves the volume of before.
    const old = { ...volume, id: "00000000-0000-0000-0000-000000000001" };
    const detached = { ...own, id: "00000000-0000-0000-0000-000000000002", volumeId: old.id };
    delete detached.serviceId;
    const { volumes, volumeInstances } = state();
    state().volumes = { [old.id]: old, ...volumes };
    state().volumeInstances = { [detached.id]: detached, ...volumeInstances };
    await bench.destroy(spec);
    const { services } = await bench.up(spec);
    assert.equal(services.redis?.volume, own.volumeId);
    await bench.destroy(spec);
    const [environment] = Object.values(state().environments);
    assert.ok(environment !== undefined);
    environment.sharedVariables = {};
    await refused(spec, /2 volumes may hold the data of redis: /);
  });

  it("attaches no volume that is about to be deleted", async () => {
    await open();
    await bench.up(spec);
    await bench.destroy({ ...spec, onDelete: "delete data" });
    const { changes } = await bench.up(spec);
    assert.ok(changes.includes("redis: volume is made at /data"), changes.join("\n"));
    assert.deepEqual(bench.objects(), clausea);
  });

  it("sees what comes on later pages of lists", async () => {
    await open({ pageSize: 1 });
    const prod = { ...spec, environment: "prod", id: "clausea-prod" };
    await bench.up(spec);
    await bench.up(prod);
    assert.deepEqual((await bench.up(spec)).changes, []);
    await bench.destroy(spec);
    const left = bench.objects().filter((line) => /^(service|instance)/.test(line));
    assert.deepEqual(left, [...all.map((name) => `instance ${name} in prod`), ...all.map((name) => `service ${name}`)]);
  });
});
