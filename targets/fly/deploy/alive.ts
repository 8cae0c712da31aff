import type { World } from "../../../drivers/http";
import type { Leases } from "./leases";

/** Milliseconds between looks at the leases. */
const tick = 4000;

/**
 * A world in which leases are kept alive whatever a call waits for: a Retry-After and a slow answer last longer than a lease.
 * @param leases asked for when they are needed, as they are taken by calls in this world
 */
export function keepingAlive(world: World, leases: () => Leases): World {
  return {
    now: () => world.now(),
    random: () => world.random(),
    sleep: async (ms, signal) => {
      for (let left = ms; left > 0; left -= tick) {
        await world.sleep(Math.min(left, tick), signal);
        await leases().keepAlive();
      }
    },
    fetch: async (url, init) => {
      const answer = world.fetch(url, init);
      if (!leases().any || (await isSoon(answer))) return answer;
      const done = new AbortController();
      const watch = async (): Promise<never> => {
        for (;;) {
          await world.sleep(tick, done.signal);
          await leases().keepAlive();
        }
      };
      // Ends by the signal alone.
      watch().catch(() => undefined);
      try {
        return await answer;
      } finally {
        done.abort();
      }
    },
  };
}

/** Whether something is through already, in one turn of the event loop: a clock that only runs while somebody waits is let be. */
function isSoon(answer: Promise<unknown>): Promise<boolean> {
  const through = answer.then(
    () => true,
    () => true,
  );
  return Promise.race([through, new Promise<boolean>((done) => setImmediate(done, false))]);
}
