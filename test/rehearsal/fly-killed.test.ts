import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import type { Entry } from "../../rehearsal/platform/journal";
import type { FlySpec } from "../../targets/fly/plan";
import { FlyBench, type Mortal } from "../support/fly/bench";
import { changes, isRecord, type Change } from "../support/fly/cases";
import type { PaperPlatform } from "../support/fly/platform";
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

  /** The driver as the command provider starts it, ended by the kernel. */
  function killable(platform: PaperPlatform, plan: FlySpec): Mortal {
    const running = bench.drivers.start(platform.spec(plan));
    const died = running.ended.then(({ code, told }) => {
      assert.ok(code === null || code === 0, told);
      return code === null;
    });
    return {
      die: () => {
        running.end("SIGKILL");
      },
      died,
    };
  }

  /**
   * Deploys until the driver's n-th call has been acted on, kills it before that is answered, and deploys again.
   * @returns what is wrong then
   */
  async function dieAt(change: Change, at: number, start: typeof killable): Promise<string | undefined> {
    const platform = await bench.platform(change.before);
    let words = `before call ${at}`;
    try {
      const driver = start(platform, change.now);
      platform.onCall = (number, { method, path }) => {
        if (number !== at) return;
        words = `killed at call ${at}, ${method} ${path}`;
        driver.die();
      };
      // Calls that come at the same time change places, and a slow platform is asked more often: the last may not come.
      if (!(await driver.died)) return undefined;
      const died = bench.time.clock.now();
      await bench.deploy(platform, change.now);
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
      const mortal: typeof killable = (platform, spec) => bench.mortal(platform, spec);
      // To the platform both are one. The real end of a process, which costs the machine more, is had at some of the places.
      const wrong = await inLanes([...places.entries()], lanes, ([index, at]) =>
        dieAt(change, at, index % 8 === 0 ? killable : mortal),
      );
      assert.deepEqual(
        wrong.filter((one) => one !== undefined),
        [],
      );
    });
  }
});
