import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import type { Entry } from "../../rehearsal/platform/journal";
import { FlyBench } from "../support/fly/bench";
import { changes, isRecord, type Change } from "../support/fly/cases";
import { inLanes } from "../support/lanes";

/** Drivers wait more than they compute. */
const lanes = 4 * Math.min(2, availableParallelism());

/**
 * After a read, or a lease that is taken again, the platform is as the call before left it, and on the record of a deploy nothing
 * depends: only every eighth of these is a place to die, and all others are.
 */
function placesToDie(calls: readonly Entry[]): number[] {
  const leased = new Set<string>();
  return calls.flatMap(({ number, method, path, changes: isChange }) => {
    const isLease = method === "POST" && path.endsWith("/lease");
    const leaves = isChange && !(isLease && leased.has(path)) && !isRecord(path);
    if (isLease) leased.add(path);
    return leaves || number % 8 === 0 ? [number] : [];
  });
}

describe("Fly deploys by a driver that is killed", function () {
  this.timeout(240_000);
  let bench: FlyBench;

  before(() => {
    bench = new FlyBench();
  });
  after(() => {
    bench.close();
  });

  /**
   * Deploys until the driver's n-th call has been acted on, kills it before that is answered, and deploys again.
   * @returns what is wrong then
   */
  async function dieAt(change: Change, at: number): Promise<string | undefined> {
    const platform = await bench.platform(change.before);
    let words = `before call ${at}`;
    try {
      const spec = platform.spec(change.now);
      const first = bench.drivers.start(spec);
      platform.onCall = (number, { method, path }) => {
        if (number !== at) return;
        words = `killed at call ${at}, ${method} ${path}`;
        first.end("SIGKILL");
      };
      const { code, told } = await first.ended;
      // Calls that come at the same time change places, and a slow platform is asked more often: the last may not come.
      if (code === 0 && words.startsWith("before")) return undefined;
      assert.equal(code, null, told);
      const died = bench.time.clock.now();
      const again = await bench.drivers.start(spec).ended;
      assert.equal(again.code, 0, again.told);
      await bench.assertThrough(platform, change, died);
      return undefined;
    } catch (error) {
      return `${words}: ${error instanceof Error ? error.message : String(error)}`;
    } finally {
      await platform.close();
    }
  }

  for (const [name, plan] of Object.entries(changes)) {
    it(`finishes ${name}, whichever call it died at`, async () => {
      const change = await plan();
      const calls = await bench.callsOf(change);
      const places = placesToDie(calls);
      assert.ok(places.length >= 5, `only ${places.length} places to die`);
      const wrong = await inLanes(places, lanes, (at) => dieAt(change, at));
      assert.deepEqual(
        wrong.filter((one) => one !== undefined),
        [],
      );
    });
  }
});
