import assert from "node:assert/strict";
import { type Bench, type ServiceBody, openBench, paper, pause, timings, until } from "./renderSupport";

const docker = { runtime: "docker", envSpecificDetails: { dockerfilePath: "./Dockerfile", dockerContext: "." } };
const repo = "https://github.com/acme/web";

describe("the emulator of Render", () => {
  let bench: Bench;
  afterEach(() => bench.close());

  const list = async <Item>(path: string, kind: string): Promise<Item[]> =>
    (await bench.call<Record<string, Item>[]>("GET", path)).body.map((row) => row[kind]!);
  const env = async (id: string): Promise<Record<string, string>> => {
    const rows = await list<{ key: string; value: string }>(`/services/${id}/env-vars?limit=100`, "envVar");
    return Object.fromEntries(rows.map(({ key, value }) => [key, value]));
  };
  const deploy = async (id: string, body: object = {}): Promise<string> => {
    const made = await bench.call<{ id: string }>("POST", `/services/${id}/deploys`, body);
    assert.equal(made.status, 201, JSON.stringify(made.body));
    return bench.settle(id, made.body.id);
  };

  it("refuses what the contract doesn't have, by field, path, method, query and key", async () => {
    bench = await openBench();
    const { ownerId } = bench.render;
    const wrong = await bench.call("POST", "/services", { type: "web_service", name: "web", ownerId, colour: "red" });
    assert.deepEqual([wrong.status, wrong.body["message"]], [400, "invalid request: colour is unknown"]);
    const details = { runtime: "image", schedule: "* * * * *" };
    const image = { imagePath: "nginx", ownerId };
    const other = { type: "web_service", name: "web", ownerId, image, serviceDetails: details };
    assert.match(String((await bench.call("POST", "/services", other)).body["message"]), /schedule is unknown/);
    const free = { ...other, serviceDetails: { runtime: "image", plan: "free" } };
    assert.match(String((await bench.call("POST", "/services", free)).body["message"]), /serviceDetails.plan/);
    assert.equal((await bench.call("GET", "/sprockets")).status, 404);
    assert.equal((await bench.call("PUT", "/services")).status, 405);
    assert.equal((await bench.call("GET", "/services?colour=red")).status, 400);
    assert.equal((await bench.call("GET", "/services", undefined, "rnd_nobody")).status, 401);
    assert.deepEqual(await list("/services", "service"), []);
  });

  it("builds and deploys a service of a repository, through its states, with the variables of its creation", async () => {
    // Each state for as long as a busy machine takes to look.
    bench = await openBench({ timings: { ...timings, queue: 200, build: 200, update: 300 } });
    const { id, deploy: first } = await bench.service("web", {
      repo,
      serviceDetails: { ...docker, preDeployCommand: "npm run 'two words'", healthCheckPath: "/health" },
      envVars: [{ key: "KEY", value: "secret" }],
      secretFiles: [{ name: "key.json", content: "{}" }],
    });
    const seen = new Set<string>();
    for (;;) {
      const { status } = (await bench.call<{ status: string }>("GET", `/services/${id}/deploys/${first}`)).body;
      seen.add(status);
      if (status === "live") break;
      await pause(2);
    }
    const states = ["build_in_progress", "pre_deploy_in_progress", "update_in_progress", "live"];
    for (const state of states) assert.ok(seen.has(state), `${state} of ${[...seen].join(", ")}`);
    const [before, web] = bench.runtime.started;
    assert.deepEqual(before!.command, ["npm", "run", "two words"]);
    for (const one of [before!, web!]) {
      assert.equal(one.env["KEY"], "secret");
      assert.equal(one.env["PORT"], "10000");
      assert.equal(one.files[0]!.path, "/etc/secrets/key.json");
    }
    assert.match(web!.image, /^localhost\/build\//);
  });

  it("keeps a service of one name, in one workspace; lists it late and by its name", async () => {
    bench = await openBench({ timings: { ...timings, listed: 1_500 } });
    const { id } = await bench.service("web");
    assert.deepEqual(await list("/services?name=web", "service"), []);
    await until("the service is listed", async () => (await list("/services?name=other,web", "service")).length === 1);
    await assert.rejects(bench.service("web"), /name already in use/);
    const { key } = await bench.control<{ key: string }>("POST", "keys", { owners: ["others"] });
    assert.equal((await bench.call("GET", `/services/${id}`, undefined, key)).status, 404);
    const [read] = await list<ServiceBody>("/services?name=web", "service");
    assert.equal(read!.imagePath, "docker.io/library/nginx:latest");
    assert.equal(read!.serviceDetails["url"], "https://web.onrender.com");
  });

  it("deploys changes only when it is told to, each field by its own call", async () => {
    bench = await openBench();
    const { id, deploy: first } = await bench.service("web", { envVars: [{ key: "A", value: "1" }] });
    assert.equal(await bench.settle(id, first), "live");
    await bench.call("PUT", `/services/${id}/env-vars`, [{ key: "B", value: "2" }]);
    const details = { envSpecificDetails: { dockerCommand: "serve now" } };
    assert.equal((await bench.call("PATCH", `/services/${id}`, { serviceDetails: details })).status, 200);
    const numbers = { serviceDetails: { numInstances: 2 } };
    assert.equal((await bench.call("PATCH", `/services/${id}`, numbers)).status, 400);
    assert.equal(bench.runtime.started.length, 1);
    assert.equal(await deploy(id), "live");
    const newest = bench.runtime.started.at(-1)!;
    assert.deepEqual([newest.env["A"], newest.env["B"], newest.command], [undefined, "2", ["serve", "now"]]);
    assert.deepEqual(await env(id), { B: "2" });
    assert.equal(
      (await bench.call<{ status: string }>("GET", `/services/${id}/deploys/${first}`)).body.status,
      "deactivated",
    );
    assert.equal((await bench.call("POST", `/services/${id}/scale`, { numInstances: 3 })).status, 202);
    assert.equal((await bench.call<unknown[]>("GET", `/services/${id}/instances`)).body.length, 3);
  });

  it("leaves the old version running where a new one fails, and says why", async () => {
    const broken = (image: string): boolean => image.includes("bad");
    bench = await openBench({
      runtime: paper(({ env: { BROKEN }, image }) =>
        BROKEN === "yes" || broken(image) ? { exit: { code: 1, afterMs: 1 }, logs: ["no module named app"] } : {},
      ),
    });
    const { id, deploy: first } = await bench.service("web", {
      serviceDetails: { runtime: "image", preDeployCommand: "migrate" },
    });
    await bench.settle(id, first);
    await bench.call("PUT", `/services/${id}/env-vars`, [{ key: "BROKEN", value: "yes" }]);
    assert.equal(await deploy(id), "pre_deploy_failed");
    await bench.call("PATCH", `/services/${id}`, { serviceDetails: { preDeployCommand: "" } });
    await bench.control("POST", "faults", { kind: "unhealthy", path: "^web/" });
    assert.equal(await deploy(id), "update_failed");
    const [live] = await list<{ id: string }>(`/services/${id}/deploys?status=live`, "deploy");
    assert.equal(live!.id, first);
    assert.equal((await bench.call<unknown[]>("GET", `/services/${id}/instances`)).body.length, 1);
    const query = `ownerId=${bench.render.ownerId}&resource=${id}`;
    const { logs } = (await bench.call<{ logs: { message: string }[] }>("GET", `/logs?${query}&limit=50`)).body;
    assert.ok(logs.some(({ message }) => message === "no module named app"));
  });

  it("brings an older build back with the variables of now", async () => {
    bench = await openBench();
    const { id, deploy: first } = await bench.service("web", { repo, serviceDetails: docker });
    await bench.settle(id, first);
    assert.equal(await deploy(id, { commitId: "b".repeat(40) }), "live");
    await bench.call("PUT", `/services/${id}/env-vars`, [{ key: "A", value: "new" }]);
    const back = await bench.call<{ id: string; trigger: string }>("POST", `/services/${id}/rollback`, {
      deployId: first,
    });
    assert.deepEqual([back.status, back.body.trigger], [201, "rollback"]);
    assert.equal(await bench.settle(id, back.body.id), "live");
    const [oldest, , newest] = bench.runtime.started;
    assert.equal(newest!.image, oldest!.image);
    assert.equal(newest!.env["A"], "new");
  });

  it("answers a deploy that has to wait with nothing, and deploys it afterwards", async () => {
    bench = await openBench();
    const { id, deploy: first } = await bench.service("web");
    const second = await bench.call("POST", `/services/${id}/deploys`, {});
    assert.deepEqual([second.status, second.body], [202, undefined]);
    const [newest] = await list<{ id: string }>(`/services/${id}/deploys?limit=1`, "deploy");
    assert.notEqual(newest!.id, first);
    assert.equal(await bench.settle(id, newest!.id), "live");
  });

  it("lets a disk go with one instance alone, and stops the old one first", async () => {
    bench = await openBench();
    const disk = { name: "data", mountPath: "/data", sizeGB: 10 };
    await assert.rejects(
      bench.service("two", { serviceDetails: { runtime: "image", disk, numInstances: 2 } }),
      /beyond one instance/,
    );
    const { id, deploy: first } = await bench.service("web", { serviceDetails: { runtime: "image", disk } });
    await bench.settle(id, first);
    assert.equal(bench.runtime.started[0]!.volumes[0]!.path, "/data");
    assert.equal((await bench.call("POST", `/services/${id}/scale`, { numInstances: 2 })).status, 400);
    const [read] = await list<{ id: string }>(`/disks?serviceId=${id}`, "disk");
    assert.equal((await bench.call("PATCH", `/disks/${read!.id}`, { sizeGB: 5 })).status, 400);
    await bench.control("POST", "faults", { kind: "unhealthy", path: "^web/" });
    assert.equal(await deploy(id), "update_failed");
    assert.equal(bench.runtime.started.length, 3);
    await bench.call("DELETE", `/services/${id}`);
    assert.deepEqual(bench.runtime.removedVolumes, [read!.id]);
  });

  it("sells databases under names with an ending of their own, by internal addresses", async () => {
    bench = await openBench();
    const { ownerId } = bench.render;
    const body = { name: "db", ownerId, plan: "basic_256mb", version: "17", databaseName: "app" };
    const made = await bench.call<{ id: string; status: string; databaseName: string }>("POST", "/postgres", body);
    assert.deepEqual([made.status, made.body.status], [201, "creating"]);
    assert.match(made.body.databaseName, /^app_\w{4}$/);
    const { id, databaseName } = made.body;
    await until(
      "it is available",
      async () => (await bench.call<{ status: string }>("GET", `/postgres/${id}`)).body.status === "available",
    );
    const info = await bench.call<{ internalConnectionString: string }>("GET", `/postgres/${id}/connection-info`);
    assert.match(info.body.internalConnectionString, new RegExp(`^postgresql://app_user:\\w+@${id}/${databaseName}$`));
    assert.equal((await bench.call("PATCH", `/postgres/${id}`, { version: "18" })).status, 400);
    assert.equal((await bench.call("POST", "/postgres", { ...body, plan: "starter" })).status, 400);
    const cache = await bench.call<{ id: string }>("POST", "/key-value", { name: "c", ownerId, plan: "starter" });
    const known = await bench.call("GET", `/key-value/${cache.body.id}/connection-info`);
    assert.equal(known.body["internalConnectionString"], `redis://${cache.body.id}:6379`);
  });

  it("runs a cron job at its minute in UTC, once at a time, and when it is told to", async () => {
    let now = Date.UTC(2026, 0, 1, 7, 59, 59, 500);
    const started = Date.now();
    const clock = {
      now: () => now + (Date.now() - started),
      sleep: (ms: number) => pause(ms),
    };
    bench = await openBench({
      clock,
      runtime: paper((one) => (one.id.includes("-run-") ? { exit: { code: 0, afterMs: 60 } } : {})),
    });
    const envSpecificDetails = {
      dockerCommand: "/bin/sh -c 'echo $HOME && true'",
      dockerContext: "",
      dockerfilePath: "",
    };
    const { id, deploy: first } = await bench.service("import", {
      type: "cron_job",
      serviceDetails: { runtime: "image", schedule: "0 8 * * *", envSpecificDetails },
    });
    assert.equal(await bench.settle(id, first), "live");
    assert.equal(bench.runtime.started.length, 0);
    now += 1_000;
    await until("it runs", () => bench.runtime.started.length === 1);
    assert.deepEqual(bench.runtime.started[0]!.command, ["/bin/sh", "-c", "echo $HOME && true"]);
    await pause(100);
    assert.equal(bench.runtime.started.length, 1);
    const run = await bench.call<{ status: string }>("POST", `/cron-jobs/${id}/runs`);
    assert.deepEqual([run.status, run.body.status], [200, "pending"]);
    await until("the second run has ended", () =>
      Object.values(bench.render.world.state.runs).every(({ status }) => status === "succeeded"),
    );
  });

  it("runs one-off commands of a service without its disk", async () => {
    bench = await openBench();
    const disk = { name: "data", mountPath: "/data" };
    const { id, deploy: first } = await bench.service("web", { serviceDetails: { runtime: "image", disk } });
    assert.equal((await bench.call("POST", `/services/${id}/jobs`, { startCommand: "seed" })).status, 400);
    await bench.settle(id, first);
    const job = await bench.call<{ id: string }>("POST", `/services/${id}/jobs`, { startCommand: "seed 1" });
    await until(
      "it succeeded",
      async () => (await bench.call("GET", `/services/${id}/jobs/${job.body.id}`)).body["status"] === "succeeded",
    );
    const { command, volumes } = bench.runtime.started.at(-1)!;
    assert.deepEqual([command, volumes], [["seed", "1"], []]);
  });

  it("answers by pages of 20", async () => {
    bench = await openBench();
    const envVars = Array.from({ length: 45 }, (_, index) => ({ key: `K${index}`, value: "v" }));
    const { id } = await bench.service("web", { envVars });
    const rows = (await bench.call<{ cursor: string }[]>("GET", `/services/${id}/env-vars`)).body;
    assert.equal(rows.length, 20);
    const next = `/services/${id}/env-vars?limit=100&cursor=${rows.at(-1)!.cursor}`;
    assert.equal((await bench.call<unknown[]>("GET", next)).body.length, 25);
  });

  it("holds a project's environments, which can't go while anything is in them", async () => {
    bench = await openBench();
    const { ownerId } = bench.render;
    const made = await bench.call<{ id: string; environmentIds: string[] }>("POST", "/projects", {
      ...{ name: "hotrod", ownerId, environments: [{ name: "dev" }] },
    });
    const [environmentId] = made.body.environmentIds;
    const { id } = await bench.service("web", { environmentId });
    const read = await bench.call("GET", `/environments/${environmentId!}`);
    assert.deepEqual([read.body["serviceIds"], read.body["databasesIds"]], [[id], null]);
    assert.equal((await bench.call("DELETE", `/environments/${environmentId!}`)).status, 400);
    await bench.call("DELETE", `/services/${id}`);
    assert.equal((await bench.call("DELETE", `/projects/${made.body.id}`)).status, 204);
  });

  it("makes a domain's twin, verifies it when it is asked to, and refuses it to another service", async () => {
    bench = await openBench();
    const { id } = await bench.service("web");
    const made = await bench.call<{ name: string; redirectForName: string }[]>(
      "POST",
      `/services/${id}/custom-domains`,
      {
        name: "example.com",
      },
    );
    assert.deepEqual(
      made.body.map(({ name, redirectForName }) => [name, redirectForName]),
      [
        ["example.com", ""],
        ["www.example.com", "example.com"],
      ],
    );
    await bench.call("POST", `/services/${id}/custom-domains/example.com/verify`);
    await until(
      "it is verified",
      async () =>
        (await bench.call("GET", `/services/${id}/custom-domains/example.com`)).body["verificationStatus"] ===
        "verified",
    );
    const other = await bench.service("other");
    const again = await bench.call("POST", `/services/${other.id}/custom-domains`, { name: "example.com" });
    assert.equal(again.status, 409);
  });

  it("limits calls as Render does, and says how long in seconds", async () => {
    bench = await openBench({ settings: { rateLimits: true } });
    for (let index = 0; index < 20; index++) await bench.service(`web-${index}`);
    await assert.rejects(bench.service("one-more"), /rate limit exceeded/);
    const { ownerId } = bench.render;
    const limited = await bench.call("POST", "/services", { type: "web_service", name: "x", ownerId });
    assert.deepEqual([limited.status, limited.headers.get("ratelimit-limit")], [429, "20"]);
    const reset = Number(limited.headers.get("ratelimit-reset"));
    assert.ok(reset > 3_500 && reset <= 3_600, String(reset));
    assert.equal((await bench.call("GET", "/services")).headers.get("ratelimit-limit"), "400");
  });

  it("does what it is told to do wrong: refuses, loses answers, and counts the calls", async () => {
    bench = await openBench();
    await bench.control("POST", "faults", { kind: "lost", method: "POST", path: "/services$" });
    await assert.rejects(bench.service("web"), /fetch failed/);
    assert.equal(Object.keys(bench.render.world.state.services).length, 1);
    await bench.control("POST", "faults", { kind: "status", status: 429, retryAfter: "7" });
    const limited = await bench.call("GET", "/owners");
    assert.deepEqual([limited.status, limited.headers.get("ratelimit-reset")], [429, "7"]);
    const entries = bench.render.journal.entries().map(({ method, status }) => [method, status]);
    assert.deepEqual(entries, [
      ["POST", 0],
      ["GET", 429],
    ]);
  });

  it("goes on after it has ended amid a deploy", async () => {
    bench = await openBench();
    const { id, deploy: first } = await bench.service("web", { repo, serviceDetails: docker });
    await pause(20);
    await bench.restart();
    assert.equal(await bench.settle(id, first), "live");
    assert.equal((await bench.call<unknown[]>("GET", `/services/${id}/instances`)).body.length, 1);
  });
});
