import { setTimeout as sleep } from "node:timers/promises";
import { backUp } from "../backup/backup";
import { metadataOf, type Machine } from "../api/types";
import { tag } from "../deploy/tags";
import { tellEnd } from "./alert";
import { locked } from "./lock";
import type { Own } from "./own";
import { runJob, type Ending } from "./runJob";
import { endedKey, ranKey, sinceKey, underWay } from "./memory";
import { isBackup, jobTags, type PlannedBackup, type PlannedJob } from "./schedule";
import { Scheduler } from "./scheduler";
import { keepWatch } from "./watch";

type Planned = PlannedJob | PlannedBackup;

/** Starts jobs and backups at their times, until the machine is stopped. */
export async function keepSchedules(own: Own): Promise<void> {
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => process.exit(0));
  const { jobs, backups } = own.schedule;
  const planned: readonly Planned[] = [...jobs, ...backups];
  const self = await own.patiently(own.app, (fly) => fly.machine(own.app, own.machine)).catch(() => undefined);
  void keepWatch(own, self);
  const before = await lastRuns(own, planned, self);
  const scheduler = new Scheduler<Planned>(
    planned,
    {
      now: Date.now,
      run: (one, at, resumed) => run(own, one, at, resumed),
      remember: async (one, at) => {
        await Promise.all([own.write(ranKey(one.name), at.toISOString()), own.write(endedKey(one.name), underWay)]);
      },
      ended: async (one, at, ending) => {
        await own.write(endedKey(one.name), resultOf(ending));
        await tellEnd(own, one.name, at, ending);
      },
      log: own.log,
    },
    new Map(before.map(({ one, ran, since }) => [one.name, Math.max(ran, since)])),
  );
  const followed = new Set<string>();
  for (const { one, at } of await leftRuns(own, planned)) {
    followed.add(one.name);
    scheduler.begin(one, at, true);
  }
  for (const { one, ran, isUnderWay } of before) {
    if (isUnderWay && !followed.has(one.name)) scheduler.begin(one, ran, true);
  }
  own.log(`keeps ${planned.length} schedules`);
  for (;;) await sleep(scheduler.tick());
}

/** Runs on machines of their own that a scheduler before this one began. */
async function leftRuns(own: Own, planned: readonly Planned[]): Promise<{ one: Planned; at: number }[]> {
  const runs: { one: Planned; at: number }[] = [];
  for (const app of new Set([own.app, ...own.schedule.jobs.map(({ flyApp }) => flyApp)])) {
    const tags = { [tag.owner]: own.schedule.id, [tag.role]: "job" };
    const left = await own.patiently(app, (fly) => fly.machines(app, tags)).catch(() => []);
    for (const machine of left) {
      const one = planned.find(({ name }) => name === metadataOf(machine)[jobTags.name]);
      const at = Date.parse(metadataOf(machine)[jobTags.at] ?? "");
      if (one !== undefined && !Number.isNaN(at)) runs.push({ one, at });
    }
  }
  return runs;
}

async function run(own: Own, one: Planned, at: Date, resumed: boolean): Promise<Ending> {
  if (!isBackup(one)) return runJob(own.flyFor(one.flyApp), own.schedule.id, one, at, resumed);
  // What it says on the way is told at its end.
  const here = { ...own.here(), log: () => undefined };
  // One that went through a scheduler before this one can't find it any more; a copy is made anew instead.
  const begun = resumed ? new Date() : at;
  const ending = await locked(one.name, () => backUp(here, one, own.accessOf(one), begun));
  return ending ?? { code: undefined, reason: "lost", log: ["a person's backup or restore is under way"] };
}

const resultOf = ({ code, reason }: Ending): string =>
  reason !== "exit" ? reason : code === 0 ? "success" : `exit-code ${code ?? ""}`.trim();

/** When each was last begun, if ever, and whether its end is still to come, by the machine's own metadata. */
async function lastRuns(own: Own, planned: readonly Planned[], self: Machine | undefined) {
  const written = self === undefined ? {} : metadataOf(self);
  const timeOf = (key: string): number => Date.parse(written[key] ?? "") || 0;
  return Promise.all(
    planned.map(async (one) => {
      const [ran, known] = [timeOf(ranKey(one.name)), timeOf(sinceKey(one.name))];
      const since = known === 0 ? Date.now() : known;
      if (known === 0) await own.write(sinceKey(one.name), new Date(since).toISOString());
      return { one, ran, since, isUnderWay: ran > 0 && written[endedKey(one.name)] === underWay };
    }),
  );
}
