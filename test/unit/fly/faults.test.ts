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

const begun = new Map<FlySpec, Scene>();

/** A platform as `before` left it, a copy for each test. */
async function beginWith(before: FlySpec | undefined): Promise<Scene> {
  const scene = new Scene();
  if (before === undefined) return scene;
  const first = begun.get(before) ?? new Scene();
  if (!begun.has(before)) await first.up(before);
  begun.set(before, first);
  scene.fly.copyOf(first.fly);
  return scene;
}
const begin = ({ before }: Pick<Case, "before">): Promise<Scene> => beginWith(before);

/** The methods of a run's calls, in order. */
async function methodsOf(scene: Scene, spec: FlySpec): Promise<string[]> {
  scene.fly.log.length = 0;
  await scene.up(spec).catch(() => undefined);
  return scene.fly.log.map((line) => line.split(" ")[0]!);
}

/** The calls after which something is different. A kill after any other is the same as one after the call before. */
const changing = (methods: readonly string[]): number[] =>
  methods.flatMap((method, index) => (method === "GET" ? [] : [index]));

describe("Fly deploys with faults at every call", () => {
  for (const one of cases) {
    it(`gets through ${one.name} with a fault at any call`, async () => {
      const methods = await methodsOf(await begin(one), one.now);
      const others = ["429", "500", "lost before"] as const;
      for (const [at, method] of methods.entries()) {
        // An answer lost after the platform acted is the one that needs the most care; the others take turns.
        const other = others[at % 3]!;
        const faults: Fault[] = method !== "GET" ? ["lost after", other] : at % 4 === 0 ? [other] : [];
        for (const fault of faults) {
          const scene = await begin(one);
          scene.fly.fault = (call) => (call === at ? fault : "none");
          await scene.up(one.now);
          assertExact(scene, one, `after ${fault} at call ${at}`);
        }
      }
    });

    it(`finishes ${one.name} that was killed at any call`, async () => {
      for (const at of changing(await methodsOf(await begin(one), one.now))) {
        const scene = await begin(one);
        scene.fly.fault = (call) => (call === at ? "crash after" : "none");
        await assert.rejects(scene.up(one.now), /killed/, `call ${at}`);
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
      for (const at of changing(await methodsOf(await begin(one), one.now))) {
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
      const start = () => beginWith(before);
      for (const at of changing(await methodsOf(await start(), bad))) {
        const scene = await start();
        scene.fly.fault = (call) => (call === at ? "crash after" : "none");
        await assert.rejects(scene.up(bad));
        scene.fly.fault = () => "none";
        await assert.rejects(scene.up(bad), /isn't healthy/, `call ${at}`);
        assert.deepEqual(scene.state(), expected(before), `after a kill at call ${at}`);
        assert.equal(scene.fly.apps.get("shop-prod")!.volumes.length, volumes);
        await scene.up(before);
        assertExact(scene, { name, now: before, volumes }, `after a kill at call ${at}`);
      }
    });
  }
});
