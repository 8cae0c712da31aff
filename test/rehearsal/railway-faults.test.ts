import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clausea as declared, clauseaServices as all, RailwayBench, standIn } from "../unit/railway/bench";
import { planOf } from "../unit/railway/plans";
import type { RailwaySpec } from "../../targets/railway/plan";

/** More calls than any of the deploys below makes. */
const many = 60;

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

  async function onBench<T>(use: (bench: RailwayBench, spec: () => Promise<RailwaySpec>) => Promise<T>): Promise<T> {
    const bench = await RailwayBench.open();
    try {
      const repository = await bench.push();
      return await use(bench, async () => bench.at(await planOf(repository)));
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

  it("takes up a first deploy that was killed at any call", async () => {
    let kills = 0;
    for (let at = 0; at < many; at++) {
      const struck = await onBench(async (bench, spec) => {
        bench.kill = { at, when: "after" };
        const isKilled = await bench.up(await spec()).then(
          () => false,
          () => true,
        );
        bench.kill = undefined;
        if (!isKilled) return false;
        await bench.up(await spec());
        await isWhole(bench, await spec(), `killed after call ${at}`);
        return true;
      });
      if (!struck) break;
      kills++;
    }
    assert.ok(kills > 25 && kills < many, `${kills} kills`);
  });

  it("takes up a new version that was killed at any call, and one that failed", async () => {
    let kills = 0;
    for (let at = 0; at < many; at++) {
      const struck = await onBench(async (bench, spec) => {
        await bench.up(await spec());
        await bench.push(versionFolder("2"));
        bench.kill = { at, when: "after" };
        const isKilled = await bench.up(await spec()).then(
          () => false,
          () => true,
        );
        bench.kill = undefined;
        if (!isKilled) return false;
        await bench.up(await spec());
        await isWhole(bench, await spec(), `killed after call ${at}`);
        return true;
      });
      if (!struck) break;
      kills++;
    }
    assert.ok(kills > 6 && kills < many, `${kills} kills`);
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
      for (const offset of [0, 1, 2, 3, 4]) {
        await onBench(async (bench, spec) => {
          for (let at = offset; at < many; at += 5) bench.railway.world.faults.add({ ...fault, after: at });
          await bench.up(await spec());
          bench.railway.world.faults.clear();
          await isWhole(bench, await spec(), `every fifth call from ${offset} on`);
        });
      }
    });
  }
});

/** As GraphQL servers tell a failure of their own. */
function serverError() {
  const errors = [{ message: "Problem processing request", extensions: { code: "INTERNAL_SERVER_ERROR" } }];
  return { kind: "status", status: 200, body: { errors, data: null } } as const;
}
