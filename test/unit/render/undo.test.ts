import assert from "node:assert/strict";
import type { RenderService, RenderSpec } from "../../../targets/render/plan";
import { pause, timings, until } from "../rehearsal/renderSupport";
import { commit, Scene, shop } from "./scene";

const disk = { name: "data", path: "/data", sizeGb: 10 };

describe("what a failed deploy leaves on Render", () => {
  let scene: Scene;
  /** Ends the builds of version b2, which wait until then. */
  let build: () => void;
  afterEach(async () => {
    build();
    await scene.bench.close();
  });

  const open = async (change: Partial<typeof timings> = {}): Promise<void> => {
    const built = new Promise<void>((resolve) => (build = resolve));
    scene = await Scene.open({
      timings: { ...timings, ...change },
      settings: {
        commit: (_repo, branch, id) =>
          Promise.resolve({ id: id ?? commit(branch === "slow" ? "b2" : "a1"), message: "A change" }),
        build: async (order) => {
          if (order.commit === commit("b2")) await built;
          return `localhost/build:${order.commit}`;
        },
      },
    });
  };
  /** A version's services, jobs left out: their deploys can't be canceled. The deploy of b2 is given up early. */
  const version = (name: string, change: (part: string) => Partial<RenderService> = () => ({})): RenderSpec =>
    scene.spec(
      shop(name)
        .filter(({ type }) => type !== "cron_job")
        .map((one) => ({ ...one, deploySeconds: name === "b2" ? 10 : 600, ...change(one.part) })),
    );
  const deploysOf = (name: string): string[] => {
    const service = Object.values(scene.state.services).find((one) => one.name === name);
    return Object.values(scene.state.deploys)
      .filter(({ serviceId }) => serviceId === service?.id)
      .map(({ status }) => status);
  };
  const runs = (name: string): string[] => [
    "shop-dev-search docker.io/getmeili/meilisearch:v1 x1",
    `shop-dev-web ${name} x1 with ${name}`,
    `shop-dev-worker ${name} x1`,
  ];

  it("is no deploy that gets live later: one that is late is canceled", async () => {
    await open();
    await scene.up(version("a1"));
    await assert.rejects(scene.up(version("b2")), /the deploy of shop-dev-web took longer than 10 s/);
    build();
    await pause(150);
    assert.deepEqual(scene.running(), runs("a1"));
    assert.deepEqual(deploysOf("shop-dev-web"), ["live", "canceled"]);
    assert.ok(!scene.bench.runtime.started.some(({ env }) => env["RENDER_GIT_COMMIT"] === commit("b2")));
    const before = scene.calls;
    await scene.up(version("a1"));
    assert.deepEqual(scene.changing(before), []);
    await scene.up(version("b2", () => ({ deploySeconds: 600 })));
    assert.deepEqual(scene.running(), runs("b2"));
  });

  it("is rolled back where it gets live while it is canceled", async () => {
    await open({ cancel: 200 });
    await scene.up(version("a1"));
    const failed = assert.rejects(scene.up(version("b2")), /took longer than 10 s/);
    await until("it is being canceled", () => scene.changing().some((line) => line.endsWith("/cancel")));
    build();
    await failed;
    assert.deepEqual(deploysOf("shop-dev-web"), ["deactivated", "deactivated", "live"]);
    assert.deepEqual(scene.running(), runs("a1"));
    const before = scene.calls;
    await scene.up(version("a1"));
    assert.deepEqual(scene.changing(before), []);
  });

  it("is deployed over by the next up where it can't be canceled", async () => {
    await open();
    await scene.up(version("a1"));
    await scene.bench.control("POST", "faults", { kind: "status", status: 403, path: "/cancel$", count: 9 });
    await assert.rejects(scene.up(version("b2")), /took longer than 10 s/);
    assert.match(
      scene.lines.join("\n"),
      /shop-dev-web: its deploy isn't ended, and may get live yet: .*status 403|may not do/,
    );
    build();
    await until("it is live", () => deploysOf("shop-dev-web").at(-1) === "live");
    await scene.up(version("a1"));
    assert.deepEqual(scene.running(), runs("a1"));
  });

  it("is the next version's matter where a job's deploy is late: none of those can be canceled", async () => {
    await open();
    const spec = (name: string): RenderSpec =>
      scene.spec(shop(name).map((one) => ({ ...one, deploySeconds: one.type === "cron_job" ? 10 : 600 })));
    await scene.up(spec("a1"));
    const job = { code: { ...shop("a1")[3]!.code, branch: "slow" } } as Partial<RenderService>;
    const slow = shop("a1").map((one) =>
      one.type === "cron_job" ? { ...one, ...job, deploySeconds: 10, env: {} } : one,
    );
    await assert.rejects(scene.up(scene.spec(slow)), /the deploy of shop-dev-report took longer/);
    build();
    await until("it is live", () => deploysOf("shop-dev-report").at(-1) === "live");
    const { changes } = await scene.up(spec("a1"));
    assert.ok(changes.includes("shop-dev-report: deployed"), changes.join("\n"));
    assert.ok(scene.running().includes("shop-dev-report a1"));
  });

  const scaled = (name: string, path: string, instances: { min: number; max: number }): RenderSpec =>
    version(name, (part) => (part === "web" ? { disk: { ...disk, path } } : part === "worker" ? { instances } : {}));
  const layout = (): unknown => {
    const { disks, services } = scene.state;
    const worker = Object.values(services).find(({ name }) => name === "shop-dev-worker");
    const { autoscaling, numInstances } = worker!.details;
    return [Object.values(disks).map(({ mountPath }) => mountPath), autoscaling ?? numInstances];
  };

  for (const [words, before, after] of [
    ["bounds that are others", { min: 2, max: 4 }, { min: 1, max: 9 }],
    ["bounds that go", { min: 2, max: 4 }, { min: 3, max: 3 }],
    ["bounds that come", { min: 2, max: 2 }, { min: 1, max: 4 }],
    ["another number", { min: 2, max: 2 }, { min: 3, max: 3 }],
  ] as const) {
    it(`has its disk where the version from before looks for it, and as many instances: ${words}`, async () => {
      await open();
      build();
      await scene.up(scaled("a1", "/data", before));
      const was = structuredClone(layout());
      await scene.bench.control("POST", "faults", { kind: "buildFailure", path: "^shop-dev-worker" });
      await assert.rejects(scene.up(scaled("b2", "/elsewhere", after)), /shop-dev-worker doesn't get live/);
      assert.deepEqual(layout(), was);
      const disks = scene.bench.runtime.started.filter(({ volumes }) => volumes.length > 0);
      assert.equal(disks.at(-1)!.volumes[0]!.path, "/data");
      const quiet = scene.calls;
      await scene.up(scaled("a1", "/data", before));
      assert.deepEqual(scene.changing(quiet), []);
    });
  }

  it("has its numbers back also where nothing else of a service was changed", async () => {
    await open();
    build();
    const of = (name: string, count: number): RenderSpec =>
      version(name, (part) => (part === "search" ? { instances: { min: count, max: count } } : {}));
    await scene.up(of("a1", 1));
    await scene.bench.control("POST", "faults", { kind: "buildFailure", path: "^shop-dev-web" });
    await assert.rejects(scene.up(of("b2", 3)), /shop-dev-web doesn't get live/);
    assert.ok(scene.running().includes("shop-dev-search docker.io/getmeili/meilisearch:v1 x1"), scene.running().join());
  });
});
