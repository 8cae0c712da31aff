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
/**
 * Age in milliseconds from which a lease isn't refreshed beside another call: one that is over by then is granted anew, under
 * another nonce than that call has.
 */
const besideMs = leaseSeconds * 1000 - 4000;

/** The machines that this run alone may change. */
export class Leases {
  private readonly held = new Map<string, { app: string; at: number }>();
  private refreshing: Promise<void> | undefined;

  constructor(private readonly fly: Fly) {}

  /** Whether there are any. */
  get any(): boolean {
    return this.held.size > 0;
  }

  /**
   * @returns whether one of them was somebody else's until now, or is gone: then what was known of the app isn't so any more
   * @throws ApiError 409 where somebody else keeps one of them
   */
  async take(app: string, ids: readonly string[]): Promise<boolean> {
    let late = false;
    for (const id of ids) {
      if (!this.held.has(id) && (await this.takeOne(app, id)) !== "at once") late = true;
    }
    return late;
  }

  private async takeOne(app: string, id: string): Promise<"at once" | "late" | "gone"> {
    const deadline = this.fly.deadline(patience, `machine ${id} to be let go by another deploy`);
    for (let late = false; ; late = true) {
      try {
        const at = this.fly.client.world.now();
        await this.fly.lease(app, id, leaseSeconds);
        this.held.set(id, { app, at });
        return late ? "late" : "at once";
      } catch (error) {
        if (hasStatus(error, 404)) return "gone";
        // A lease whose nonce was lost with the answer ends by itself, too.
        if (!hasStatus(error, 409) && !isUnknown(error)) throw error;
        if (!(await this.fly.client.pause(2000, deadline))) throw error;
      }
    }
  }

  /** Called while waiting: keeps those alive that are about to end. */
  refresh(): Promise<void> {
    return this.refreshOnce(Infinity);
  }

  /** The same beside a call that takes long, which it doesn't fail: what is to be done with a lost lease says so itself. */
  keepAlive(): Promise<void> {
    return this.refreshOnce(besideMs).catch(() => undefined);
  }

  private async refreshOnce(oldest: number): Promise<void> {
    // One at a time: its own waits come here, too.
    if (this.refreshing !== undefined || !this.any) return;
    this.refreshing = this.refreshDue(oldest);
    try {
      await this.refreshing;
    } finally {
      this.refreshing = undefined;
    }
  }

  private async refreshDue(oldest: number): Promise<void> {
    const { world } = this.fly.client;
    for (const [id, lease] of this.held) {
      const now = world.now();
      if (now - lease.at < refreshMs || now - lease.at > oldest) continue;
      await this.fly.lease(lease.app, id, leaseSeconds);
      lease.at = now;
    }
  }

  /** For a machine that is gone. */
  forget(id: string): void {
    this.held.delete(id);
  }

  async dropAll(): Promise<void> {
    // A refresh that is under way would take one again.
    await this.refreshing?.catch(() => undefined);
    for (const [id, { app }] of [...this.held]) {
      // First: while an answer is waited for that was lost, it would be taken again.
      this.held.delete(id);
      await this.fly.release(app, id);
    }
  }
}
