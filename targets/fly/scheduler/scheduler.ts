import { Cron } from "../../../components/values/cron";
import type { Ending } from "./runJob";
import type { Timed } from "./schedule";

/** What the scheduler acts through. */
export interface Hands<Job extends Timed> {
  now(): number;
  /** @param resumed whether a scheduler before this one began it: then it is followed, and not begun again */
  run(job: Job, at: Date, resumed: boolean): Promise<Ending>;
  /** Remembers, beyond a restart, that a job was begun. */
  remember(job: Job, at: Date): Promise<void>;
  /** Told of each run's end. */
  ended(job: Job, at: Date, ending: Ending): Promise<void>;
  log(line: string): void;
}

/** Starts jobs at their times: each once, none twice at the same time, and one whose time was missed as soon as it can. */
export class Scheduler<Job extends Timed> {
  private readonly crons: ReadonlyMap<string, Cron>;
  private readonly last = new Map<string, number>();
  private readonly running = new Map<string, Promise<void>>();

  /** @param ran when jobs were last begun, as it was remembered */
  constructor(
    private readonly jobs: readonly Job[],
    private readonly hands: Hands<Job>,
    ran: ReadonlyMap<string, number>,
  ) {
    this.crons = new Map(jobs.map((job) => [job.name, new Cron(job.expression, { timeZone: job.timeZone })]));
    for (const { name } of jobs) this.last.set(name, ran.get(name) ?? hands.now());
  }

  /** When a job is due; in the past where its time was missed. */
  due({ name }: Job): number | undefined {
    return this.crons
      .get(name)
      ?.next(new Date(this.last.get(name) ?? 0))[0]
      ?.getTime();
  }

  /** Begins what is due. @returns milliseconds until the next look */
  tick(): number {
    const now = this.hands.now();
    let next = now + 60_000;
    for (const job of this.jobs) {
      const due = this.due(job);
      if (due === undefined) continue;
      if (due > now) next = Math.min(next, due);
      else if (!this.running.has(job.name)) this.begin(job, this.latest(job, due, now));
      // One that still runs is looked at again when it ends, or soon.
      else next = Math.min(next, now + 5000);
    }
    return Math.max(100, next - now);
  }

  /** Of several missed times the last one counts for all. */
  private latest({ name }: Job, due: number, now: number): number {
    let at = due;
    for (;;) {
      const later = this.crons.get(name)?.next(new Date(at))[0]?.getTime();
      if (later === undefined || later > now) return at;
      at = later;
    }
  }

  /** Also takes up a run that a scheduler before this one began. */
  begin(job: Job, at: number, resumed = false): void {
    const when = new Date(at);
    this.last.set(job.name, Math.max(at, this.last.get(job.name) ?? 0));
    this.hands.log(`${job.name}: ${resumed ? "follows" : "begins"} its run of ${when.toISOString()}`);
    const run = this.follow(job, when, resumed).finally(() => this.running.delete(job.name));
    this.running.set(job.name, run);
  }

  private async follow(job: Job, at: Date, resumed: boolean): Promise<void> {
    try {
      await this.hands.remember(job, at);
      await this.hands.ended(job, at, await this.hands.run(job, at, resumed));
    } catch (error) {
      const line = error instanceof Error ? error.message : String(error);
      await this.hands.ended(job, at, { code: undefined, reason: "lost", log: [line] }).catch(() => undefined);
    }
  }

  /** For tests and for the end: resolves when nothing runs. */
  async idle(): Promise<void> {
    await Promise.all(this.running.values());
  }
}
