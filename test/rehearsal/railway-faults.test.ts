import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inLanes } from "../support/lanes";
import { clausea as declared, clauseaServices as all, RailwayBench, standIn } from "../unit/railway/bench";
import { planOf, type Changes } from "../unit/railway/plans";
import type { RailwaySpec } from "../../targets/railway/plan";

/** More calls than any of the deploys below makes. */
const many = 60;

/** Deploys wait more than they compute. */
const lanes = 4;

/** The stack's one app as it is to be, with a few values of the stack changed. */
type Spec = (changes?: Changes) => Promise<RailwaySpec>;

/** Each call of a deploy is struck once: whatever strikes it, the next deploy, or this one, gets to what is declared. */
describe("Railway's deploys under faults, on its emulator", () => {
  const folders: string[] = [];
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  });

  /** Another version of the stand-in. */
  const versionFolder = (version: string): string => {
    const folder = mkdtempSync(join(tmpdir(), "homeport-version-"));
    folders.push(folder);
    cpSync(standIn, folder, { recursive: true });
    writeFileSync(join(folder, "apps/backend/VERSION"), `${version}\n`);
    return folder;
  };

  async function onBench<T>(use: (bench: RailwayBench, spec: Spec) => Promise<T>): Promise<T> {
    const bench = await RailwayBench.open();
    try {
      const repository = await bench.push();
      return await use(bench, async (changes = {}) => bench.at(await planOf(repository, changes)));
    } finally {
      await bench.close();
    }
  }

  /** What is there is what is declared, and the next deploy changes nothing. */
  async function isWhole(bench: RailwayBench, spec: RailwaySpec, what: string): Promise<void> {
    assert.deepEqual(bench.objects(), declared, what);
    assert.deepEqual(bench.serving(), all, what);
    const again = await bench.up(spec);
    assert.deepEqual(again.changes, [], what);
  }

  /**
   * Kills a deploy after each of its calls, on benches of their own, and lets the next one take it up.
   * @param prepare makes what is there before, and tells what is deployed
   * @returns how many calls it could die at
   */
  async function killAtAnyCall(
    prepare: (bench: RailwayBench, spec: Spec) => Promise<RailwaySpec>,
    check: (bench: RailwayBench) => void = () => undefined,
  ): Promise<number> {
    let end = many;
    const struck = await inLanes([...Array(many).keys()], lanes, async (at) => {
      if (at >= end) return false;
      return onBench(async (bench, spec) => {
        const wanted = await prepare(bench, spec);
        bench.kill = { at, when: "after" };
        const isKilled = await bench.up(wanted).then(
          () => false,
          () => true,
        );
        bench.kill = undefined;
        if (!isKilled) {
          end = Math.min(end, at);
          return false;
        }
        await bench.up(wanted);
        await isWhole(bench, wanted, `killed after call ${at}`);
        check(bench);
        return true;
      });
    });
    return struck.filter(Boolean).length;
  }

  it("takes up a first deploy that was killed at any call", async () => {
    const kills = await killAtAnyCall((_bench, spec) => spec());
    assert.ok(kills > 25 && kills < many, `${kills} kills`);
  });

  it("takes up a new version that was killed at any call", async () => {
    const kills = await killAtAnyCall(async (bench, spec) => {
      await bench.up(await spec());
      await bench.push(versionFolder("2"));
      return spec();
    });
    assert.ok(kills > 6 && kills < many, `${kills} kills`);
  });

  it("takes up another secret, more instances and a larger volume, killed at any call", async () => {
    const changes: Changes = {
      "clausea:API_KEY": { value: "marker-another-key", secret: true },
      "clausea:instances": '{"api":2}',
    };
    const kills = await killAtAnyCall(
      async (bench, spec) => {
        await bench.up(await spec());
        const changed = await spec(changes);
        const services = changed.services.map((service) =>
          service.volume === undefined ? service : { ...service, volume: { ...service.volume, sizeMb: 60_000 } },
        );
        return { ...changed, services };
      },
      (bench) => {
        const { volumeInstances, deployments, services } = bench.railway.world.state;
        assert.deepEqual(
          Object.values(volumeInstances).map(({ sizeMB }) => sizeMB),
          [60_000],
        );
        const api = Object.values(deployments).find(
          ({ serviceId, status }) => services[serviceId]?.name === "api" && status === "SUCCESS",
        );
        assert.equal(api?.replicas.length, 2);
        assert.equal(api.variables.API_KEY, "marker-another-key");
      },
    );
    assert.ok(kills > 8 && kills < many, `${kills} kills`);
  });

  for (const [name, fault] of [
    ["answers that are lost after Railway acted", { kind: "lost" }],
    ["calls that never arrive", { kind: "refused" }],
    ["status 503", { kind: "status", status: 503 }],
    ["status 500", { kind: "status", status: 500 }],
    ["status 429 without a time", { kind: "status", status: 429 }],
    ["status 429 with a time", { kind: "status", status: 429, retryAfter: "2" }],
    ["a page of the proxy before Railway", { kind: "status", status: 502, body: "<html>Bad gateway</html>" }],
    ["errors of the server in an answer with status 200", serverError()],
  ] as const) {
    it(`gets through ${name}, at every call once`, async () => {
      // Not every fourth: an answer that was lost is followed by three looks and the same call again.
      await inLanes([0, 1, 2, 3, 4], lanes, (offset) =>
        onBench(async (bench, spec) => {
          for (let at = offset; at < many; at += 5) bench.railway.world.faults.add({ ...fault, after: at });
          await bench.up(await spec());
          bench.railway.world.faults.clear();
          await isWhole(bench, await spec(), `every fifth call from ${offset} on`);
        }),
      );
    });
  }
});

/** As GraphQL servers tell a failure of their own. */
function serverError() {
  const errors = [{ message: "Problem processing request", extensions: { code: "INTERNAL_SERVER_ERROR" } }];
  return { kind: "status", status: 200, body: { errors, data: null } } as const;
}
