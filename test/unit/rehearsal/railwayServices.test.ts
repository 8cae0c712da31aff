import assert from "node:assert/strict";
import { Bench, until } from "./railwaySupport";

describe("the emulator of Railway: projects, services and variables", () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await Bench.open();
  });
  afterEach(() => bench.close());

  const environment = async (name: string, more: object = {}): Promise<string> =>
    (
      await bench.must<{ environmentCreate: { id: string } }>(
        "mutation($input: EnvironmentCreateInput!) { environmentCreate(input: $input) { id } }",
        { input: { projectId: bench.projectId, name, ...more } },
      )
    ).environmentCreate.id;
  const isIn = (service: string, place: string): boolean =>
    bench.railway.world.state.instances[`${service}:${place}`] !== undefined;
  const redeploys = async (service: string): Promise<number> => (await bench.deployments(service)).length;

  it("makes a service in all environments that aren't forks, and in a fork alone where that is asked for", async () => {
    const [staging, fork] = [
      await environment("staging"),
      await environment("pr", { sourceEnvironmentId: bench.environmentId }),
    ];
    const both = await bench.service("web", {}, staging);
    assert.deepEqual([isIn(both, bench.environmentId), isIn(both, staging), isIn(both, fork)], [true, true, false]);
    const alone = await bench.service("try", {}, fork);
    assert.deepEqual([isIn(alone, bench.environmentId), isIn(alone, fork)], [false, true]);
    // Only a patch takes a service out of one environment that is no fork.
    await bench.commitPatch({ services: { [both]: { isDeleted: true } } });
    assert.deepEqual([isIn(both, bench.environmentId), isIn(both, staging)], [false, true]);
    await bench.commitPatch({ services: { [both]: { isCreated: true, deploy: { numReplicas: 2 } } } });
    assert.equal(isIn(both, bench.environmentId), true);
    await bench.change("serviceDelete", { id: ["String!", both], environmentId: ["String", staging] });
    assert.deepEqual([isIn(both, bench.environmentId), isIn(both, staging)], [false, false]);
  });

  it("makes doubles of whatever is asked for twice", async () => {
    assert.notEqual(await bench.service("web"), await bench.service("web"));
    const make = "mutation($input: ProjectCreateInput!) { projectCreate(input: $input) { id name } }";
    const project = async (): Promise<{ id: string; name: string }> =>
      (await bench.must<{ projectCreate: { id: string; name: string } }>(make, { input: { name: "Twice" } }))
        .projectCreate;
    const [first, second] = [await project(), await project()];
    assert.notEqual(first.id, second.id);
    assert.equal(first.name, "twice");
    await environment("staging");
    assert.match(
      await bench.refused("mutation($input: EnvironmentCreateInput!) { environmentCreate(input: $input) { id } }", {
        input: { projectId: bench.projectId, name: "staging" },
      }),
      /already exists/,
    );
  });

  it("deploys a service with a source as soon as it is made, and nothing for its settings", async () => {
    const redis = await bench.service("redis", { source: { image: "redis:7" } });
    assert.equal((await bench.deployments(redis)).length, 1);
    const web = await bench.service("web");
    await bench.set(web, { source: { image: "web:1" }, startCommand: "run", healthcheckPath: "/health" });
    await bench.variables(web, { A: "1" });
    assert.deepEqual(await bench.deployments(web), []);
    assert.equal(await bench.reach(await bench.deploy(web)), "SUCCESS");
    const [container] = bench.runtime.started.filter(({ image }) => image === "web:1");
    assert.deepEqual(container!.entrypoint, ["run"]);
    assert.equal(container!.env["PORT"], "8080");
    assert.equal(container!.env["RAILWAY_SERVICE_NAME"], "web");
  });

  it("resolves references between services, also where they lead on, and leaves nothing of those that lead nowhere", async () => {
    const redis = await bench.service("My Redis");
    const web = await bench.service("web");
    await bench.variables(redis, { PASSWORD: "p", URL: "redis://:${{PASSWORD}}@${{RAILWAY_PRIVATE_DOMAIN}}:6379" });
    await bench.variables(undefined, { ZONE: "eu" });
    await bench.variables(web, {
      URL: "${{My Redis.URL}}/0",
      ZONE: "${{ shared.ZONE }}-1",
      LOST: "a${{nobody.X}}b${{My Redis.NONE}}",
      ROUND: "${{LOOP}}",
      LOOP: "x${{ROUND}}",
    });
    const read = await bench.read(web);
    assert.equal(read["URL"], "redis://:p@my-redis.railway.internal:6379/0");
    assert.deepEqual([read["ZONE"], read["LOST"], read["LOOP"]], ["eu-1", "ab", "x"]);
    assert.equal((await bench.read(web, true))["URL"], "${{My Redis.URL}}/0");
    assert.deepEqual(await bench.read(undefined), { ZONE: "eu" });
    // A reference goes by the service's name.
    await bench.must(
      "mutation($id: String!, $input: ServiceUpdateInput!) { serviceUpdate(id: $id, input: $input) { id } }",
      {
        id: redis,
        input: { name: "cache" },
      },
    );
    assert.equal((await bench.read(web))["URL"], "/0");
  });

  it("deploys again for each change of variables that doesn't say otherwise, and not while one is building", async () => {
    await bench.close();
    bench = await Bench.open({ timings: { build: 500 } });
    const web = await bench.service("web", { source: { image: "web:1" } });
    const [first] = await bench.deployments(web);
    assert.match(
      await bench.refused("mutation($input: VariableUpsertInput!) { variableUpsert(input: $input) }", {
        input: {
          projectId: bench.projectId,
          environmentId: bench.environmentId,
          serviceId: web,
          name: "A",
          value: "1",
        },
      }),
      /Cannot redeploy yet, please wait for the original deployment to finish building/,
    );
    assert.deepEqual(await bench.read(web), { A: "1" }, "it is kept for all that");
    await bench.reach(first!.id, "SUCCESS");
    await bench.variables(web, { B: "2" });
    assert.equal(await redeploys(web), 1);
    await bench.variables(web, { C: "3" }, {});
    await until("the second deployment", async () => (await redeploys(web)) === 2);
    await bench.reach((await bench.deployments(web))[0]!.id, "SUCCESS");
    await bench.variables(web, { D: "4" }, { replace: true, skipDeploys: true });
    assert.deepEqual(await bench.read(web), { D: "4" });
  });

  it("never shows what is sealed, nor copies it into another environment", async () => {
    const web = await bench.service("web");
    const sealed = { KEY: { value: "secret", isSealed: true }, OPEN: { value: "seen" } };
    await bench.commitPatch({ services: { [web]: { variables: sealed } } });
    assert.deepEqual(await bench.read(web), { OPEN: "seen" });
    await bench.commitPatch({ services: { [web]: { variables: { KEY: { value: "other", isSealed: false } } } } });
    assert.deepEqual(await bench.read(web), { OPEN: "seen" }, "it stays sealed");
    const shown = await bench.must("query($id: String!) { environment(id: $id) { config(decryptVariables: true) } }", {
      id: bench.environmentId,
    });
    assert.doesNotMatch(JSON.stringify(shown), /other|secret/);
    const fork = await environment("pr", { sourceEnvironmentId: bench.environmentId, skipInitialDeploys: true });
    assert.deepEqual(Object.keys(bench.railway.world.state.instances[`${web}:${fork}`]!.config.variables), ["OPEN"]);
    assert.equal(
      bench.railway.world.state.instances[`${web}:${bench.environmentId}`]!.config.variables["KEY"]!.value,
      "other",
    );
  });

  it("keeps everybody's staged changes together, shows that there are some, and commits all of them at once", async () => {
    const [web, job] = [await bench.service("web"), await bench.service("job")];
    const stage = (input: object, merge: boolean): Promise<unknown> =>
      bench.must(
        "mutation($e: String!, $input: EnvironmentConfig!, $merge: Boolean) { environmentStageChanges(environmentId: $e, input: $input, merge: $merge) { id status } }",
        { e: bench.environmentId, input, merge },
      );
    const count = async (): Promise<number> =>
      (
        await bench.must<{ environment: { unmergedChangesCount: number } }>(
          "query($id: String!) { environment(id: $id) { unmergedChangesCount } }",
          { id: bench.environmentId },
        )
      ).environment.unmergedChangesCount;
    const settings = (id: string): object =>
      bench.railway.world.state.instances[`${id}:${bench.environmentId}`]!.config.deploy ?? {};
    assert.equal(await count(), 0);
    await stage({ services: { [job]: { deploy: { startCommand: "theirs" } } } }, false);
    await stage({ services: { [web]: { deploy: { startCommand: "ours" } } } }, true);
    assert.equal(await count(), 2);
    // What is committed by itself leaves the staged alone.
    await bench.commitPatch({ services: { [web]: { deploy: { numReplicas: 2 } } } });
    assert.deepEqual([settings(web), settings(job), await count()], [{ numReplicas: 2 }, {}, 2]);
    const etag = async (): Promise<unknown> =>
      bench.must("query($id: String!) { environment(id: $id) { configEtag } }", { id: bench.environmentId });
    const before = await etag();
    await bench.change<string>("environmentPatchCommitStaged", { environmentId: ["String!", bench.environmentId] });
    assert.deepEqual(
      [settings(web), settings(job)],
      [{ numReplicas: 2, startCommand: "ours" }, { startCommand: "theirs" }],
    );
    assert.notDeepEqual(await etag(), before);
    assert.equal(await count(), 0);
    assert.match(
      await bench.refused("mutation($e: String!) { environmentPatchCommitStaged(environmentId: $e) }", {
        e: bench.environmentId,
      }),
      /No patch to commit/,
    );
    await stage({ services: { [web]: { deploy: { startCommand: null } } } }, false);
    await bench.change<string>("environmentPatchCommitStaged", { environmentId: ["String!", bench.environmentId] });
    assert.deepEqual(settings(web), { numReplicas: 2 }, "null takes a setting away");
  });

  it("does all of a patch or nothing, and deploys the services that it is about", async () => {
    const [web, job] = [await bench.service("web"), await bench.service("job")];
    const wrong = {
      services: { [web]: { deploy: { startCommand: "x" } }, [job]: { deploy: { cronSchedule: "* * * * *" } } },
    };
    assert.match(
      await bench.refused(
        "mutation($e: String!, $p: EnvironmentConfig) { environmentPatchCommit(environmentId: $e, patch: $p) }",
        {
          e: bench.environmentId,
          p: wrong,
        },
      ),
      /at least 5 minutes apart/,
    );
    assert.equal(bench.railway.world.state.instances[`${web}:${bench.environmentId}`]!.config.deploy, undefined);
    await bench.commitPatch({
      services: {
        [web]: { source: { image: "web:1" }, variables: { KEY: { generator: 'secret(8, "ab")' } } },
        [job]: { networking: { serviceDomains: {} } },
      },
    });
    assert.match((await bench.read(web))["KEY"]!, /^[ab]{8}$/);
    const [made] = await bench.deployments(web);
    assert.equal(await bench.reach(made!.id), "SUCCESS");
    assert.deepEqual(await bench.deployments(job), []);
  });

  it("refuses settings that don't go together", async () => {
    const web = await bench.service("web");
    const refuses = async (input: object, why: RegExp): Promise<void> => {
      const query =
        "mutation($s: String!, $e: String, $input: ServiceInstanceUpdateInput!) { serviceInstanceUpdate(serviceId: $s, environmentId: $e, input: $input) }";
      assert.match(await bench.refused(query, { s: web, e: bench.environmentId, input }), why);
    };
    await refuses({ cronSchedule: "*/4 * * * *" }, /at least 5 minutes apart/);
    await refuses({ cronSchedule: "0 8 * *" }, /Invalid cron expression/);
    await refuses({ cronSchedule: "0 8 * * *", numReplicas: 2 }, /cron schedule cannot have multiple replicas/);
    await refuses({ numReplicas: 0 }, /numReplicas must be at least 1/);
    await refuses({ numReplicas: 43 }, /at most 42 replicas/);
    await refuses({ multiRegionConfig: { mars: { numReplicas: 1 } } }, /Region not found: mars/);
    await refuses({ builder: "DOCKERFILE" }, /does not exist in "Builder" enum/);
    await refuses({ source: { repo: "acme/nothing" } }, /Repository acme\/nothing not found/);
    await bench.set(web, { cronSchedule: "*/5 * * * *" });
  });
});
