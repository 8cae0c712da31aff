import { hasStatus, isUnknown } from "../../../drivers/http";
import type { Fly } from "../api/fly";

/**
 * Seconds: what a killed deploy holds is free again soon. flyctl has 13 and asks anew each 4; with these, most of a deploy's calls
 * aren't about leases, and a slow call between two looks still doesn't lose one.
 */
export const leaseSeconds = 20;
const refreshMs = 8000;
/** Seconds that another's lease is waited for: longer than one that nobody refreshes. */
const patience = 30;

/** The machines that this run alone may change. */
export class Leases {
  private readonly held = new Map<string, { app: string; at: number }>();

  constructor(private readonly fly: Fly) {}

  /** @throws ApiError 409 where somebody else keeps one of them */
  async take(app: string, ids: readonly string[]): Promise<void> {
    for (const id of ids) if (!this.held.has(id)) await this.takeOne(app, id);
  }

  private async takeOne(app: string, id: string): Promise<void> {
    const deadline = this.fly.deadline(patience, `machine ${id} to be let go by another deploy`);
    for (;;) {
      try {
        await this.fly.lease(app, id, leaseSeconds);
        this.held.set(id, { app, at: this.fly.client.world.now() });
        return;
      } catch (error) {
        // A lease whose nonce was lost with the answer ends by itself, too.
        if (!hasStatus(error, 409) && !isUnknown(error)) throw error;
        if (!(await this.fly.client.pause(2000, deadline))) throw error;
      }
    }
  }

  /** Called while waiting: keeps those alive that are about to end. */
  async refresh(): Promise<void> {
    const now = this.fly.client.world.now();
    for (const [id, lease] of this.held) {
      if (now - lease.at < refreshMs) continue;
      await this.fly.lease(lease.app, id, leaseSeconds);
      lease.at = this.fly.client.world.now();
    }
  }

  /** For a machine that is gone. */
  forget(id: string): void {
    this.held.delete(id);
  }

  async dropAll(): Promise<void> {
    for (const [id, { app }] of [...this.held]) {
      await this.fly.release(app, id);
      this.held.delete(id);
    }
  }
}
