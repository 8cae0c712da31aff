import assert from "node:assert/strict";
import { readProof } from "../../../targets/render/deploy/marks";
import type { RenderService } from "../../../targets/render/plan";
import { commit, Scene, shop } from "./scene";

/** Everything that was declared, once, at a version, and nothing else. */
function assertExact(scene: Scene, version: string, words: string): void {
  assert.deepEqual(
    scene.running(),
    [
      `shop-dev-report ${version}`,
      "shop-dev-search docker.io/getmeili/meilisearch:v1 x1",
      `shop-dev-web ${version} x1 with ${version}`,
      `shop-dev-worker ${version} x1`,
    ],
    words,
  );
  const { postgres, keyValues, projects, environments, domains, services } = scene.state;
  const counts = [postgres, keyValues, projects, environments, domains].map((all) => Object.keys(all).length);
  assert.deepEqual(counts, [1, 1, 1, 1, 1], words);
  const [domain] = Object.values(domains);
  const served = services[domain?.serviceId ?? ""];
  assert.deepEqual(
    [domain?.name, served?.envVars["HOMEPORT_DOMAINS"]],
    ["shop.example.com", "shop.example.com"],
    words,
  );
  for (const { envVars, name } of Object.values(services)) {
    assert.equal(readProof(envVars)?.hash, envVars["HOMEPORT_SPEC"], `${name} ${words}`);
    assert.ok(envVars["HOMEPORT_SPEC"] !== undefined, `${name} ${words}`);
  }
}

/** Few at a time: each has an emulator of its own. */
async function each(numbers: readonly number[], work: (number: number) => Promise<void>): Promise<void> {
  for (let at = 0; at < numbers.length; at += 8) await Promise.all(numbers.slice(at, at + 8).map(work));
}

const timings = { listed: 5, queue: 1, build: 2, update: 2, probe: 2, healthy: 150, settle: 4, database: 4, domain: 5 };

/** What befalls the n-th changing call. */
type FaultAt = (after: number) => { readonly kind: string; readonly status?: number; readonly retryAfter?: string };

const lost: FaultAt = () => ({ kind: "lost" });
const all: readonly FaultAt[] = [
  // Every second one without the seconds to wait.
  (after) => ({ kind: "status", status: 429, ...(after % 2 === 0 ? { retryAfter: "2" } : {}) }),
  () => ({ kind: "status", status: 500 }),
  () => ({ kind: "refused" }),
  lost,
];

interface Change {
  readonly words: string;
  /** What is there before, at version a1. */
  readonly before?: readonly RenderService[];
  readonly now: readonly RenderService[];
  readonly version: string;
  /** What a person did meanwhile. */
  readonly meanwhile?: (scene: Scene) => Promise<unknown>;
  readonly faults: readonly FaultAt[];
}

const disk = { name: "data", path: "/data", sizeGb: 10 };
const suspendWeb = (scene: Scene): Promise<unknown> => {
  const web = Object.values(scene.state.services).find(({ name }) => name === "shop-dev-web");
  return scene.bench.call("POST", `/services/${web?.id ?? ""}/suspend`);
};

const changes: readonly Change[] = [
  { words: "a first deploy", now: shop(), version: "a1", faults: all },
  { words: "a new version", before: shop(), now: shop("b2"), version: "b2", faults: all },
  {
    words: "another domain of a suspended service",
    before: shop("a1", { disk, domains: ["old.example.com"] }),
    now: shop("b2", { disk }),
    version: "b2",
    meanwhile: suspendWeb,
    faults: [lost],
  },
];

/** An emulator with what is there before a change. */
async function begin({ before, version, meanwhile }: Change): Promise<Scene> {
  const head = { version: "a1" };
  const scene = await Scene.open({
    timings: { ...timings, restart: 10, cron: 1_000 },
    settings: { commit: (_repo, _branch, id) => Promise.resolve({ id: id ?? commit(head.version), message: "" }) },
  });
  if (before !== undefined) await scene.up(scene.spec(before));
  await meanwhile?.(scene);
  head.version = version;
  return scene;
}

for (const change of changes) {
  const { words, now, version, faults } = change;

  describe(`${words} on Render with faults`, function () {
    this.timeout(60_000);
    let calls: { method: string; path: string }[];

    before(async () => {
      const scene = await begin(change);
      const before = scene.calls;
      await scene.up(scene.spec(now));
      calls = scene.bench.render.journal.entries(before).map(({ method, path }) => ({ method, path }));
      await scene.bench.close();
    });

    const changing = (): number[] => calls.flatMap(({ method }, index) => (method === "GET" ? [] : [index]));

    for (const fault of faults) {
      it(`gets through, or converges at once, with ${Object.values(fault(1)).join(" ")} at any changing call`, async () => {
        await each(changing(), async (index) => {
          const scene = await begin(change);
          // Calls of one stage come in any order: the n-th changing one of the run is meant, whichever it is.
          const after = changing().indexOf(index);
          await scene.bench.control("POST", "faults", { ...fault(after), method: "^(POST|PUT|PATCH|DELETE)$", after });
          const spec = scene.spec(now);
          await scene.up(spec).catch(() => scene.up(spec));
          assertExact(scene, version, `with ${JSON.stringify(fault(after))} at change ${after}`);
          await scene.bench.close();
        });
      });
    }

    it("gets through failing reads", async () => {
      const scene = await begin(change);
      await scene.bench.control("POST", "faults", { kind: "status", status: 503, method: "GET", after: 2, count: 3 });
      await scene.bench.control("POST", "faults", { kind: "lost", method: "GET", after: 9, count: 2 });
      await scene.up(scene.spec(now));
      assertExact(scene, version, "after failing reads");
      await scene.bench.close();
    });

    it("converges after a kill at any call", async () => {
      const all = calls.map((_, index) => index + 1);
      // A kill after a read is the same as one after the call before: some of them are enough.
      const killed = all.filter((number) => calls[number - 1]!.method !== "GET" || number % 5 === 0);
      await each(killed, async (number) => {
        const scene = await begin(change);
        const spec = scene.spec(now);
        await scene.up(spec, number).catch(() => undefined);
        await scene.up(spec);
        assertExact(scene, version, `killed after call ${number}`);
        const before = scene.calls;
        await scene.up(spec);
        assert.deepEqual(scene.changing(before), [], `killed after call ${number}`);
        await scene.bench.close();
      });
    });
  });
}
