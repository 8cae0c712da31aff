import assert from "node:assert/strict";
import { DriverError } from "../../../drivers/error";
import { without } from "../../../rehearsal/platform/without";
import { paper } from "../rehearsal/renderSupport";
import { commit, Scene, shop } from "./scene";

const running = (version: string): string[] => [
  `shop-dev-report ${version}`,
  "shop-dev-search docker.io/getmeili/meilisearch:v1 x1",
  `shop-dev-web ${version} x1 with ${version}`,
  `shop-dev-worker ${version} x1`,
];

/** A paper Render whose branches are at a version that a test sets. */
async function open(
  options: Parameters<typeof Scene.open>[0] = {},
): Promise<{ scene: Scene; head: { version: string } }> {
  const head = { version: "a1" };
  const scene = await Scene.open({
    ...options,
    settings: {
      ...options.settings,
      commit: (_repo, _branch, id) => Promise.resolve({ id: id ?? commit(head.version), message: "A change" }),
    },
  });
  return { scene, head };
}

/** What services are set to, without the times that change by themselves. */
const settingsOf = (scene: Scene): object[] =>
  Object.values(scene.state.services).map((service) => without(service, "updatedAt", "lookedAt"));

describe("deploying to Render", () => {
  let scene: Scene;
  let head: { version: string };
  afterEach(() => scene.bench.close());

  const failure = async (run: Promise<unknown>): Promise<string> => {
    const error: unknown = await run.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof DriverError, String(error));
    return error.message;
  };

  it("makes everything once, with its variables in the first create, and waits until it is live", async () => {
    ({ scene, head } = await open());
    const { services, data, changes } = await scene.up(scene.spec(shop()));
    assert.deepEqual(scene.running(), running("a1"));
    assert.equal(services["web"]!.url, "https://shop.example.com");
    assert.deepEqual(services["web"]!.dns, [
      { name: "shop.example.com", type: "CNAME", value: "shop-dev-web.onrender.com" },
    ]);
    const posts = scene.changing().filter((line) => !line.startsWith("PUT"));
    assert.deepEqual(posts.sort(), [
      "POST /key-value",
      "POST /postgres",
      "POST /projects",
      ...Array.from({ length: 4 }, () => "POST /services"),
      "POST /services/srv/custom-domains",
    ]);
    const web = scene.bench.runtime.started.find(({ env }) => env["VERSION"] === "a1")!;
    const [search] = Object.values(scene.state.services).filter(({ name }) => name === "shop-dev-search");
    assert.equal(web.env["REDIS_URL"], `redis://${data["cache"]!}:6379`);
    assert.match(web.env["DATABASE_URL"]!, new RegExp(`^postgresql://.*@${data["db"]!}/`));
    assert.equal(web.env["SEARCH_URL"], `http://${search!.slug}:7700`);
    assert.deepEqual(web.command, ["/bin/sh", "-c", "npm run migrate"]);
    assert.ok(changes.includes("shop-dev-web: made"));
    assert.ok(!scene.lines.join("\n").includes("s3cr3t"));
  });

  it("changes nothing where nothing has changed", async () => {
    ({ scene, head } = await open());
    await scene.up(scene.spec(shop()));
    const before = scene.calls;
    const { changes, calls } = await scene.up(scene.spec(shop()));
    assert.deepEqual([changes, scene.changing(before)], [[], []]);
    assert.ok(calls <= 20, String(calls));
  });

  it("deploys a new version with one deploy a service, in the order that Render wants", async () => {
    ({ scene, head } = await open());
    await scene.up(scene.spec(shop()));
    head.version = "b2";
    const before = scene.calls;
    await scene.up(scene.spec(shop("b2")));
    assert.deepEqual(scene.running(), running("b2"));
    const web = scene.changing(before).filter((line) => line.includes("/srv/"));
    assert.deepEqual(web.slice(0, 3), [
      "PUT /services/srv/env-vars",
      "POST /services/srv/deploys",
      "PUT /services/srv/env-vars/HOMEPORT_PROVEN",
    ]);
    const deploys = scene.changing(before).filter((line) => line.endsWith("/deploys"));
    assert.equal(deploys.length, 3);
  });

  it("deploys the planned commit where the branch has moved meanwhile", async () => {
    ({ scene, head } = await open());
    head.version = "c3";
    const { changes } = await scene.up(scene.spec(shop("a1")));
    assert.ok(scene.running().includes("shop-dev-web a1 x1 with a1"));
    // A cron job's deploy takes no commit, which is told.
    assert.ok(scene.running().includes("shop-dev-report c3"));
    assert.ok(changes.some((line) => line.startsWith("shop-dev-report: has c30000000000, as the branch has moved")));
  });

  it("leaves all as it was where a new version doesn't get healthy, and says why", async () => {
    ({ scene, head } = await open({
      runtime: paper(({ env }) =>
        env["VERSION"] === "bad" ? { exit: { code: 1, afterMs: 1 }, logs: ["no module named app"] } : {},
      ),
    }));
    await scene.up(scene.spec(shop()));
    const settings = structuredClone(settingsOf(scene));
    head.version = "bad";
    const message = await failure(
      scene.up(scene.spec(shop("bad", { release: "npm run other", command: "exec other" }))),
    );
    assert.match(message, /shop-dev-web doesn't get live: pre deploy failed/);
    assert.match(message, /why: .*(no module named app|status 1)/);
    assert.deepEqual(scene.running(), running("a1"));
    assert.deepEqual(settingsOf(scene), settings);
    head.version = "a1";
    const before = scene.calls;
    await scene.up(scene.spec(shop()));
    assert.deepEqual(scene.changing(before), []);
  });

  it("rolls back what got live beside a service that failed", async () => {
    ({ scene, head } = await open());
    await scene.up(scene.spec(shop()));
    head.version = "b2";
    await scene.bench.control("POST", "faults", { kind: "buildFailure", path: "^shop-dev-worker" });
    assert.match(await failure(scene.up(scene.spec(shop("b2")))), /shop-dev-worker doesn't get live: build failed/);
    assert.deepEqual(scene.running(), running("a1"));
    await scene.up(scene.spec(shop("b2")));
    assert.deepEqual(scene.running(), running("b2"));
  });

  it("keeps the old version where a new one isn't healthy, with its settings", async () => {
    ({ scene, head } = await open());
    await scene.up(scene.spec(shop()));
    const settings = structuredClone(settingsOf(scene));
    head.version = "b2";
    await scene.bench.control("POST", "faults", { kind: "unhealthy", path: "^shop-dev-web" });
    const message = await failure(scene.up(scene.spec(shop("b2", { healthPath: "/other" }))));
    assert.match(message, /shop-dev-web doesn't get live: update failed/);
    assert.match(message, /why: Timed out after waiting for internal health check.*\/other/);
    assert.deepEqual([scene.running(), settingsOf(scene)], [running("a1"), settings]);
  });

  it("deploys again what was made and never got live, once it is mended", async () => {
    ({ scene, head } = await open());
    await scene.bench.control("POST", "faults", { kind: "unhealthy", path: "^shop-dev-web" });
    assert.match(await failure(scene.up(scene.spec(shop()))), /shop-dev-web doesn't get live: update failed/);
    await scene.up(scene.spec(shop()));
    assert.deepEqual(scene.running(), running("a1"));
    assert.equal(Object.keys(scene.state.services).length, 4);
  });

  it("deploys a service of which a secret alone has changed, and no other", async () => {
    ({ scene, head } = await open());
    await scene.up(scene.spec(shop()));
    const [search, web, ...others] = shop();
    const before = scene.calls;
    const changed = { ...web!, env: { ...web!.env, API_KEY: "an0ther/value" } };
    await scene.up(scene.spec([search!, changed, ...others]));
    assert.deepEqual(scene.changing(before), [
      "PUT /services/srv/env-vars",
      "POST /services/srv/deploys",
      "PUT /services/srv/env-vars/HOMEPORT_PROVEN",
    ]);
    assert.equal(scene.bench.runtime.started.at(-1)!.env["API_KEY"], "an0ther/value");
    assert.ok(!scene.lines.join("\n").includes("an0ther/value"));
  });

  it("says what to do where the key isn't taken, before or amid a deploy, and goes on with another", async () => {
    ({ scene, head } = await open());
    const expired = scene.spec(shop(), { connection: { apiUrl: scene.bench.render.endpoint, apiKey: "rnd_expired" } });
    const before = scene.calls;
    assert.match(await failure(scene.up(expired)), /doesn't take the API key.*\n.*\n.*\n.*--secret render:apiKey/);
    assert.deepEqual(scene.changing(before), []);
    for (const after of [1, 3]) {
      const unauthorized = { kind: "status", status: 401, after, count: 1_000 };
      await scene.bench.control("POST", "faults", { ...unauthorized, method: "^(POST|PUT)$" });
      assert.match(await failure(scene.up(scene.spec(shop()))), /doesn't take the API key/);
      await scene.bench.control("DELETE", "faults");
    }
    await scene.up(scene.spec(shop()));
    assert.deepEqual(scene.running(), running("a1"));
  });

  it("scales without a deploy, and grows a disk but never shrinks it", async () => {
    ({ scene, head } = await open());
    const disk = { name: "data", path: "/data", sizeGb: 10 };
    await scene.up(scene.spec(shop("a1", { disk })));
    const before = scene.calls;
    const [, web, worker] = shop("a1", { disk: { ...disk, sizeGb: 20 } });
    const more = { ...worker!, instances: { min: 3, max: 3 } };
    const [search, , , report] = shop();
    await scene.up(scene.spec([search!, web!, more, report!]));
    assert.deepEqual(scene.changing(before).sort(), ["PATCH /disks/dsk", "POST /services/srv/scale"]);
    assert.equal(Object.values(scene.state.disks)[0]!.sizeGB, 20);
    await scene.up(scene.spec([search!, shop("a1", { disk })[1]!, more, report!]));
    assert.equal(Object.values(scene.state.disks)[0]!.sizeGB, 20);
    const auto = { ...more, instances: { min: 1, max: 4 } };
    await scene.up(scene.spec([search!, web!, auto, report!]));
    const quiet = scene.calls;
    await scene.up(scene.spec([search!, web!, auto, report!]));
    assert.deepEqual(scene.changing(quiet), []);
  });

  it("refuses what is another's, what is there twice, and what would take a replacement, all at once", async () => {
    ({ scene, head } = await open());
    const { ownerId } = scene.bench.render;
    await scene.bench.service("shop-dev-web");
    const pg = { ownerId, plan: "basic_256mb", version: "16", region: "oregon", name: "shop-dev-db" };
    for (let count = 0; count < 2; count++) await scene.bench.call("POST", "/postgres", pg);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const before = scene.calls;
    const message = await failure(scene.up(scene.spec(shop())));
    assert.match(message, /shop-dev-web \(srv-\w+\) is there already, and isn't shop-dev's/);
    assert.match(message, /has shop-dev-db more than once \(dpg-\w+-a, dpg-\w+-a\)/);
    assert.match(message, /version is 16, and Render can't change it to 17: .*come up empty/);
    assert.match(message, /Nothing was changed/);
    assert.deepEqual(scene.changing(before), []);
  });

  it("says so where a name below onrender.com is somebody else's and the app's variables say it", async () => {
    ({ scene, head } = await open());
    await scene.bench.control("POST", "names", { taken: ["shop-dev-web"] });
    const [search, web, ...others] = shop();
    const told = { ...web!, env: { ...web!.env, PUBLIC_URL: "https://shop-dev-web.onrender.com" } };
    const message = await failure(scene.up(scene.spec([search!, told, ...others])));
    assert.match(
      message,
      /It was deleted again.*\n.*\n.*gives shop-dev-web shop-dev-web-\w+\.onrender\.com, and variables of web/,
    );
    assert.match(message, /pulumi config set --path render:names\.APP-PART NAME/);
    assert.deepEqual(scene.running(), ["shop-dev-search docker.io/getmeili/meilisearch:v1 x1"]);
    // Without such a variable it is as good as any.
    const { services } = await scene.up(scene.spec([search!, web!, ...others]));
    assert.match(services["web"]!.dns[0]!.value, /^shop-dev-web-\w+\.onrender\.com$/);
    const before = scene.calls;
    assert.match(await failure(scene.up(scene.spec([search!, told, ...others]))), /Nothing was changed/);
    assert.deepEqual(scene.changing(before), []);
  });

  it("takes over by name what it is told to", async () => {
    ({ scene, head } = await open());
    const made = await scene.bench.service("shop-dev-web", {
      repo: "https://github.com/acme/shop",
      serviceDetails: { runtime: "docker", region: "frankfurt" },
    });
    await scene.bench.settle(made.id, made.deploy);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const { services } = await scene.up(scene.spec(shop(), { adopt: ["shop-dev-web"] }));
    assert.equal(services["web"]!.id, made.id);
    assert.deepEqual(scene.running(), running("a1"));
  });

  it("ends a job that the app has no more, and suspends what has a disk", async () => {
    ({ scene, head } = await open());
    const disk = { name: "data", path: "/data", sizeGb: 10 };
    await scene.up(scene.spec(shop("a1", { disk })));
    const [search] = shop();
    await scene.up(scene.spec([search!]));
    const left = Object.values(scene.state.services).map(({ name, suspended }) => [name, suspended]);
    assert.deepEqual(left.sort(), [
      ["shop-dev-search", false],
      ["shop-dev-web", true],
    ]);
  });

  const domainsOf = (name: string): string[] => {
    const service = Object.values(scene.state.services).find((one) => one.name === name);
    const own = Object.values(scene.state.domains).filter(({ serviceId }) => serviceId === service?.id);
    return own.map((domain) => domain.name).sort();
  };
  const withDomains = (...domains: string[]) => scene.spec(shop("a1", { domains }));

  it("takes off a domain that isn't declared any more, with its twin, and leaves what somebody added by hand", async () => {
    ({ scene, head } = await open());
    await scene.up(withDomains("example.com"));
    const [web] = Object.values(scene.state.services).filter(({ name }) => name === "shop-dev-web");
    await scene.bench.call("POST", `/services/${web!.id}/custom-domains`, { name: "by.hand.example.org" });
    const before = scene.calls;
    const { changes } = await scene.up(withDomains("shop.example.com"));
    assert.deepEqual(domainsOf("shop-dev-web"), ["by.hand.example.org", "shop.example.com"]);
    assert.ok(changes.includes("shop-dev-web: example.com is taken off"), changes.join("\n"));
    assert.deepEqual(scene.changing(before), [
      "PUT /services/srv/env-vars/HOMEPORT_DOMAINS",
      "POST /services/srv/custom-domains",
      "DELETE /services/srv/custom-domains/example.com",
      "DELETE /services/srv/custom-domains/www.example.com",
      "PUT /services/srv/env-vars/HOMEPORT_DOMAINS",
    ]);
    await scene.up(withDomains("by.hand.example.org"));
    assert.deepEqual(domainsOf("shop-dev-web"), ["by.hand.example.org"]);
    const quiet = scene.calls;
    await scene.up(withDomains());
    assert.deepEqual([domainsOf("shop-dev-web"), scene.changing(quiet)], [["by.hand.example.org"], []]);
  });

  it("turns a domain round that led to the one from before", async () => {
    ({ scene, head } = await open());
    await scene.up(withDomains("example.com"));
    await scene.up(withDomains("www.example.com"));
    const led = Object.values(scene.state.domains).map(({ name, redirectForName }) => [name, redirectForName]);
    assert.deepEqual(led.sort(), [
      ["example.com", "www.example.com"],
      ["www.example.com", ""],
    ]);
    const quiet = scene.calls;
    await scene.up(withDomains("www.example.com"));
    assert.deepEqual(scene.changing(quiet), []);
  });

  it("gives a domain to another service of the app, and frees that of one that is suspended", async () => {
    ({ scene, head } = await open());
    const disk = { name: "data", path: "/data", sizeGb: 10 };
    await scene.up(scene.spec(shop("a1", { disk })));
    const [search, , worker, report] = shop();
    const site = { ...search!, part: "site", name: "shop-dev-site", type: "web_service" as const };
    await scene.up(scene.spec([search!, { ...site, domains: ["shop.example.com"] }, worker!, report!]));
    assert.deepEqual([domainsOf("shop-dev-web"), domainsOf("shop-dev-site")], [[], ["shop.example.com"]]);
    await scene.up(scene.spec([search!, site, { ...shop("a1", { disk })[1]!, domains: ["shop.example.com"] }]));
    assert.deepEqual([domainsOf("shop-dev-web"), domainsOf("shop-dev-site")], [["shop.example.com"], []]);
    await scene.up(scene.spec([search!, site]));
    assert.deepEqual(domainsOf("shop-dev-web"), []);
  });

  it("knows its own domains also after a version that failed and was taken back", async () => {
    ({ scene, head } = await open());
    await scene.up(withDomains());
    head.version = "b2";
    await scene.bench.control("POST", "faults", { kind: "buildFailure", path: "^shop-dev-worker" });
    await failure(scene.up(scene.spec(shop("b2"))));
    assert.deepEqual(domainsOf("shop-dev-web"), ["shop.example.com"]);
    head.version = "a1";
    await scene.up(withDomains());
    assert.deepEqual(domainsOf("shop-dev-web"), []);
  });

  it("comes back with its disk after it was destroyed with its data kept, or left out for a while", async () => {
    ({ scene, head } = await open());
    const disk = { name: "data", path: "/data", sizeGb: 10 };
    await scene.up(scene.spec(shop("a1", { disk })));
    const [id] = Object.keys(scene.state.disks);
    await scene.destroy(scene.spec(shop("a1", { disk })));
    assert.deepEqual(scene.running(), ["shop-dev-web a1 x0 with a1"]);
    const { changes } = await scene.up(scene.spec(shop("a1", { disk })));
    assert.ok(changes.includes("shop-dev-web: resumed"), changes.join("\n"));
    assert.deepEqual(scene.running(), running("a1"));
    assert.deepEqual(Object.keys(scene.state.disks), [id]);
    await scene.destroy(scene.spec(shop("a1", { disk })));
    head.version = "b2";
    await scene.up(scene.spec(shop("b2", { disk })));
    assert.deepEqual(scene.running(), running("b2"));
    const quiet = scene.calls;
    await scene.up(scene.spec(shop("b2", { disk })));
    assert.deepEqual(scene.changing(quiet), []);
  });

  it("deploys again what was resumed and didn't get live", async () => {
    ({ scene, head } = await open());
    const spec = scene.spec(shop("a1", { disk: { name: "data", path: "/data", sizeGb: 10 } }));
    const { services } = await scene.up(spec);
    await scene.bench.call("POST", `/services/${services["web"]!.id}/suspend`);
    await scene.bench.control("POST", "faults", { kind: "unhealthy", path: "^shop-dev-web" });
    assert.match(await failure(scene.up(spec)), /shop-dev-web doesn't get live: update failed/);
    const { changes } = await scene.up(spec);
    assert.ok(changes.includes("shop-dev-web: deployed"), changes.join("\n"));
    assert.deepEqual(scene.running(), running("a1"));
  });

  it("shows no secret, whatever it looks like, and plain values as they are", async () => {
    const secrets = { SESSION_SECRET: "9f86d081884c7d659a2f", HOOK: "https://hooks.example.com/T00/SECRETPART" };
    const printed = [...Object.values(secrets), "plain-word and a plain one"].join(" | ");
    ({ scene, head } = await open({ runtime: paper(() => ({ exit: { code: 1, afterMs: 1 }, logs: [printed] })) }));
    const [search, web] = shop();
    const env = { ...web!.env, ...secrets, PLAIN: "plain-word and a plain one" };
    const message = await failure(
      scene.up(scene.spec([{ ...search!, ...web!, env, secrets: Object.keys(secrets), deploySeconds: 600 }])),
    );
    const told = [message, ...scene.lines].join("\n");
    assert.match(told, /\*\*\* \| \*\*\* \| plain-word and a plain one/);
    for (const secret of Object.values(secrets)) assert.ok(!told.includes(secret), told);
  });

  it("says how long it takes where more is to be made than Render makes in an hour", async () => {
    ({ scene, head } = await open());
    const [, , worker] = shop();
    const many = Array.from({ length: 21 }, (_, index) => ({
      ...worker!,
      part: `w${index}`,
      name: `shop-dev-w${index}`,
    }));
    await scene.up(scene.spec(many));
    const told = (): string[] =>
      scene.lines.filter((line) => /21 services and jobs are to be made.*20 in an hour/.test(line));
    assert.equal(told().length, 1);
    await scene.up(scene.spec(many));
    assert.equal(told().length, 1);
  });

  it("is destroyed with its data kept, or with all of it", async () => {
    ({ scene, head } = await open());
    await scene.up(scene.spec(shop()));
    await scene.destroy(scene.spec(shop()));
    assert.deepEqual(Object.keys(scene.state.services), []);
    assert.equal(Object.keys(scene.state.postgres).length, 1);
    await scene.destroy(scene.spec(shop(), { onDelete: "delete data" }));
    const { postgres, keyValues, projects } = scene.state;
    assert.deepEqual([postgres, keyValues, projects], [{}, {}, {}]);
  });

  it("says so where the hour's services are used up, and goes on afterwards", async () => {
    ({ scene, head } = await open());
    scene.bench.render.world.settings.rateLimits = true;
    for (let index = 0; index < 18; index++) await scene.bench.service(`other-${index}`);
    const message = await failure(scene.up(scene.spec(shop())));
    assert.match(message, /20 services, and as many databases of a kind, be made in an hour/);
    scene.bench.render.world.settings.rateLimits = false;
    await scene.up(scene.spec(shop()));
    assert.ok(running("a1").every((line) => scene.running().includes(line)));
  });
});
