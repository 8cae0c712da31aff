import assert from "node:assert/strict";
import { timings } from "../rehearsal/renderSupport";
import { Scene, shop } from "./scene";

describe("databases and projects on Render", () => {
  let scene: Scene;
  afterEach(() => scene.bench.close());

  const names = (): string[] => {
    const { postgres, keyValues, projects, environments } = scene.state;
    const all: { readonly name: string }[] = [postgres, keyValues, projects, environments].flatMap(
      (some: Readonly<Record<string, { readonly name: string }>>) => Object.values(some),
    );
    return all.map(({ name }) => name);
  };
  const once = ["shop-dev-db", "shop-dev-cache", "shop", "dev"];

  for (const path of ["/postgres$", "/key-value$", "/projects$"]) {
    it(`are one of a name where an answer to ${path} is lost and lists lag behind`, async () => {
      scene = await Scene.open({ timings: { ...timings, listed: 100 } });
      await scene.bench.control("POST", "faults", { kind: "lost", method: "POST", path });
      await scene.up(scene.spec(shop()));
      assert.deepEqual(names(), once);
    });

    it(`are a person's to look for where none is listed for minutes after an answer to ${path} was lost`, async () => {
      scene = await Scene.open({ timings: { ...timings, listed: 60_000 } });
      await scene.bench.control("POST", "faults", { kind: "lost", method: "POST", path });
      await assert.rejects(
        scene.up(scene.spec(shop())),
        /It isn't known whether Render made .*\n.*\n.*within 300 s no list has it.*\n.*look for .* at dashboard\.render\.com/,
      );
      const posts = scene.changing().filter((line) => new RegExp(`^POST ${path}`).test(line));
      assert.equal(posts.length, 1);
    });
  }

  it("are one of a name where the run before was cut off right after it made one", async () => {
    scene = await Scene.open({ timings: { ...timings, listed: 60 } });
    for (let killed = 1; killed < 12; killed++) await scene.up(scene.spec(shop()), killed).catch(() => undefined);
    await scene.up(scene.spec(shop())).catch(() => scene.up(scene.spec(shop())));
    assert.deepEqual(names(), once);
  });

  it("are shut to the world, also those that were there before, and those alone that aren't", async () => {
    scene = await Scene.open();
    const { ownerId } = scene.bench.render;
    const ipAllowList = [{ cidrBlock: "0.0.0.0/0", description: "everywhere" }];
    const common = { ownerId, region: "frankfurt", ipAllowList };
    await scene.bench.call("POST", "/postgres", {
      ...common,
      name: "shop-dev-db",
      plan: "basic_256mb",
      version: "17",
      diskSizeGB: 5,
    });
    await scene.bench.call("POST", "/key-value", { ...common, name: "shop-dev-cache", plan: "starter" });
    await new Promise((resolve) => setTimeout(resolve, 50));
    const spec = scene.spec(shop(), { adopt: ["shop-dev-db", "shop-dev-cache"] });
    const { changes } = await scene.up(spec);
    const lists = [...Object.values(scene.state.postgres), ...Object.values(scene.state.keyValues)];
    assert.deepEqual(
      lists.map((one) => one.ipAllowList),
      [[], []],
    );
    assert.ok(changes.includes("shop-dev-db: access from outside changed"), changes.join("\n"));
    const before = scene.calls;
    await scene.up(spec);
    assert.deepEqual(scene.changing(before), []);
  });
});
