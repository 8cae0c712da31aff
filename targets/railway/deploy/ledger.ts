import { canonical } from "../../hashes";
import type { Place } from "./find";
import { leaseOf, refuseHeld, type Lease } from "./lease";
import { look } from "./look";
import type { Run } from "./run";
import { writeState, type RecordedService, type State } from "./state";

/** What is written down of an app, from what was there on: each change of it is written before the next step that needs it. */
export class Ledger {
  readonly services: Record<string, RecordedService>;
  readonly volumes: Record<string, string>;
  making: Readonly<Record<string, string>>;
  deploying: readonly string[];
  deployed: readonly string[] | undefined;
  restoring: string | undefined;
  private lease: Lease | undefined;
  private written: string;

  constructor(
    private readonly run: Run,
    private readonly place: Place,
    state: State | undefined,
  ) {
    this.services = { ...state?.services };
    this.volumes = { ...state?.volumes };
    this.making = state?.making ?? {};
    this.deploying = state?.deploying ?? [];
    this.deployed = state?.deployed;
    this.restoring = state?.restoring;
    this.lease = state?.lease;
    this.written = state === undefined ? "" : canonical(this.state);
  }

  /** Without what is empty. */
  get state(): State {
    const { making, volumes, deploying, deployed, restoring, lease } = this;
    return {
      app: this.run.spec.id,
      services: this.services,
      ...(Object.keys(making).length === 0 ? {} : { making }),
      ...(Object.keys(volumes).length === 0 ? {} : { volumes }),
      ...(deploying.length === 0 ? {} : { deploying }),
      ...(deployed === undefined ? {} : { deployed }),
      ...(restoring === undefined ? {} : { restoring }),
      ...(lease === undefined ? {} : { lease }),
    };
  }

  /** Writes down that these are about to be made, unless there are none. */
  async intend(parts: readonly string[]): Promise<void> {
    const now = new Date(this.run.railway.client.world.now()).toISOString();
    this.making = { ...this.making, ...Object.fromEntries(parts.map((part) => [part, now])) };
    await this.write();
  }

  /** Holds the app from the next write on, for so long at most. */
  hold(holder: string, seconds: number): void {
    this.lease = leaseOf(holder, this.run.railway.client.world.now(), seconds);
  }

  release(): void {
    this.lease = undefined;
  }

  /**
   * Holds the app while something is done about it.
   * @throws DriverError where somebody else holds it, or has taken it at the same moment
   */
  async holding(holder: string, seconds: number, work: () => Promise<void>): Promise<void> {
    const { run, place } = this;
    this.hold(holder, seconds);
    await this.write();
    refuseHeld(run, (await look(run, place)).state);
    try {
      await work();
    } finally {
      this.release();
      // What went wrong before counts more than that the lease stays until its end.
      await this.write().catch((error: unknown) => {
        run.tell(`what was done couldn't be written down: ${String(error).split("\n")[0] ?? ""}`);
      });
    }
  }

  /** Does nothing where all of it is written already. */
  async write(): Promise<void> {
    const { state } = this;
    const text = canonical(state);
    if (text === this.written) return;
    await writeState(this.run.railway, this.place, state);
    this.written = text;
  }
}
