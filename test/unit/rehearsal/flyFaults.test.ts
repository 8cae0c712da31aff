import assert from "node:assert/strict";
import { type Bench, openBench, until } from "./flySupport";
import { JumpingClock } from "./jumpingClock";

const minute = 60_000;

describe("the emulator of Fly.io, when things go wrong", () => {
  let bench: Bench;
  let clock: JumpingClock;
  beforeEach(async () => {
    clock = new JumpingClock();
    bench = await openBench({ clock });
    await bench.app("web");
  });
  afterEach(() => bench.close());

  it("refuses the next matching calls, and those alone, before anything is done", async () => {
    await bench.control("POST", "faults", {
      kind: "status",
      status: 429,
      method: "POST",
      path: "/machines$",
      count: 2,
    });
    const make = (): Promise<{ status: number; headers: Headers }> =>
      bench.call("POST", "/apps/web/machines", { config: { image: "a:1" } });
    const refused = [await make(), await make()];
    assert.deepEqual(
      refused.map(({ status }) => status),
      [429, 429],
    );
    assert.equal(refused[0]!.headers.get("retry-after"), null);
    assert.ok(refused[0]!.headers.get("fly-request-id"));
    assert.equal((await bench.call("GET", "/apps/web/machines")).body.length, 0);
    assert.equal((await make()).status, 200);
    await bench.control("POST", "faults", { kind: "status", status: 503, retryAfter: "2", after: 1 });
    assert.equal((await bench.call("GET", "/apps/web")).status, 200);
    const late = await bench.call("GET", "/apps/web");
    assert.deepEqual([late.status, late.headers.get("retry-after")], [503, "2"]);
    await bench.control("POST", "faults", { kind: "status", status: 500, count: 99 });
    await bench.control("DELETE", "faults");
    assert.equal((await bench.call("GET", "/apps/web")).status, 200);
  });

  it("loses an answer after it has acted, and a call before", async () => {
    await bench.control("POST", "faults", { kind: "lost", method: "POST" });
    await assert.rejects(bench.call("POST", "/apps/web/machines", { config: { image: "a:1" } }), /fetch failed/);
    await until("the machine", async () => (await bench.call("GET", "/apps/web/machines")).body.length === 1);
    await bench.control("POST", "faults", { kind: "refused", method: "POST" });
    await assert.rejects(bench.call("POST", "/apps/web/machines", { config: { image: "a:1" } }), /fetch failed/);
    assert.equal((await bench.call("GET", "/apps/web/machines")).body.length, 1);
    await bench.control("POST", "faults", { kind: "slow", ms: 120 });
    const began = performance.now();
    assert.equal((await bench.call("GET", "/apps/web")).status, 200);
    assert.ok(performance.now() - began >= 115);
  });

  it("takes a region's room away, for machines and volumes, and tells so beforehand", async () => {
    await bench.control("POST", "regions", { code: "fra", capacity: 0 });
    const make = (region: string): ReturnType<Bench["call"]> =>
      bench.call("POST", "/apps/web/machines", { region, config: { image: "a:1" } });
    const refused = await make("fra");
    assert.equal(refused.body.status, "insufficient_capacity");
    assert.match(refused.body.error, /could not reserve resource for machine/);
    assert.equal((await make("fra,iad")).body["region"], "iad");
    const volume = await bench.call("POST", "/apps/web/volumes", { name: "data", region: "fra" });
    assert.equal(volume.body.status, "insufficient_capacity");
    const asked = await bench.call("POST", "/platform/placements", {
      org_slug: "personal",
      region: "fra,iad",
      count: 2,
    });
    assert.deepEqual(asked.body["regions"], [{ region: "iad", count: 2, concurrency: 10 }]);
    await bench.control("POST", "regions", { code: "fra", capacity: 1 });
    assert.equal((await make("fra")).status, 200);
    assert.equal((await make("fra")).status, 503, "its room is used up");
  });

  it("has machines that don't start, or never get healthy", async () => {
    const config = {
      services: [{ protocol: "tcp", internal_port: 8080, checks: [{ type: "tcp", grace_period: "1m" }] }],
    };
    const statuses = async (id: string): Promise<string[]> =>
      ((await bench.call("GET", `/apps/web/machines/${id}`)).body["checks"] as { status: string }[]).map(
        ({ status }) => status,
      );
    await bench.control("POST", "faults", { kind: "startFailure", path: "^web/" });
    assert.equal(await bench.state("web", await bench.machine("web", config)), "failed");
    await bench.control("POST", "faults", { kind: "unhealthy", path: "^web/" });
    const sick = await bench.machine("web", config);
    assert.deepEqual(await statuses(sick), ["warning"], "its grace period isn't over");
    clock.jump(minute);
    await until("the failed check", async () => (await statuses(sick))[0] === "critical");
    const well = await bench.machine("web", config);
    await until("the passing check", async () => (await statuses(well))[0] === "passing");
  });

  it("limits calls by action and machine as documented, and says when to come again if it is told to", async () => {
    const id = await bench.machine("web");
    await bench.control("POST", "settings", { rateLimits: true });
    const path = `/apps/web/machines/${id}`;
    const burst = async (method: string, of: string, times: number): Promise<string> => {
      const all = await Promise.all([...Array<undefined>(times)].map(() => bench.call(method, of)));
      return all
        .map(({ status }) => status)
        .sort()
        .join(" ");
    };
    await clock.hold(async () => {
      assert.equal(await burst("POST", `${path}/cordon`, 4), "200 200 200 429");
      assert.equal(await burst("POST", `${path}/uncordon`, 3), "200 200 200", "each action has its own");
      assert.match(await burst("GET", path, 12), /^(200 ){10}(429 ?){2}$/);
      const refused = await bench.call("POST", `${path}/cordon`);
      assert.deepEqual([refused.status, refused.headers.get("retry-after")], [429, null]);
      await bench.control("POST", "settings", { retryAfter: true });
      assert.equal((await bench.call("POST", `${path}/cordon`)).headers.get("retry-after"), "1");
    });
    clock.jump(1000);
    assert.equal((await bench.call("POST", `${path}/cordon`)).status, 200);
  });

  it("knows names that others have", async () => {
    await bench.control("POST", "names", { taken: ["theirs"] });
    assert.equal((await bench.call("GET", "/apps/theirs")).status, 403);
    for (const name of ["theirs", "web"]) {
      const refused = await bench.call("POST", "/apps", { name, org_slug: "personal" });
      assert.deepEqual([refused.status, refused.body.status], [422, "name_taken"]);
    }
    assert.equal((await bench.call("GET", "/apps/free")).status, 404);
    const key = { name: "again", org_slug: "personal", idempotency_key: "k" };
    const first = await bench.call("POST", "/apps", key);
    assert.equal((await bench.call("POST", "/apps", key)).body.id, first.body.id);
    assert.equal((await bench.call("POST", "/apps", { ...key, name: "other" })).status, 422);
  });

  it("tells tokens apart: missing, malformed, unknown, expired, another organization's, one app's", async () => {
    const as = async (authorization: string, path = "/apps/web"): Promise<number> =>
      (await bench.call("GET", path, undefined, { authorization })).status;
    const token = async (wanted: unknown): Promise<string> =>
      ((await bench.control("POST", "tokens", wanted)) as { token: string }).token;
    const own = bench.fly.token;
    assert.equal(await as(`FlyV1 ${own}`), 200);
    for (const wrong of ["", own, `Bearer FlyV1 ${own}`, "Bearer fm2_nobody"])
      assert.equal(await as(wrong), 401, wrong);
    assert.equal(await as(`Bearer ${await token({ org: "personal", expiresAt: Date.now() - 1 })}`), 401);
    await bench.control("POST", "organizations", { slug: "others" });
    assert.equal(await as(`Bearer ${await token({ org: "others" })}`), 403);
    await bench.app("second");
    const made = await bench.call("POST", "/apps/web/deploy_token", { expiry: "1h" });
    assert.match(made.body.token, /^FlyV1 fm2_/);
    assert.equal(await as(made.body.token), 200);
    assert.equal(await as(made.body.token, "/apps/second"), 403);
    assert.equal(await as(made.body.token, "/apps?org_slug=personal"), 403);
    const current = await bench.call("GET", "/tokens/current", undefined, { authorization: made.body.token });
    assert.deepEqual((current.body["tokens"] as { apps: string[] }[])[0]?.apps, ["web"]);
  });

  it("gives addresses and certificates, with the records that they need", async () => {
    const assign = (type: string): ReturnType<Bench["call"]> =>
      bench.call("POST", "/apps/web/ip_assignments", { type });
    assert.equal((await assign("shared_v4")).body["shared"], true);
    assert.equal((await assign("shared_v4")).body["shared"], true);
    const v6 = String((await assign("v6")).body["ip"]);
    const listed = (await bench.call("GET", "/apps/web/ip_assignments")).body as unknown as { ips: unknown[] };
    assert.equal(listed.ips.length, 2, "a shared address is given once");
    const path = "/apps/web/certificates";
    const made = await bench.call("POST", `${path}/acme`, { hostname: "shop.example.com" });
    assert.deepEqual([made.status, made.body.status], [201, "pending_validation"]);
    assert.deepEqual((made.body["dns_requirements"] as { aaaa: string[] }).aaaa, [v6]);
    assert.equal((await bench.call("POST", `${path}/acme`, { hostname: "shop.example.com" })).status, 422);
    assert.equal((await bench.call("POST", `${path}/acme`, { hostname: "shop" })).status, 422);
    await until("the certificate", async () => {
      const { body } = await bench.call("POST", `${path}/shop.example.com/check`);
      return (body["certificates"] as { status: string }[])[0]?.status === "active";
    });
    assert.equal((await bench.call("DELETE", `${path}/shop.example.com`)).status, 204);
    assert.equal((await bench.call("GET", `${path}/shop.example.com`)).status, 404);
    assert.equal((await bench.call("DELETE", `/apps/web/ip_assignments/${v6}`)).status, 204);
  });

  it("tells of what is new in lists only after a while, though each can be read at once", async () => {
    const lists = ["volumes", "ip_assignments", "certificates", "secrets"];
    const count = async (list: string): Promise<number> => {
      const { body } = await bench.call("GET", `/apps/web/${list}`);
      const key = list === "ip_assignments" ? "ips" : list;
      return (Array.isArray(body) ? body : (body[key] as unknown[])).length;
    };
    await bench.control("POST", "timings", { listed: minute });
    const volume = await bench.call("POST", "/apps/web/volumes", { name: "data", region: "fra" });
    await bench.call("POST", "/apps/web/ip_assignments", { type: "v6" });
    await bench.call("POST", "/apps/web/certificates/acme", { hostname: "shop.example.com" });
    await bench.call("POST", "/apps/web/secrets", { values: { KEY: "x" } });
    assert.deepEqual(await Promise.all(lists.map(count)), [0, 0, 0, 0]);
    assert.equal((await bench.call("GET", `/apps/web/volumes/${volume.body.id}`)).status, 200);
    assert.equal((await bench.call("GET", "/apps/web/certificates/shop.example.com")).status, 200);
    clock.jump(minute);
    await until("the lists", async () => (await Promise.all(lists.map(count))).every((one) => one === 1));
    await bench.call("POST", "/apps/web/secrets", { values: { KEY: null } });
    assert.equal(await count("secrets"), 1);
    clock.jump(minute);
    await until("the secret's end", async () => (await count("secrets")) === 0);
  });

  it("lets a volume go some time after its machine is gone", async () => {
    await bench.control("POST", "timings", { detach: minute });
    const { id: volume } = (await bench.call("POST", "/apps/web/volumes", { name: "data", region: "fra" })).body;
    const config = { mounts: [{ volume, path: "/data" }] };
    const machine = await bench.machine("web", config, { region: "fra" });
    await bench.call("DELETE", `/apps/web/machines/${machine}?force=true`);
    await until("the machine's end", async () => (await bench.state("web", machine)) === "destroyed");
    const holder = async () => (await bench.call("GET", `/apps/web/volumes/${volume}`)).body["attached_machine_id"];
    assert.equal(await holder(), machine);
    const another = { region: "fra", config: { image: "a:1", ...config } };
    assert.equal((await bench.call("POST", "/apps/web/machines", another)).status, 412);
    assert.equal((await bench.call("DELETE", `/apps/web/volumes/${volume}`)).status, 412);
    clock.jump(minute);
    await until("the volume's release", async () => (await holder()) === null);
    assert.equal((await bench.call("POST", "/apps/web/machines", another)).status, 200);
  });

  it("makes Postgres clusters that take their time", async () => {
    const wanted = { org_slug: "personal", region: "iad", plan: "basic", name: "db" };
    await bench.control("POST", "timings", { postgres: minute });
    const made = await bench.call("POST", "/postgres", wanted);
    const { id, status } = made.body["data"] as { id: string; status: string };
    assert.equal(status, "creating");
    assert.equal((await bench.call("POST", `/postgres/${id}/databases`, { name: "shop" })).status, 422);
    const read = async (path = ""): Promise<Record<string, unknown>> =>
      (await bench.call("GET", `/postgres/${id}${path}`)).body["data"] as Record<string, unknown>;
    clock.jump(minute);
    await until("the cluster", async () => (await read())["status"] === "ready");
    assert.equal((await bench.call("POST", `/postgres/${id}/databases`, { name: "shop" })).status, 201);
    assert.equal((await bench.call("POST", `/postgres/${id}/databases`, { name: "shop" })).status, 422);
    assert.equal(
      (await bench.call("POST", `/postgres/${id}/databases/shop/extensions`, { name: "vector" })).status,
      201,
    );
    assert.equal((await bench.call("POST", `/postgres/${id}/databases/shop/extensions`, { name: "nope" })).status, 422);
    assert.equal((await bench.call("POST", `/postgres/${id}/users`, { username: "shop", role: "writer" })).status, 201);
    const before = await read("/users/shop/credentials");
    await bench.call("POST", `/postgres/${id}/users/shop/rotate_password`);
    assert.notEqual((await read("/users/shop/credentials"))["password"], before["password"]);
    await bench.call("POST", `/postgres/${id}/attachments`, { app_name: "web" });
    await bench.call("POST", `/postgres/${id}/attachments`, { app_name: "web" });
    assert.deepEqual((await read())["attached_apps"], [{ name: "web" }]);
    assert.equal((await bench.call("DELETE", `/postgres/${id}`)).status, 202);
    assert.equal((await bench.call("GET", `/postgres/${id}`)).status, 404);
  });

  it("keeps a list of the calls it got, and which of them ask for a change", async () => {
    const { number = 0 } = ((await bench.control("GET", "calls")) as { number: number }[]).at(-1) ?? {};
    await bench.call("GET", "/apps/web");
    await bench.call("POST", "/apps/web/secrets", { values: { KEY: "hidden-value" } });
    await bench.graphql("query { viewer { __typename } }");
    await bench.graphql("mutation($input: SetSecretsInput!) { setSecrets(input: $input) { app { id } } }", {
      input: { appId: "web", secrets: [{ key: "A", value: "hidden-value" }] },
    });
    const calls = (await bench.control("GET", `calls?after=${number}`)) as {
      path: string;
      status: number;
      changes: boolean;
    }[];
    assert.deepEqual(
      calls.map(({ path, status, changes }) => [path, status, changes]),
      [
        ["/v1/apps/web", 200, false],
        ["/v1/apps/web/secrets", 200, true],
        ["/graphql", 200, false],
        ["/graphql", 200, true],
      ],
    );
    assert.ok(!JSON.stringify(calls).includes("hidden-value"));
  });
});
