import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { Fly } from "../api/fly";
import { metadataOf } from "../api/types";
import { tag } from "../deploy/tags";
import { runJob, type Ending } from "./runJob";
import { jobTags, ranKey, tokenVariable, type PlannedJob, type Schedule } from "./schedule";
import { Scheduler } from "./scheduler";

/** The program of the scheduler's machine. It is bundled into one file, so that nothing has to be installed there. */
const schedule = JSON.parse(readFileSync(process.argv[2] ?? "/homeport/schedule.json", "utf8")) as Schedule;
const own = { app: process.env.FLY_APP_NAME ?? "", machine: process.env.FLY_MACHINE_ID ?? "" };
const log = (line: string): void => void process.stdout.write(`${line}\n`);
const clients = new Map<string, Fly>();

function flyFor(app: string): Fly {
  const known = clients.get(app);
  if (known !== undefined) return known;
  const token = process.env[tokenVariable(app)] ?? "";
  const connection = { machinesUrl: schedule.machinesUrl, apiUrl: "", org: schedule.org, token };
  const made = new Fly(connection, { progress: log, signal: new AbortController().signal }, []);
  clients.set(app, made);
  return made;
}

async function remember(job: PlannedJob, at: Date): Promise<void> {
  // A schedule that can't be remembered is still kept.
  await flyFor(own.app)
    .setMetadata(own.app, own.machine, ranKey(job.name), at.toISOString())
    .catch((error: unknown) => {
      log(`${job.name}: its run can't be written down: ${String(error)}`);
    });
}

async function ended(job: PlannedJob, at: Date, { code, reason, log: lines }: Ending): Promise<void> {
  const good = reason === "exit" && code === 0;
  for (const line of lines) log(`${job.name} | ${line}`);
  log(`${job.name}: ${good ? "succeeded" : `failed (${reason === "exit" ? `code ${code ?? "unknown"}` : reason})`}`);
  const { PING_URL: ping, ALERT_WEBHOOK: alert } = process.env;
  const options = { signal: AbortSignal.timeout(15_000), redirect: "manual" } as const;
  try {
    if (good && ping !== undefined) await fetch(`${ping}/${schedule.id}-${job.name}`, options);
    if (good || alert === undefined) return;
    const { app, stack } = schedule;
    const result = reason === "exit" ? `exit-code ${code ?? ""}`.trim() : reason;
    const body = {
      app,
      stack,
      host: hostname(),
      unit: job.name,
      state: "failed",
      result,
      time: at.toISOString(),
      log: lines,
    };
    const headers = { "content-type": "application/json" };
    await fetch(alert, { ...options, method: "POST", headers, body: JSON.stringify({ ...body, held: 0 }) });
  } catch {
    log(`${job.name}: nobody could be told`);
  }
}

async function start(): Promise<void> {
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => process.exit(0));
  const self = await flyFor(own.app)
    .machine(own.app, own.machine)
    .catch(() => undefined);
  const written = self === undefined ? {} : metadataOf(self);
  const ran = new Map(
    schedule.jobs.flatMap(({ name }) => {
      const at = Date.parse(written[ranKey(name)] ?? "");
      return Number.isNaN(at) ? [] : [[name, at] as const];
    }),
  );
  const run = (job: PlannedJob, at: Date) => runJob(flyFor(job.flyApp), schedule.id, job, at);
  const scheduler = new Scheduler(schedule.jobs, { now: Date.now, run, remember, ended, log }, ran);
  for (const app of new Set(schedule.jobs.map(({ flyApp }) => flyApp))) {
    const left = await flyFor(app)
      .machines(app, { [tag.owner]: schedule.id, [tag.role]: "job" })
      .catch(() => []);
    for (const machine of left) {
      const job = schedule.jobs.find(({ name }) => name === metadataOf(machine)[jobTags.name]);
      const at = Date.parse(metadataOf(machine)[jobTags.at] ?? "");
      if (job !== undefined && !Number.isNaN(at)) scheduler.begin(job, at);
    }
  }
  log(`keeps ${schedule.jobs.length} schedules`);
  for (;;) await sleep(scheduler.tick());
}

void start();
