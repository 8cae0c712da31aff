import assert from "node:assert/strict";
import { Bench, until } from "./railwaySupport";

describe("the emulator of Railway: tokens, limits and what goes wrong", () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await Bench.open();
  });
  afterEach(() => bench.close());

  const fault = (wanted: object): Promise<unknown> => bench.control("POST", "faults", wanted);
  const create = "mutation($input: ServiceCreateInput!) { serviceCreate(input: $input) { id } }";
  const input = (): object => ({ input: { projectId: bench.projectId, name: "web" } });
  const names = (): number => Object.keys(bench.railway.world.state.services).length;
  const owned = "query($id: String!) { project(id: $id) { name } }";

  it("tells tokens apart, each by its own header, and what each may do", async () => {
    const { railway, projectId, environmentId } = bench;
    const { workspaceId } = railway;
    const workspace = {
      authorization: `Bearer ${railway.issueToken({ kind: "workspace", workspaceId, name: "ci" }).token}`,
    };
    const { token } = railway.issueToken({ kind: "project", projectId, environmentId, name: "deploy" });
    const project = { "project-access-token": token };
    const who = "{ projectToken { projectId environmentId } }";
    const whose = "{ apiToken { workspaces { name } } }";
    assert.deepEqual(await bench.must("{ me { email } }"), { me: { email: "rehearsal@example.com" } });
    assert.equal(await bench.refused("{ me { email } }", {}, workspace), "Not Authorized");
    assert.deepEqual(await bench.must(whose, {}, workspace), { apiToken: { workspaces: [{ name: "Rehearsal" }] } });
    assert.deepEqual(await bench.must(who, {}, project), { projectToken: { projectId, environmentId } });
    assert.equal(await bench.refused(whose, {}, project), "Not Authorized");
    for (const wrong of [
      {},
      { authorization: `Bearer ${token}` },
      { authorization: "Bearer nobody" },
      { authorization: railway.token },
    ])
      assert.equal(await bench.refused("{ regions { name } }", {}, wrong as Record<string, string>), "Not Authorized");
    const account = { "project-access-token": railway.token };
    assert.equal(await bench.refused("{ regions { name } }", {}, account), "Project Token not found");
    // A project's token is good for one environment.
    await bench.must(owned, { id: projectId }, project);
    const made = await bench.must<{ environmentCreate: { id: string } }>(
      "mutation($input: EnvironmentCreateInput!) { environmentCreate(input: $input) { id } }",
      { input: { projectId, name: "other" } },
    );
    const look = "query($id: String!) { environment(id: $id) { name } }";
    await bench.must(look, { id: environmentId }, project);
    assert.equal(await bench.refused(look, { id: made.environmentCreate.id }, project), "Not Authorized");
    for (const [query, variables] of [
      ["mutation($input: ProjectCreateInput!) { projectCreate(input: $input) { id } }", { input: {} }],
      [
        "mutation($input: EnvironmentCreateInput!) { environmentCreate(input: $input) { id } }",
        { input: { projectId, name: "x" } },
      ],
      ["{ projects { edges { node { id } } } }", {}],
      ["mutation($id: String!) { projectDelete(id: $id) }", { id: projectId }],
    ] as const)
      assert.equal(await bench.refused(query, variables, project), "Not Authorized", query);
    // What isn't there and what is somebody else's are told by the same words.
    await bench.control("POST", "workspaces", { name: "Others", plan: "HOBBY" });
    const others = railway.world.state.workspaces.find(({ name }) => name === "Others")!;
    const foreign = {
      authorization: `Bearer ${railway.issueToken({ kind: "workspace", workspaceId: others.id, name: "x" }).token}`,
    };
    assert.equal(await bench.refused(owned, { id: projectId }, foreign), "Not Authorized");
    assert.equal(await bench.refused(owned, { id: "nothing" }), "Not Authorized");
  });

  it("counts calls by the hour as the plan says, and says what is left and when to come again", async () => {
    await bench.control("POST", "settings", { rateLimits: true, hourlyLimit: 3 });
    const left: (string | null)[] = [];
    for (let call = 0; call < 3; call++)
      left.push((await bench.ask("{ me { id } }")).headers.get("x-ratelimit-remaining"));
    assert.deepEqual(left, ["2", "1", "0"]);
    const refused = await bench.ask("{ me { id } }");
    assert.equal(refused.status, 429);
    assert.equal(refused.headers.get("x-ratelimit-limit"), "3");
    const wait = Number(refused.headers.get("retry-after"));
    assert.ok(wait > 3_500 && wait <= 3_600, `${wait} s`);
    await bench.restart();
    await bench.control("POST", "settings", { rateLimits: true, hourlyLimit: 3 });
    assert.equal((await bench.ask("{ me { id } }")).status, 429, "a restart forgets nothing");
    await bench.restart();
    await bench.control("POST", "settings", { rateLimits: true });
    const burst = await Promise.all([...Array<undefined>(200)].map(() => bench.ask("{ me { id } }")));
    const passed = burst.filter(({ status }) => status === 200).length;
    assert.ok(passed >= 50 && passed < 200, `${passed} at once`);
    await bench.control("POST", "workspaces", { name: "Rehearsal", plan: "HOBBY" });
    assert.equal((await bench.ask("{ me { id } }")).headers.get("x-ratelimit-limit"), "1000");
  });

  it("does wrong what it is told to: refuses, cuts off before and after it has acted, waits, answers a page", async () => {
    await fault({ kind: "status", status: 503, path: "/serviceCreate$", count: 2 });
    for (let call = 0; call < 2; call++) assert.equal((await bench.ask(create, input())).status, 503);
    assert.equal((await bench.ask(owned, { id: bench.projectId })).status, 200);
    assert.equal(names(), 0);
    await fault({ kind: "lost", path: "/serviceCreate$" });
    await assert.rejects(bench.ask(create, input()), /fetch failed/);
    await until("the service", () => names() === 1);
    await fault({ kind: "refused", path: "/serviceCreate$" });
    await assert.rejects(bench.ask(create, input()), /fetch failed/);
    assert.equal(names(), 1);
    await fault({ kind: "slow", ms: 60 });
    const began = performance.now();
    await bench.must(owned, { id: bench.projectId });
    assert.ok(performance.now() - began >= 55);
    await fault({ kind: "status", status: 403, body: "<html>Access denied</html>" });
    await assert.rejects(bench.ask(owned, { id: bench.projectId }), SyntaxError);
    await fault({ kind: "status", status: 429, retryAfter: "7" });
    assert.equal((await bench.ask(owned, { id: bench.projectId })).headers.get("retry-after"), "7");
  });

  it("writes down which fields were asked for, and which calls change something", async () => {
    const after = bench.railway.journal.entries().at(-1)!.number;
    await bench.must("{ me { id } regions { name } }");
    await bench.service("web");
    const calls = bench.railway.journal.entries(after).map(({ path, changes }) => [path, changes]);
    assert.deepEqual(calls, [
      ["/graphql/v2/me+regions", false],
      ["/graphql/v2/serviceCreate", true],
    ]);
  });

  it("goes on where it was when it is started again, with what was under way", async () => {
    await bench.push("acme/web", { Dockerfile: "FROM scratch\n" });
    const web = await bench.service("web");
    await bench.set(web, { source: { repo: "acme/web" } });
    await bench.variables(web, { A: "1" });
    const { token } = bench.railway;
    const served = await bench.deploy(web);
    await bench.reach(served, "SUCCESS");
    const next = await bench.deploy(web);
    await bench.restart();
    assert.equal(bench.railway.token, token);
    assert.deepEqual(await bench.read(web), { A: "1" });
    assert.equal(await bench.reach(next), "SUCCESS");
    await bench.reach(served, "REMOVED");
    const { replicas } = bench.railway.world.state.deployments[next]!;
    assert.deepEqual(
      replicas.map(({ isUp }) => isUp),
      [true],
    );
  });

  it("takes a project away with all that is in it", async () => {
    const web = await bench.service("web", { source: { image: "web:1" } });
    await bench.reach((await bench.deployments(web))[0]!.id, "SUCCESS");
    await bench.change("projectScheduleDelete", { id: ["String!", bench.projectId] });
    const read = "query($id: String!) { project(id: $id) { deletedAt } }";
    const { project } = await bench.must<{ project: { deletedAt: string } }>(read, { id: bench.projectId });
    assert.ok(Date.parse(project.deletedAt) > Date.now() + 47 * 3_600_000, "in 48 hours");
    await bench.change("projectDelete", { id: ["String!", bench.projectId] });
    const { state } = bench.railway.world;
    assert.deepEqual([state.projects, state.environments, state.services, state.instances], [{}, {}, {}, {}]);
    await until("the containers' end", () => Object.keys(state.deployments).length === 0);
  });
});
