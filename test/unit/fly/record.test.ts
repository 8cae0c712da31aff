import assert from "node:assert/strict";
import { definitionOf } from "../../../targets/fly/deploy/definition";
import { planOf } from "./plans";
import { Scene, shop, specOf, stored, web, worker } from "./scene";

const statuses = (scene: Scene): string[] => scene.fly.releases.map(({ version, status }) => `v${version} ${status}`);
const labels = (scene: Scene): string[] =>
  scene.machines().map(({ config: { metadata = {} } }) => `${metadata.fly_release_version} ${metadata.fly_release_id}`);
const notes = (scene: Scene): string[] => scene.lines.filter((line) => line.includes("fly releases won't show"));

describe("records of deploys at Fly", () => {
  for (const [words, group] of [
    ["beside the old one", web],
    ["in place", stored],
  ] as const) {
    it(`are kept for versions that come ${words}, are on the machines, and lead to no further change`, async () => {
      const scene = new Scene();
      await scene.up(specOf(shop([group("app@sha256:1")])));
      await scene.up(specOf(shop([group("app@sha256:2")])));
      assert.deepEqual(statuses(scene), ["v2 complete", "v1 complete"]);
      const [newest] = scene.fly.releases;
      assert.deepEqual(labels(scene), [`2 ${newest!.id}`, `2 ${newest!.id}`]);
      assert.equal(newest!.image_ref, "app@sha256:2");
      scene.fly.log.length = 0;
      await scene.up(specOf(shop([group("app@sha256:2")])));
      assert.deepEqual(
        scene.fly.log.filter((line) => line.includes("releases")),
        [],
      );
      await scene.back(specOf(shop([])));
      assert.deepEqual(statuses(scene), ["v3 complete", "v2 complete", "v1 complete"]);
    });
  }

  it("say that a deploy failed, and why, of which secrets are no part", async () => {
    const scene = new Scene();
    await scene.up(specOf(shop([stored("app@sha256:1")])));
    const before = labels(scene);
    await assert.rejects(scene.up(specOf(shop([stored("bad@sha256:2")]))));
    assert.deepEqual(statuses(scene), ["v2 failed", "v1 complete"]);
    assert.match(JSON.stringify(scene.fly.releases[0]?.metadata), /post_deployment_info.*isn't healthy/);
    assert.deepEqual(labels(scene), before, "what was put back says what it is");
    assert.ok(!JSON.stringify(scene.fly.releases).includes("s3cr3t"));
  });

  it("aren't kept for machines that are taken away or started", async () => {
    const scene = new Scene();
    await scene.up(specOf(shop([web("app@sha256:1", { count: 3 })])));
    await scene.up(specOf(shop([web("app@sha256:1")])));
    scene.machines()[0]!.stopped = true;
    await scene.up(specOf(shop([web("app@sha256:1")])));
    assert.deepEqual(statuses(scene), ["v1 complete"]);
  });

  it("are gone on with after a run that was cut off at any call, or closed where another version comes", async () => {
    const of = (image: string) => specOf(shop([stored(image, { count: 1 })], { ips: [] }));
    for (const next of ["app@sha256:2", "app@sha256:3"]) {
      for (let call = 0; ; call++) {
        const scene = new Scene();
        await scene.up(of("app@sha256:1"));
        const first = scene.fly.calls;
        scene.fly.fault = (number) => (number === first + call ? "crash after" : "none");
        const through = await scene.up(of("app@sha256:2")).then(
          () => true,
          () => false,
        );
        if (through) break;
        scene.fly.fault = () => "none";
        scene.fly.time += 60_000;
        await scene.up(of(next));
        const open = scene.fly.releases.filter(({ status }) => status === "running" || status === "pending");
        assert.deepEqual(open, [], `call ${call}`);
        assert.ok(
          scene.fly.releases.length <= (next === "app@sha256:2" ? 2 : 3),
          `call ${call}: ${statuses(scene).join()}`,
        );
        assert.deepEqual(notes(scene), []);
      }
    }
  });

  it("hinder no deploy where they can't be kept, and that is told once and soon", async () => {
    for (const fault of ["500", "429", "lost after"] as const) {
      const scene = new Scene();
      await scene.up(specOf(shop([web("app@sha256:1")])));
      const quick = await timeOf(scene, () => scene.up(specOf(shop([web("app@sha256:2")]))));
      scene.fly.fault = (_call, path) => (path.includes("/releases") ? fault : "none");
      const slow = await timeOf(scene, () => scene.up(specOf(shop([web("app@sha256:3")]))));
      assert.deepEqual(scene.state(), ["web 1 app@sha256:3 proven", "web 2 app@sha256:3 proven"]);
      assert.equal(notes(scene).length, 1, fault);
      assert.ok(slow - quick < 25_000, `${fault}: ${slow - quick} ms longer`);
    }
  });

  it("hold the app as a fly.toml that flyctl can go by, without secrets", async () => {
    const spec = await planOf("hotrod");
    const app = spec.apps.find(({ name }) => name === "hotrod-dev")!;
    const text = JSON.stringify(definitionOf(app));
    for (const secret of Object.values(app.secrets)) assert.ok(!text.includes(JSON.stringify(secret)));
    const { processes, mounts, services, deploy, experimental, vm } = JSON.parse(text) as {
      processes: Record<string, string>;
      mounts: unknown[];
      services: { processes: string[]; internal_port: number; http_checks: { path: string }[] }[];
      deploy: unknown;
      experimental: unknown;
      vm: { processes: string[]; memory_mb: number }[];
    };
    assert.deepEqual(Object.keys(processes), ["web", "worker"]);
    const script = app.groups[0]!.config.init?.cmd?.[0] ?? "";
    assert.equal(processes["web"], `'${script.replaceAll("'", `'\\''`)}'`);
    assert.deepEqual(experimental, { entrypoint: ["/bin/sh", "-c"] });
    assert.deepEqual(mounts, [
      { source: "web", destination: "/data/chroma", initial_size: "10GB", processes: ["web"] },
    ]);
    assert.deepEqual(
      services.map(({ processes: of, internal_port, http_checks }) => [of, internal_port, http_checks[0]?.path]),
      [[["web"], 8080, "/health"]],
    );
    assert.deepEqual(deploy, {
      strategy: "rolling",
      release_command: app.release?.command,
      release_command_timeout: "300s",
    });
    assert.deepEqual(
      vm.map(({ processes: of }) => of),
      [["web"], ["worker"]],
    );
  });

  it("name no variable that differs between groups", () => {
    const other = worker("app@sha256:1");
    const { env } = definitionOf(
      shop([
        web("app@sha256:1"),
        { ...other, config: { ...other.config, env: { PORT: "1", FLY_PROCESS_GROUP: "worker", LEVEL: "debug" } } },
      ]),
    );
    assert.deepEqual(env, { LEVEL: "debug" });
  });
});

async function timeOf(scene: Scene, act: () => Promise<unknown>): Promise<number> {
  const began = scene.fly.time;
  await act();
  return scene.fly.time - began;
}
