import assert from "node:assert/strict";
import type { Host } from "../../rehearsal/site";
import { importImage } from "../../rehearsal/host/image";
import { FlyWorld } from "./support/flyWorld";
import { factsOf, statusOf } from "./support/http";
import { progress } from "./support/world";

describe("hotrod and tileshop, moved between Fly and a host by their stack lines alone", function () {
  this.timeout(600_000);
  const apps = ["hotrod", "tileshop"] as const;
  const ports = { hotrod: 8090, tileshop: 8080 };
  let world: FlyWorld;
  let host: Host;

  before(async () => {
    world = await FlyWorld.open(apps);
    host = await world.site.host("one");
    await importImage(host, "docker.io/unclecode/crawl4ai:0.7.4");
    await world.moveToHost(host, apps);
  });
  after(() => world.close());

  /** Sets the two lines and nothing else. */
  const moveTo = async (target: string): Promise<void> => {
    await world.stack.configure(Object.fromEntries(apps.map((app) => [`${app}:target`, target])));
    const { seconds } = await world.mustUp();
    progress(`on ${target} after ${seconds.toFixed(0)} s`);
    const outputs = await world.stack.outputs<Record<string, { target: string }>>();
    for (const app of apps) assert.equal(outputs[app]?.target, target);
  };
  const onHost = (app: "hotrod" | "tileshop"): string => `http://${host.address}:${ports[app]}`;

  it("come up on the host, where no image is built and Fly isn't asked for anything", async () => {
    const { calls } = await world.during(() => moveTo("vps"));
    assert.deepEqual(calls, []);
    assert.deepEqual(await world.docker.images(), []);
    for (const app of apps) assert.equal(await statusOf(`${onHost(app)}/health`), 200, app);
  });

  it("come up on Fly, and end on the host, which keeps their data", async () => {
    await moveTo("fly");
    for (const app of apps) {
      assert.equal(await statusOf(await world.url(`${app}-prod`, "/health")), 200, app);
      assert.match(String(await statusOf(`${onHost(app)}/health`)), /^none/, app);
      const kept = await host.exec(`ls /var/lib/${app}-prod`);
      assert.equal(kept.code, 0, kept.stderr);
    }
  });

  it("come up on the host again with a newer version, and leave no machine behind", async () => {
    for (const app of apps) world.write(app, "VERSION", "back\n");
    await moveTo("vps");
    for (const app of apps) {
      assert.equal((await factsOf(onHost(app))).version, "back");
      // The apps stay for their volumes, which nobody asked to be deleted.
      assert.deepEqual([...((await world.machines(`${app}-prod`))?.keys() ?? ["no such app"])], []);
    }
  });
});
