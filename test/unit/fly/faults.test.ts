import assert from "node:assert/strict";
import type { FlySpec } from "../../../targets/fly/plan";
import type { Fault } from "./fake";
import { Scene, shop, specOf, stored, web, worker } from "./scene";

const release = { group: "web", command: "npm run migrate", timeoutSeconds: 300 };
const domains = ["shop.example.com"];

const blueGreen = (image: string): FlySpec =>
  specOf(shop([web(image), worker(image)], { release, domains, secrets: { API_KEY: `key of ${image}` } }));
const rolling = (image: string): FlySpec => specOf(shop([stored(image), worker(image)], { release }));

interface Case {
  readonly name: string;
  readonly before?: FlySpec;
  readonly now: FlySpec;
  readonly volumes: number;
}
const cases: readonly Case[] = [
  { name: "a first deploy", now: blueGreen("app@sha256:1"), volumes: 0 },
  { name: "a first deploy with volumes", now: rolling("app@sha256:1"), volumes: 2 },
  {
    name: "a new version, blue and green",
    before: blueGreen("app@sha256:1"),
    now: blueGreen("app@sha256:2"),
    volumes: 0,
  },
  { name: "a new version in place", before: rolling("app@sha256:1"), now: rolling("app@sha256:2"), volumes: 2 },
];

const image = ({ apps }: FlySpec): string => apps[0]!.groups[0]!.config.image;
const expected = (spec: FlySpec): string[] =>
  ["web 1", "web 2", "worker 1"].map((one) => `${one} ${image(spec)} proven`);

/** Everything that was declared, once, and nothing else. */
function assertExact(scene: Scene, { now, volumes }: Case, words: string): void {
  const app = scene.fly.apps.get("shop-prod")!;
  assert.deepEqual(scene.state(), expected(now), words);
  assert.equal(app.volumes.length, volumes, `volumes ${words}`);
  assert.deepEqual(
    app.volumes.filter((one) => one.attached_machine_id === null),
    [],
    `volumes ${words}`,
  );
  assert.equal(app.ips.length, 2, `addresses ${words}`);
  assert.deepEqual(app.certificates, now.apps[0]!.domains, words);
  assert.equal([...app.secrets.keys()].filter((name) => name.startsWith("HOMEPORT_")).length, 1, words);
  assert.equal(app.secrets.get("API_KEY"), now.apps[0]!.secrets.API_KEY);
}

async function begin({ before }: Case): Promise<Scene> {
  const scene = new Scene();
  if (before !== undefined) await scene.up(before);
  scene.fly.calls = 0;
  return scene;
}

async function callsOf(one: Case): Promise<number> {
  const scene = await begin(one);
  await scene.up(one.now);
  return scene.fly.calls;
}

describe("Fly deploys with faults at every call", () => {
  for (const one of cases) {
    it(`gets through ${one.name} with a fault at any call`, async () => {
      const calls = await callsOf(one);
      const others = ["429", "500", "lost before"] as const;
      for (let at = 0; at < calls; at++) {
        // An answer lost after the platform acted is the one that needs the most care; the others take turns.
        for (const fault of ["lost after", others[at % 3]!] satisfies Fault[]) {
          const scene = await begin(one);
          scene.fly.fault = (call) => (call === at ? fault : "none");
          await scene.up(one.now);
          assertExact(scene, one, `after ${fault} at call ${at}`);
        }
      }
    });

    it(`finishes ${one.name} that was killed at any call`, async () => {
      const calls = await callsOf(one);
      for (let at = 0; at < calls; at++) {
        const scene = await begin(one);
        scene.fly.fault = (call) => (call === at ? "crash after" : "none");
        await assert.rejects(scene.up(one.now), /killed/, `call ${at} of ${calls}`);
        scene.fly.fault = () => "none";
        await scene.up(one.now);
        assertExact(scene, one, `after a kill at call ${at}`);
        scene.fly.log.length = 0;
        await scene.up(one.now);
        assert.deepEqual(scene.fly.changing(), [], `the third run changes something after a kill at call ${at}`);
      }
    });

    if (one.before === undefined) continue;
    const before = one.before;
    it(`goes back after ${one.name} was killed at any call, when the declaration does`, async () => {
      const calls = await callsOf(one);
      for (let at = 0; at < calls; at++) {
        const scene = await begin(one);
        scene.fly.fault = (call) => (call === at ? "crash after" : "none");
        await assert.rejects(scene.up(one.now), /killed/);
        scene.fly.fault = () => "none";
        await scene.up(before);
        assertExact(scene, { ...one, now: before }, `after a kill at call ${at}`);
      }
    });
  }

  for (const [name, of, volumes] of [
    ["blue and green", blueGreen, 0],
    ["in place", rolling, 2],
  ] as const) {
    it(`undoes a version that doesn't get healthy, though killed at any call (${name})`, async () => {
      const before = of("app@sha256:1");
      const bad = of("bad@sha256:2");
      const start = async () => {
        const scene = new Scene();
        await scene.up(before);
        scene.fly.calls = 0;
        return scene;
      };
      const first = await start();
      await assert.rejects(first.up(bad), /isn't healthy/);
      const calls = first.fly.calls;
      for (let at = 0; at < calls; at++) {
        const scene = await start();
        scene.fly.fault = (call) => (call === at ? "crash after" : "none");
        await assert.rejects(scene.up(bad));
        scene.fly.fault = () => "none";
        await assert.rejects(scene.up(bad), /isn't healthy/, `call ${at}`);
        assert.deepEqual(scene.state(), expected(before), `after a kill at call ${at} of ${calls}`);
        assert.equal(scene.fly.apps.get("shop-prod")!.volumes.length, volumes);
        await scene.up(before);
        assertExact(scene, { name, now: before, volumes }, `after a kill at call ${at} of ${calls}`);
      }
    });
  }
});
