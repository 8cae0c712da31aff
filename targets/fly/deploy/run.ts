import type { DriverIo } from "../../../drivers/driver";
import { realWorld, type Deadline, type World } from "../../../drivers/http";
import { Fly } from "../api/fly";
import { FlyLogs } from "../api/logs";
import { FlyReleases } from "../api/releases";
import type { FlySpec } from "../plan";
import { keepingAlive } from "./alive";
import { Leases } from "./leases";

/** One run of the driver: what its parts share. */
export class Run {
  readonly fly: Fly;
  readonly leases: Leases;
  readonly releases: FlyReleases;
  private readonly logs: FlyLogs;
  /** What was done, in order. */
  readonly changes: string[] = [];
  /** When it began, RFC 3339: the same for all that it changes. */
  readonly began: string;

  constructor(
    readonly spec: FlySpec,
    private readonly io: Pick<DriverIo, "progress" | "signal">,
    secrets: readonly string[],
    given: World = realWorld,
  ) {
    const world = keepingAlive(given, () => this.leases);
    this.fly = new Fly(spec.connection, io, secrets, world);
    const options = { world, signal: io.signal };
    this.logs = new FlyLogs(spec.connection, secrets, options);
    this.releases = new FlyReleases(spec.connection, secrets, options);
    this.began = new Date(this.fly.client.world.now()).toISOString();
    this.leases = new Leases(this.fly);
  }

  /** Whether the run is being ended from outside: then nothing is undone, which the next run does. */
  isEnding(): boolean {
    return this.io.signal.aborted;
  }

  /** For secrets that Fly tells on the way. */
  hide(secret: string): void {
    this.fly.client.hide(secret);
    this.logs.hide(secret);
  }

  tell(line: string): void {
    this.io.progress(this.fly.client.redact(line));
  }

  changed(line: string): void {
    this.changes.push(line);
    this.tell(line);
  }

  /** Waits, keeping the leases alive. @returns false where the deadline comes first */
  async pause(ms: number, deadline: Deadline = this.fly.deadline(ms / 1000 + 60, "a wait")): Promise<boolean> {
    for (let left = ms; left > 0; left -= 4000) {
      if (!(await this.fly.client.pause(Math.min(left, 4000), deadline))) return false;
      await this.leases.refresh();
    }
    return true;
  }

  /** Shows the last lines that a machine wrote. @returns the very last of them; a failure to read them is no failure */
  async showLogs(app: string, machine: string, count = 20): Promise<string | undefined> {
    try {
      const deadline = this.fly.deadline(15, "the logs");
      const { lines } = await this.logs.read(app, deadline, { instance: machine });
      const last = lines.slice(-count);
      for (const { message } of last) this.tell(`${app} ${machine} | ${message}`);
      return last.at(-1)?.message;
    } catch (error) {
      if (this.isEnding()) throw error;
      this.tell(
        `${app} ${machine}: its log can't be read: ${error instanceof Error ? (error.message.split("\n")[0] ?? "") : ""}`,
      );
      return undefined;
    }
  }
}
