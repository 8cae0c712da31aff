import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { World } from "../../../drivers/http";
import type { Entry } from "../../../rehearsal/platform/journal";
import { deploy } from "../../../targets/fly/driver";
import { leaseSeconds } from "../../../targets/fly/deploy/leases";
import type { FlyResult, FlySpec } from "../../../targets/fly/plan";
import type { Change } from "./cases";
import { DriverProcesses } from "./driverProcess";
import { assertExact } from "./exact";
import { PaperPlatform } from "./platform";
import { fastTime } from "./time";

/** Milliseconds that a lease lasts that nobody refreshes, and one to which a full second was rounded. */
const leaseMs = (leaseSeconds + 1) * 1000;

/** A driver that may die. */
export interface Mortal {
  die(): void;
  /** Whether it did before it was through. */
  readonly died: Promise<boolean>;
}

/** Platforms and drivers of one test file, all in one fast time. */
export class FlyBench {
  private readonly folder = mkdtempSync(join(tmpdir(), "homeport-fly-faults-"));
  readonly time = fastTime(12);
  readonly drivers = new DriverProcesses(this.folder, this.time);
  private readonly bases = new Map<FlySpec, Promise<PaperPlatform>>();
  private count = 0;

  /** A platform as `before` leaves it, for one test; copied from one that was brought there once. */
  async platform(before?: FlySpec): Promise<PaperPlatform> {
    const folder = join(this.folder, String(++this.count));
    if (before === undefined) return PaperPlatform.open(folder, this.time);
    const known = this.bases.get(before) ?? this.base(before);
    this.bases.set(before, known);
    return PaperPlatform.open(folder, this.time, await known);
  }

  private async base(spec: FlySpec): Promise<PaperPlatform> {
    const platform = await this.platform();
    await this.deploy(platform, spec);
    await platform.fly.close();
    return platform;
  }

  /** The driver in this process, which is quicker where nobody kills it. */
  deploy(platform: PaperPlatform, plan: FlySpec, told: string[] = []): Promise<FlyResult> {
    const io = { progress: (line: string) => void told.push(line), signal: new AbortController().signal };
    return deploy(platform.spec(plan), io, this.time.world);
  }

  /**
   * The driver in this process, so that it can die as if its process were killed: from then on it hears of nothing any more,
   * and whatever it would still do isn't done.
   */
  mortal(platform: PaperPlatform, plan: FlySpec): Mortal {
    const { world } = this.time;
    const never = new Promise<never>(() => undefined);
    const underWay = new Set<Promise<unknown>>();
    const death = new AbortController();
    const isDead = (): boolean => death.signal.aborted;
    const alive = async <T>(work: () => Promise<T>): Promise<T> => {
      if (isDead()) return never;
      const doing = work();
      underWay.add(doing);
      await Promise.allSettled([doing]);
      underWay.delete(doing);
      return isDead() ? never : doing;
    };
    const own: World = {
      ...world,
      fetch: (url, init) => alive(() => world.fetch(url, init)),
      sleep: (ms, signal) => world.sleep(ms, signal).then(() => (isDead() ? never : undefined)),
    };
    const io = { progress: () => undefined, signal: new AbortController().signal };
    // What it had sent by then is acted on.
    const died = once(death.signal, "abort").then(() => Promise.allSettled(underWay));
    return {
      die: () => {
        death.abort();
      },
      died: Promise.race([died.then(() => true), deploy(platform.spec(plan), io, own).then(() => false)]),
    };
  }

  /** The calls of a change that nothing hinders, in order. */
  async callsOf({ before, now }: Change): Promise<readonly Entry[]> {
    const platform = await this.platform(before);
    try {
      await this.deploy(platform, now);
      return platform.fly.journal.entries();
    } finally {
      await platform.close();
    }
  }

  /**
   * Holds a platform against a change's end, which another deploy then finds nothing to do in.
   * @param died when a driver was killed: what it had leased then ends by itself
   */
  async assertThrough(platform: PaperPlatform, { before, now }: Change, died?: number): Promise<void> {
    const { world, journal } = platform.fly;
    await platform.settled();
    assertExact(world, platform.spec(now), { before, leasedUntil: died === undefined ? 0 : died + leaseMs });
    const calls = journal.entries().length;
    const { changes } = await this.deploy(platform, now);
    assert.deepEqual(changes, [], "one more deploy changes something");
    const changing = journal.entries(calls).filter((entry) => entry.changes);
    assert.deepEqual(changing, [], "one more deploy asks for changes");
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
