import { setTimeout as sleep } from "node:timers/promises";
import { diskLimitPercent, metadataOf, usedPercentOf, type Machine } from "../api/types";
import { listVolumes } from "../api/volumes";
import { crashesOf } from "../deploy/health";
import { tag } from "../deploy/tags";
import { judge, type Verdict } from "./judge";
import { watchKey } from "./memory";
import type { Own } from "./own";
import { post } from "./post";

/** From one look at the machines to the next: one call for each app of Fly. */
const roundMs = 120_000;
/** Volumes fill slowly, and are asked for by calls of their own. */
const roundsToVolumes = 15;
/** What is wrong at one look alone, such as a restart, is nothing to wake somebody for. */
const looksToTell = 2;
/** Looks without an answer of Fly's after which that is told: 20 minutes. */
const looksToBlind = 10;

/** Looks at an app's machines and volumes, and tells once when something turns bad and once when it is good again. */
export class Watch {
  /** When what is bad was told. */
  private readonly told = new Map<string, number>();
  private readonly suspect = new Map<string, number>();
  private readonly crashes = new Map<string, number>();
  private failures = 0;
  private rounds = 0;

  /** @param written metadata of the machine that this runs in, by which it knows what was told before */
  constructor(
    private readonly own: Own,
    written: Readonly<Record<string, string>>,
  ) {
    for (const [key, value] of Object.entries(written)) {
      const at = Date.parse(value);
      if (key.startsWith(watchKey("")) && !Number.isNaN(at)) this.told.set(key, at);
    }
  }

  async look(now = Date.now()): Promise<void> {
    const { watch } = this.own.schedule;
    const volumes = this.rounds++ % roundsToVolumes === 0;
    let failure: unknown;
    for (const app of new Set(watch.map(({ flyApp }) => flyApp))) {
      try {
        await this.lookAt(app, volumes, now);
      } catch (error) {
        failure = error;
      }
    }
    this.failures = failure === undefined ? 0 : this.failures + 1;
    const why = failure instanceof Error ? failure.message.split("\n").slice(0, 3).join(" ") : String(failure);
    const verdict = failure === undefined ? "good" : this.failures < looksToBlind ? "changing" : { wrong: why };
    await this.note("watch", verdict, "Fly tells of the app again", now);
  }

  private async lookAt(app: string, volumes: boolean, now: number): Promise<void> {
    const fly = this.own.flyFor(app);
    const groups = this.own.schedule.watch.filter(({ flyApp }) => flyApp === app);
    const machines = await fly.machines(app, { [tag.owner]: this.own.schedule.id });
    const crashed = this.crashedOf(machines);
    for (const group of groups) {
      await this.note(group.subject, judge(group, machines, crashed, now), `${group.count} as they should be`, now);
    }
    if (!volumes || !groups.some((group) => group.volumes)) return;
    for (const volume of await listVolumes(fly, app)) {
      const used = usedPercentOf(volume);
      const is = `volume ${volume.name} (${volume.id}) is ${used} % full`;
      const verdict = used >= diskLimitPercent ? { wrong: `${is}, the limit is ${diskLimitPercent} %` } : "good";
      // At the limit it would turn with every look.
      const wavers = used === diskLimitPercent - 1;
      await this.note(`disk ${volume.name}`, wavers ? "changing" : verdict, is, now, 1);
    }
  }

  private crashedOf(machines: readonly Machine[]): ReadonlySet<string> {
    const crashed = new Set<string>();
    for (const machine of machines) {
      const count = crashesOf(machine);
      const before = this.crashes.get(machine.id);
      if (before !== undefined && count > before) crashed.add(machine.id);
      this.crashes.set(machine.id, count);
    }
    return crashed;
  }

  /** A turn is told; what couldn't be told is told by the next look. */
  private async note(subject: string, verdict: Verdict, good: string, now: number, looks = looksToTell): Promise<void> {
    const key = watchKey(subject);
    if (verdict === "changing") {
      this.suspect.delete(key);
      return;
    }
    const since = this.told.get(key);
    const at = new Date(now);
    if (verdict === "good") {
      this.suspect.delete(key);
      if (since === undefined) return;
      const line = `${good} (bad for ${Math.round((now - since) / 1000)} s)`;
      this.own.log(`${subject} is good: ${line}`);
      if (!(await post(this.own, { unit: subject, state: "good", result: "", at, log: [line] }))) return;
      this.told.delete(key);
      await this.own.write(key, "good");
      return;
    }
    const seen = (this.suspect.get(key) ?? 0) + 1;
    this.suspect.set(key, seen);
    if (since !== undefined || seen < looks) return;
    this.own.log(`${subject} is bad: ${verdict.wrong}`);
    if (!(await post(this.own, { unit: subject, state: "bad", result: "", at, log: [verdict.wrong] }))) return;
    this.told.set(key, now);
    await this.own.write(key, at.toISOString());
  }
}

/** Watches the app as long as the scheduler runs, where somebody is to be told. */
export async function keepWatch(own: Own, self: Machine | undefined): Promise<void> {
  if (own.schedule.watch.length === 0) return;
  const watch = new Watch(own, self === undefined ? {} : metadataOf(self));
  for (;;) {
    await watch.look().catch((error: unknown) => {
      own.log(`the watch failed: ${error instanceof Error ? error.message : String(error)}`);
    });
    await sleep(roundMs);
  }
}
