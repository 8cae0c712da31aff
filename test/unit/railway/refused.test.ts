import assert from "node:assert/strict";
import { RailwayBench } from "./bench";
import { planOf } from "./plans";
import type { RailwaySpec } from "../../../targets/railway/plan";

describe("what a deploy to Railway refuses, before it changes anything", () => {
  let bench: RailwayBench;
  let spec: RailwaySpec;

  beforeEach(async () => {
    bench = await RailwayBench.open();
    spec = bench.at(await planOf(await bench.push()));
  });
  afterEach(() => bench.close());

  const refused = async (asked: RailwaySpec, message: RegExp): Promise<void> => {
    const before = bench.count;
    await assert.rejects(bench.up(asked), (error: Error) => {
      assert.match(error.message, message);
      assert.ok(!error.message.includes(asked.connection.token), "it shows the token");
      assert.doesNotMatch(error.message, /at \w+ \(/);
      return true;
    });
    assert.deepEqual(bench.callsAfter(before, true), []);
  };
  const environmentId = (): string => Object.keys(bench.railway.world.state.environments)[0] ?? "";
  const projectId = (): string => Object.keys(bench.railway.world.state.projects)[0] ?? "";
  const projectToken = (): string =>
    bench.railway.issueToken({ kind: "project", projectId: projectId(), environmentId: environmentId(), name: "one" })
      .token;
  const withToken = (token: string, kind: "api" | "project"): RailwaySpec => bench.at(spec, { token, kind });
  const ask = async (document: string, variables: unknown): Promise<Record<string, unknown>> => {
    const answer = await fetch(bench.railway.endpoint, {
      method: "POST",
      headers: { authorization: `Bearer ${bench.railway.token}`, "content-type": "application/json" },
      body: JSON.stringify({ query: document, variables }),
    });
    const { data, errors } = (await answer.json()) as { data: Record<string, unknown>; errors?: unknown };
    assert.equal(errors, undefined, JSON.stringify(errors));
    return data;
  };
  const stage = (patch: unknown): Promise<unknown> =>
    ask(
      "mutation Stage($id: String!, $input: EnvironmentConfig!) { environmentStageChanges(environmentId: $id, input: $input) { id } }",
      { id: environmentId(), input: patch },
    );

  it("is a token that Railway doesn't know", async () => {
    await refused(
      withToken("00000000-0000-0000-0000-00000000dead", "api"),
      /doesn't take the token[\s\S]*railway:apiToken/,
    );
    await refused(withToken("00000000-0000-0000-0000-00000000dead", "project"), /doesn't know the project's token/);
  });

  it("is a project's token where an account's is asked for, and the other way round", async () => {
    await bench.up(spec);
    await refused(withToken(projectToken(), "api"), /railway:apiToken holds the token of a project/);
    await refused(withToken(bench.railway.token, "project"), /railway:projectToken holds the token of an account/);
  });

  it("is a project's token for another environment; its own it deploys to", async () => {
    await bench.up(spec);
    const token = projectToken();
    await refused(
      { ...withToken(token, "project"), environment: "prod" },
      /belongs to another environment[\s\S]*environment dev of project clausea/,
    );
    const result = await bench.up(withToken(token, "project"));
    assert.deepEqual(result.changes, []);
  });

  it("is a service that a project's token would let into another environment", async () => {
    await bench.up(spec);
    await bench.up({ ...spec, environment: "prod", id: "clausea-prod" });
    const [api] = spec.services.filter(({ name }) => name === "api");
    assert.ok(api !== undefined);
    await refused(
      { ...withToken(projectToken(), "project"), services: [...spec.services, { ...api, name: "trial" }] },
      /can't make services here[\s\S]*trial in prod/,
    );
  });

  it("is a token of several workspaces, or of none of that name", async () => {
    await bench.up(spec);
    bench.railway.world.state.workspaces.push({ id: "w2", name: "Second", plan: "HOBBY", createdAt: 0 });
    await refused(spec, /opens several workspaces[\s\S]*Rehearsal, Second[\s\S]*railway:workspace/);
    await refused({ ...spec, workspace: "Third" }, /doesn't open the workspace "Third"/);
    const result = await bench.up({ ...spec, workspace: "Rehearsal" });
    assert.deepEqual(result.changes, []);
  });

  it("is an environment with services of somebody else's, unless they are to be taken over", async () => {
    await bench.up(spec);
    await refused({ ...spec, id: "other-dev" }, /belongs to clausea-dev/);
    const { environments } = bench.railway.world.state;
    for (const one of Object.values(environments)) one.sharedVariables = {};
    await refused(spec, /has 3 services that Homeport didn't make[\s\S]*railway:adopt/);
    await bench.up({ ...spec, adopt: true });
    assert.equal(bench.objects().filter((line) => line.startsWith("service")).length, 3);
  });

  it("is a project of which there are two", async () => {
    await bench.up(spec);
    await ask("mutation Second($input: ProjectCreateInput!) { projectCreate(input: $input) { id } }", {
      input: { name: "clausea", workspaceId: bench.railway.workspaceId },
    });
    await refused(spec, /There are 2 projects of that name[\s\S]*railway:projects/);
    const [id = ""] = Object.keys(bench.railway.world.state.projects);
    assert.deepEqual((await bench.up({ ...spec, project: id })).changes, []);
  });

  it("is a commit next to what somebody else has staged; a deploy without one leaves that alone", async () => {
    await bench.up(spec);
    const [id = ""] = Object.keys(bench.railway.world.state.services);
    await stage({ services: { [id]: { deploy: { startCommand: "somebody else's" } } } });
    const grown = spec.services.map((service) =>
      service.volume === undefined ? service : { ...service, volume: { ...service.volume, sizeMb: 90_000 } },
    );
    await refused({ ...spec, services: grown }, /Somebody has staged changes in environment dev/);
    const services = spec.services.map((service) => ({ ...service, variables: { ...service.variables, MORE: "1" } }));
    await bench.up({ ...spec, services });
    assert.ok(bench.lines.some((line) => line.includes("staged: they are left as they are")));
    const environment = bench.railway.world.state.environments[environmentId()];
    assert.ok(environment?.staged !== undefined, "somebody else's changes are gone");
    assert.doesNotMatch(JSON.stringify(bench.railway.world.state.instances), /somebody else's/);
  });

  it("is a volume that shrinks, and another major version of Postgres", async () => {
    const db = (image: string, sizeMb: number): RailwaySpec => ({
      ...spec,
      services: spec.services.map((service) =>
        service.name === "redis"
          ? { ...service, source: { image }, volume: { path: "/data", sizeMb, backups: [] } }
          : service,
      ),
    });
    await bench.up(db("docker.io/library/postgres:16", 60_000));
    await refused(db("docker.io/library/postgres:16", 55_000), /is to shrink from 60000 to 55000 MB/);
    await refused(db("docker.io/library/postgres:17", 60_000), /from Postgres 16 to 17/);
  });

  it("is an allowance that is used up, with the time that it takes", async () => {
    await bench.close();
    bench = await RailwayBench.open({ hourlyLimit: 3 });
    spec = bench.at(await planOf(await bench.push()));
    await assert.rejects(bench.up(spec), /allowance of Railway's API is used up[\s\S]*in an hour/);
  });
});
