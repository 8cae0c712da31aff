import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import type { Fault } from "../../rehearsal/platform/faults";
import type { Entry } from "../../rehearsal/platform/journal";
import { FlyBench } from "../support/fly/bench";
import { changes, isRecord, type Change } from "../support/fly/cases";
import { inLanes } from "../support/lanes";

const lanes = 4 * Math.min(2, availableParallelism());

/** Ways in which a call goes wrong and nothing is done. */
const refusals: Readonly<Record<string, Omit<Fault, "after">>> = {
  "status 500": { kind: "status", status: 500 },
  "status 502 of a proxy": { kind: "status", status: 502, body: "<html><h1>Bad Gateway</h1></html>" },
  "status 503": { kind: "status", status: 503 },
  "429 without Retry-After": { kind: "status", status: 429, body: { error: "rate limit exceeded" } },
  "429 with Retry-After": { kind: "status", status: 429, retryAfter: "2", body: { error: "rate limit exceeded" } },
  "a connection that is cut": { kind: "refused" },
};
/** The platform acts, and nobody hears of it. */
const lost: Omit<Fault, "after"> = { kind: "lost" };

/** One fault at the n-th call. */
interface Struck {
  readonly at: number;
  readonly words: string;
  readonly fault: Omit<Fault, "after">;
}

/** An answer that is lost at every change, and the refusals in turn, for reads and what no deploy depends on at every third of them. */
function strikes(calls: readonly Entry[]): Struck[] {
  const kinds = Object.entries(refusals);
  return calls.flatMap(({ number: at, path, changes: isChange }) => {
    const [words, fault] = kinds[at % kinds.length]!;
    const refused = { at, words, fault };
    if (isChange && !isRecord(path)) return [{ at, words: "a lost answer", fault: lost }, refused];
    return Math.floor(at / kinds.length) % 3 === 0 ? [refused] : [];
  });
}

describe("Fly deploys with a fault at one call", function () {
  this.timeout(240_000);
  let bench: FlyBench;

  before(() => {
    bench = new FlyBench();
  });
  after(() => {
    bench.close();
  });

  /** @returns what is wrong after a deploy in which this call goes wrong */
  async function strike(change: Change, { at, words, fault }: Struck): Promise<string | undefined> {
    const platform = await bench.platform(change.before);
    let where = "";
    const told: string[] = [];
    try {
      platform.onCall = (number, { method, path }) => {
        if (number === at) where = `${method} ${path}`;
      };
      platform.fly.world.faults.add({ ...fault, after: at - 1 });
      await bench.deploy(platform, change.now, told);
      await bench.assertThrough(platform, change);
      return undefined;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return `${words} at call ${at}, ${where}: ${why}\n${told.join("\n")}`;
    } finally {
      await platform.close();
    }
  }

  for (const [name, plan] of Object.entries(changes)) {
    it(`gets through ${name}`, async () => {
      const change = await plan();
      const places = strikes(await bench.callsOf(change));
      const wrong = await inLanes(places, lanes, (struck) => strike(change, struck));
      assert.deepEqual(
        wrong.filter((one) => one !== undefined),
        [],
      );
    });
  }

  for (const [words, fault] of Object.entries(refusals)) {
    it(`gets through ${words} at the first try of everything`, async () => {
      const change = await changes["hotrod's new version with new secrets"]!();
      const platform = await bench.platform(change.before);
      try {
        const struck = new Set<string>();
        const { faults } = platform.fly.world;
        const take = faults.strike.bind(faults);
        faults.strike = (method, path) => {
          const call = `${method} ${path}`;
          if (struck.has(call)) return take(method, path);
          struck.add(call);
          return { ...fault };
        };
        await bench.deploy(platform, change.now);
        assert.ok(struck.size > 30, `only ${struck.size} calls were struck`);
        faults.strike = take;
        await bench.assertThrough(platform, change);
      } finally {
        await platform.close();
      }
    });
  }
});
