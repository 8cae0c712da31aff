import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { realClock } from "../../../rehearsal/platform/clock";
import { Bench, pause, until } from "./railwaySupport";

const dockerfile = "FROM python:3.11-slim\nARG KEY\nARG NONE\nCOPY . .\n";

describe("the emulator of Railway: deployments", () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await Bench.open();
  });
  afterEach(() => bench.close());

  const running = (service: string): string[] => {
    const { deployments } = bench.railway.world.state;
    return Object.values(deployments)
      .filter((one) => one.serviceId === service)
      .flatMap(({ replicas }) => replicas.filter(({ isUp }) => isUp).map(({ id }) => id));
  };
  const meta = async (id: string): Promise<Record<string, unknown>> =>
    (
      await bench.must<{ deployment: { meta: Record<string, unknown> } }>(
        "query($id: String!) { deployment(id: $id) { meta } }",
        { id },
      )
    ).deployment.meta;
  const roll = (id: string): Promise<boolean> => bench.change("deploymentRollback", { id: ["String!", id] });
  const statuses = async (service: string): Promise<string[]> =>
    (await bench.deployments(service)).map(({ status }) => status);

  it("goes through its states, and takes the place of the deployment before", async () => {
    const web = await bench.service("web");
    await bench.set(web, { source: { image: "web:1" }, multiRegionConfig: { "us-west2": { numReplicas: 2 } } });
    const seen = new Set<string>();
    bench.railway.world.changes.on("deployment", (id: string) =>
      seen.add(bench.railway.world.state.deployments[id]!.status),
    );
    const first = await bench.deploy(web);
    assert.equal(await bench.reach(first), "SUCCESS");
    assert.deepEqual([...seen], ["QUEUED", "BUILDING", "DEPLOYING", "SUCCESS"]);
    const before = running(web);
    assert.equal(before.length, 2);
    const second = await bench.deploy(web);
    await bench.reach(second, "SUCCESS");
    await bench.reach(first, "REMOVED");
    assert.equal(running(web).filter((id) => before.includes(id)).length, 0);
    assert.equal(running(web).length, 2);
  });

  it("builds the commit that it is told, else the one it runs, and the branch's last only where that is asked for", async () => {
    const one = await bench.push("acme/web", { "app/Dockerfile": dockerfile });
    const web = await bench.service("web");
    await bench.set(web, { source: { repo: "acme/web" }, rootDirectory: "app" });
    const { projectId, environmentId } = bench;
    await bench.must(
      "mutation($i: ServiceInstanceAutoDeployUpdateInput!) { serviceInstanceAutoDeployUpdate(input: $i) { enabled } }",
      { i: { projectId, environmentId, serviceId: web, enabled: false } },
    );
    const commitOf = async (id: string): Promise<unknown> => (await meta(id))["commitHash"];
    assert.equal(await commitOf(await bench.deploy(web)), one);
    const two = await bench.push("acme/web", { "app/Dockerfile": dockerfile, "app/VERSION": "2" });
    assert.equal(await commitOf(await bench.deploy(web)), one, "not the branch's last");
    assert.equal(await commitOf(await bench.deploy(web, two)), two);
    const query =
      "mutation($s: String!, $e: String!, $c: String) { serviceInstanceDeployV2(serviceId: $s, environmentId: $e, commitSha: $c) }";
    const wrong = { s: web, e: bench.environmentId, c: "0123456789012345678901234567890123456789" };
    const known = (await bench.deployments(web)).length;
    assert.equal(await bench.refused(query, wrong), "Commit not found");
    assert.equal((await bench.deployments(web)).length, known, "nothing is made");
    const three = await bench.push("acme/web", { "app/Dockerfile": dockerfile, "app/VERSION": "3" });
    await bench.change("serviceInstanceDeploy", {
      serviceId: ["String!", web],
      environmentId: ["String!", bench.environmentId],
      latestCommit: ["Boolean", true],
    });
    assert.equal(await commitOf((await bench.deployments(web))[0]!.id), three);
    await bench.commitPatch({ services: { [web]: { source: { commitSha: one } } } });
    assert.equal(await commitOf((await bench.deployments(web))[0]!.id), one, "pinned");
  });

  it("deploys what is pushed to a connected branch, unless its watch patterns leave it out", async () => {
    await bench.push("acme/web", { Dockerfile: dockerfile });
    const web = await bench.service("web", { source: { repo: "acme/web" } });
    await bench.reach((await bench.deployments(web))[0]!.id, "SUCCESS");
    const pushed = await bench.push("acme/web", { Dockerfile: dockerfile, "src/a": "1" });
    const [latest] = await bench.deployments(web);
    assert.equal((await meta(latest!.id))["commitHash"], pushed);
    await bench.set(web, { watchPatterns: ["/src/**"] });
    await bench.push("acme/web", { Dockerfile: dockerfile, "src/a": "1", "docs/b": "2" });
    assert.equal((await statuses(web))[0], "SKIPPED");
    await bench.push("acme/web", { Dockerfile: dockerfile, "src/a": "2", "docs/b": "2" });
    assert.notEqual((await statuses(web))[0], "SKIPPED");
  });

  it("tells in its log why a build failed, and starts nothing", async () => {
    await bench.push("acme/web", { "app/Dockerfile": dockerfile, "bare/main.py": "" });
    const failure = async (input: object): Promise<string> => {
      const service = await bench.service("web");
      await bench.set(service, { source: { repo: "acme/web" }, ...input });
      const id = await bench.deploy(service);
      assert.equal(await bench.reach(id), "FAILED");
      assert.deepEqual(running(service), []);
      return bench.logs(id);
    };
    assert.match(await failure({ rootDirectory: "nowhere" }), /Could not find root directory: nowhere/);
    assert.match(await failure({ rootDirectory: "bare" }), /Railpack could not determine/);
    assert.match(
      await failure({ rootDirectory: "app", dockerfilePath: "Other" }),
      /couldn't locate the dockerfile at path Other/,
    );
    const image = await bench.service("image", { source: { image: "missing:1" } });
    const [made] = await bench.deployments(image);
    assert.equal(await bench.reach(made!.id), "FAILED");
    assert.match(await bench.logs(made!.id), /failed to pull image missing:1/);
    await bench.control("POST", "faults", { kind: "buildFailure", path: "^fine/" });
    const fine = await bench.service("fine", { source: { image: "fine:1" } });
    assert.equal(await bench.reach((await bench.deployments(fine))[0]!.id), "FAILED");
  });

  it("gives builds the variables that a Dockerfile declares, and no others", async () => {
    await bench.close();
    const orders: unknown[] = [];
    bench = await Bench.open({
      settings: {
        build: ({ args, dockerfile: path, say }) => (orders.push(args, path), say("step 1"), Promise.resolve()),
      },
    });
    await bench.push("acme/web", { Dockerfile: dockerfile });
    const web = await bench.service("web");
    await bench.set(web, { source: { repo: "acme/web" } });
    await bench.variables(web, { KEY: "told", OTHER: "not told" });
    const id = await bench.deploy(web);
    await bench.reach(id, "SUCCESS");
    assert.deepEqual(orders, [{ KEY: "told" }, "Dockerfile"]);
    assert.match(await bench.logs(id), /step 1/);
  });

  it("runs the command before the start without the volume, and stops where it fails", async () => {
    const web = await bench.service("web");
    await bench.set(web, { source: { image: "web:1" }, preDeployCommand: ["migrate --all"] });
    await bench.must("mutation($input: VolumeCreateInput!) { volumeCreate(input: $input) { id } }", {
      input: { projectId: bench.projectId, environmentId: bench.environmentId, serviceId: web, mountPath: "/data" },
    });
    const first = await bench.deploy(web);
    await bench.reach(first, "SUCCESS");
    const [step, main] = bench.runtime.started;
    assert.deepEqual([step!.entrypoint, step!.volumes], [["migrate", "--all"], []]);
    assert.deepEqual(
      main!.volumes.map(({ path }) => path),
      ["/data"],
    );
    bench.behave = ({ id }) => (/-pre/.test(id) ? { exit: { code: 3, afterMs: 5 }, logs: ["no such table"] } : {});
    const failed = await bench.deploy(web);
    assert.equal(await bench.reach(failed), "FAILED");
    assert.match(await bench.logs(failed), /no such table[^]*exit code 3/);
    assert.equal(await bench.status(first), "SUCCESS", "the one before serves on");
    assert.equal(running(web).length, 1);
    bench.behave = ({ id }) => (/-pre/.test(id) ? { exit: { code: 0, afterMs: 60_000 } } : {});
    const cancelled = await bench.deploy(web);
    await bench.reach(cancelled, "DEPLOYING");
    await bench.change("deploymentCancel", { id: ["String!", cancelled] });
    assert.equal(await bench.reach(cancelled), "REMOVED");
  });

  it("takes the old version away before a new one where there is a volume: it is gone if the new one fails", async () => {
    const web = await bench.service("web");
    await bench.set(web, { source: { image: "web:1" }, healthcheckPath: "/health" });
    const first = await bench.deploy(web);
    await bench.reach(first, "SUCCESS");
    await bench.control("POST", "settings", { healthcheckMs: 100 });
    await bench.control("POST", "faults", { kind: "unhealthy", path: "^web/" });
    const sick = await bench.deploy(web);
    assert.equal(await bench.reach(sick), "FAILED");
    assert.match(await bench.logs(sick), /Healthcheck failed!/);
    assert.equal(await bench.status(first), "SUCCESS");
    await bench.must("mutation($input: VolumeCreateInput!) { volumeCreate(input: $input) { id } }", {
      input: { projectId: bench.projectId, environmentId: bench.environmentId, serviceId: web, mountPath: "/data" },
    });
    await bench.control("POST", "faults", { kind: "unhealthy", path: "^web/" });
    assert.equal(await bench.reach(await bench.deploy(web)), "FAILED");
    assert.equal(await bench.status(first), "REMOVED");
    assert.deepEqual(running(web), []);
  });

  it("starts a command again as its policy says, and calls a service crashed when it gives up", async () => {
    const service = async (name: string, input: object): Promise<string> => {
      const id = await bench.service(name);
      await bench.set(id, { source: { image: `${name}:1` }, ...input });
      return bench.deploy(id);
    };
    const starts = (name: string): number => bench.runtime.started.filter(({ image }) => image === `${name}:1`).length;
    bench.behave = ({ image }) => ({ exit: { code: image === "done:1" ? 0 : 1, afterMs: 5 } });
    const { changes, state } = bench.railway.world;
    const seen: string[] = [];
    changes.on("deployment", (id: string) => seen.push(`${id} ${state.deployments[id]!.status}`));
    const twice = await service("twice", { restartPolicyMaxRetries: 2 });
    const never = await service("never", { restartPolicyType: "NEVER" });
    const done = await service("done", {});
    // Without a health check, a start is a success, and the crash comes later.
    await Promise.all([bench.reach(twice, "CRASHED"), bench.reach(never, "CRASHED")]);
    assert.ok(seen.includes(`${twice} SUCCESS`));
    assert.deepEqual([starts("twice"), starts("never")], [3, 1]);
    await until("the end of what is done", async () => {
      const { deployment } = await bench.must<{ deployment: { deploymentStopped: boolean; status: string } }>(
        "query($id: String!) { deployment(id: $id) { deploymentStopped status } }",
        { id: done },
      );
      return deployment.deploymentStopped && deployment.status === "SUCCESS";
    });
    assert.equal(starts("done"), 1);
    const always = await service("always", { restartPolicyType: "ALWAYS" });
    await until("starts", () => starts("always") >= 4);
    await bench.change("deploymentRemove", { id: ["String!", always] });
    assert.equal(await bench.status(always), "REMOVED");
    const nowhere = { 8080: { host: "127.0.0.1", port: 1 } };
    bench.behave = () => ({ exit: { code: 1, afterMs: 5 }, listens: nowhere });
    const checked = await service("checked", { restartPolicyType: "NEVER", healthcheckPath: "/" });
    assert.equal(await bench.reach(checked), "CRASHED");
  });

  it("rolls back to a deployment that once served: its image, settings and variables, without a build", async () => {
    const web = await bench.service("web");
    await bench.set(web, { source: { image: "web:1" } });
    await bench.variables(web, { COLOUR: "blue" });
    const first = await bench.deploy(web);
    await bench.reach(first, "SUCCESS");
    await assert.rejects(roll(first), /cannot be rolled back to/, "it serves already");
    await bench.set(web, { source: { image: "web:2" }, numReplicas: 2 });
    await bench.variables(web, { COLOUR: "red" });
    await bench.reach(await bench.deploy(web), "SUCCESS");
    await bench.reach(first, "REMOVED");
    await roll(first);
    const [made] = await bench.deployments(web);
    await bench.reach(made!.id, "SUCCESS");
    const last = bench.runtime.started.at(-1)!;
    assert.deepEqual([last.image, last.env["COLOUR"]], ["web:1", "blue"]);
    assert.equal((await meta(made!.id))["reason"], "rollback");
    assert.deepEqual(await bench.read(web), { COLOUR: "blue" }, "declared variables have to be set again");
    await until("the end of those before", () => Promise.resolve(running(web).length === 1));
  });

  it("drains for as long as it is told, and restarts in place", async () => {
    const web = await bench.service("web");
    await bench.set(web, { source: { image: "web:1" }, overlapSeconds: 1 });
    const first = await bench.deploy(web);
    await bench.reach(first, "SUCCESS");
    await bench.change("deploymentRestart", { id: ["String!", first] });
    assert.equal(bench.runtime.started.length, 2);
    await bench.reach(await bench.deploy(web), "SUCCESS");
    assert.equal(await bench.status(first), "REMOVING");
    assert.equal(running(web).length, 2, "both serve for a while");
    await until("the old one's end", async () => (await bench.status(first)) === "REMOVED");
  });

  it("asks for health on the port it told, by its own name, and passes requests to who is healthy", async () => {
    const hosts: (string | undefined)[] = [];
    const server = createServer((incoming, response) => {
      hosts.push(incoming.headers.host);
      response.statusCode = incoming.url === "/health" && hosts.length < 3 ? 503 : 200;
      response.end(JSON.stringify(incoming.headers));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    bench.behave = () => ({ listens: { 3000: { host: "127.0.0.1", port } } });
    try {
      const web = await bench.service("web");
      const { serviceDomainCreate: made } = await bench.must<{ serviceDomainCreate: { domain: string } }>(
        "mutation($input: ServiceDomainCreateInput!) { serviceDomainCreate(input: $input) { domain } }",
        { input: { serviceId: web, environmentId: bench.environmentId, targetPort: 3000 } },
      );
      assert.equal(made.domain, "web-production.up.railway.app");
      await until("the domain's listener", () => Object.keys(bench.railway.world.state.edges).length === 1);
      const [edge] = (await bench.control("GET", "edges")) as [{ port: number }];
      const visit = (): Promise<Response> => fetch(`http://127.0.0.1:${edge.port}/x`);
      assert.equal((await visit()).status, 404, "nothing is deployed");
      await bench.set(web, { source: { image: "web:1" }, healthcheckPath: "/health" });
      await bench.variables(web, { PORT: "3000" });
      const id = await bench.deploy(web);
      assert.equal(await bench.reach(id), "SUCCESS", await bench.logs(id));
      assert.deepEqual(hosts, Array(3).fill("healthcheck.railway.app"));
      const answer = (await (await visit()).json()) as Record<string, string>;
      assert.equal(answer["x-forwarded-proto"], "https");
      await bench.change("deploymentRemove", { id: ["String!", id] });
      assert.equal((await visit()).status, 404);
    } finally {
      server.close();
    }
  });

  it("starts a cron service at its minute in UTC, lets one out that finds another still running, and makes up for none", async () => {
    await bench.close();
    let now = Date.UTC(2026, 5, 1, 7, 59, 58);
    bench = await Bench.open({ clock: { ...realClock, now: () => now } });
    const job = await bench.service("job");
    await bench.set(job, { source: { image: "job:1" }, cronSchedule: "0,10 8 * * *", startCommand: "work --now" });
    const id = await bench.deploy(job);
    assert.equal(await bench.reach(id), "SUCCESS");
    await pause(40);
    assert.equal(bench.runtime.started.length, 0, "not when it is deployed");
    const next = (): Promise<unknown> =>
      bench.must(
        "query($s: String!, $e: String!) { serviceInstance(serviceId: $s, environmentId: $e) { nextCronRunAt } }",
        {
          s: job,
          e: bench.environmentId,
        },
      );
    assert.deepEqual(await next(), { serviceInstance: { nextCronRunAt: "2026-06-01T08:00:00.000Z" } });
    now = Date.UTC(2026, 5, 1, 8, 0, 1);
    await until("the first run", () => bench.runtime.started.length === 1);
    assert.deepEqual(bench.runtime.started[0]!.entrypoint, ["work", "--now"]);
    now = Date.UTC(2026, 5, 1, 8, 10, 1);
    await until("the note of the second", async () => (await bench.logs(id)).includes("Skipped"));
    assert.equal(bench.runtime.started.length, 1);
    await bench.runtime.stop(bench.runtime.started[0]!.id);
    await until(
      "its end",
      async () => ((await bench.control("GET", `runs?service=${job}`)) as { code?: number }[])[0]?.code === 0,
    );
    now = Date.UTC(2026, 5, 3, 9, 0, 0);
    await bench.restart();
    await pause(40);
    assert.equal(bench.runtime.started.length, 1, "what was missed is not made up for");
    assert.deepEqual(await next(), { serviceInstance: { nextCronRunAt: "2026-06-04T08:00:00.000Z" } });
  });
});
