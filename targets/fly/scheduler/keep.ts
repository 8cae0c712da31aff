import { setTimeout as sleep } from "node:timers/promises";
import { backUp } from "../backup/backup";
import { metadataOf } from "../api/types";
import { tag } from "../deploy/tags";
import { tellEnd } from "./alert";
import { locked } from "./lock";
import type { Own } from "./own";
import { runJob, type Ending } from "./runJob";
import { endedKey, isBackup, jobTags, ranKey, type PlannedBackup, type PlannedJob } from "./schedule";
import { Scheduler } from "./scheduler";

type Planned = PlannedJob | PlannedBackup;

/** Starts jobs and backups at their times, until the machine is stopped. */
export async function keepSchedules(own: Own): Promise<void> {
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => process.exit(0));
  const { jobs, backups } = own.schedule;
  const planned: readonly Planned[] = [...jobs, ...backups];
  const scheduler = new Scheduler<Planned>(
    planned,
    {
      now: Date.now,
      run: (one, at) => run(own, one, at),
      remember: (one, at) => write(own, ranKey(one.name), at.toISOString()),
      ended: async (one, at, ending) => {
        await write(own, endedKey(one.name), resultOf(ending));
        await tellEnd(own, one.name, at, ending);
      },
      log: own.log,
    },
    await lastRuns(own, planned),
  );
  for (const app of new Set([own.app, ...jobs.map(({ flyApp }) => flyApp)])) {
    const left = await own
      .flyFor(app)
      .machines(app, { [tag.owner]: own.schedule.id, [tag.role]: "job" })
      .catch(() => []);
    for (const machine of left) {
      const one = planned.find(({ name }) => name === metadataOf(machine)[jobTags.name]);
      const at = Date.parse(metadataOf(machine)[jobTags.at] ?? "");
      if (one !== undefined && !Number.isNaN(at)) scheduler.begin(one, at);
    }
  }
  own.log(`keeps ${planned.length} schedules`);
  for (;;) await sleep(scheduler.tick());
}

async function run(own: Own, one: Planned, at: Date): Promise<Ending> {
  if (!isBackup(one)) return runJob(own.flyFor(one.flyApp), own.schedule.id, one, at);
  // What it says on the way is told at its end.
  const here = { ...own.here(), log: () => undefined };
  const ending = await locked(one.name, () => backUp(here, one, own.accessOf(one), at));
  return ending ?? { code: undefined, reason: "lost", log: ["a person's backup or restore is under way"] };
}

const resultOf = ({ code, reason }: Ending): string =>
  reason !== "exit" ? reason : code === 0 ? "success" : `exit-code ${code ?? ""}`.trim();

/** A schedule that can't be remembered is still kept. */
async function write(own: Own, key: string, value: string): Promise<void> {
  await own
    .flyFor(own.app)
    .setMetadata(own.app, own.machine, key, value)
    .catch((error: unknown) => {
      own.log(`${key} can't be written down: ${String(error)}`);
    });
}

/** When each was last begun, by the machine's own metadata. */
async function lastRuns(own: Own, planned: readonly Planned[]): Promise<Map<string, number>> {
  const self = await own
    .flyFor(own.app)
    .machine(own.app, own.machine)
    .catch(() => undefined);
  const written = self === undefined ? {} : metadataOf(self);
  return new Map(
    planned.flatMap(({ name }) => {
      const at = Date.parse(written[ranKey(name)] ?? "");
      return Number.isNaN(at) ? [] : [[name, at] as const];
    }),
  );
}
