import { DriverError } from "../../../drivers/error";
import type { ExitEvent, Machine, MachineConfig } from "../api/types";
import type { FlyGroup } from "../plan";
import type { Run } from "./run";

/** Seconds beyond the start's own that an image may take to be pulled. */
const pullSeconds = 180;
/** A machine without checks is healthy when it has run for so long. */
const steadyMs = 5000;
/** What was just made isn't seen everywhere at once; a crashed program is started again by its restart policy. */
const graceMs = 15_000;

/** How many checks of a machine have to pass: those of its services. */
const checksOf = (group: FlyGroup): number =>
  (group.config.services ?? []).reduce((sum, service) => sum + service.checks.length, 0);

/** A program that ended by itself so often since it was given its configuration won't get healthy. */
const mostCrashes = 3;
/** How often a machine is woken that the proxy puts to sleep while its health is looked at. */
const mostWakes = 3;

/** How often the program has ended by itself since the machine got its present configuration. */
export function crashesOf(machine: Machine): number {
  const events = machine.events ?? [];
  const given = Math.max(
    0,
    ...events.filter(({ type }) => type === "launch" || type === "update").map((e) => e.timestamp),
  );
  const ends = events.filter(
    ({ type, timestamp, request }) =>
      type === "exit" &&
      timestamp >= given &&
      (request?.exit_event ?? request?.MonitorEvent?.exit_event)?.requested_stop !== true,
  );
  // A machine shows its last few events alone, which hold an end or two.
  return Math.max(ends.length, ...ends.map(({ request }) => (request?.restart_count ?? 0) + 1));
}

/** What one look at a machine says of its health. Pure. */
export function judgeHealth(
  group: FlyGroup,
  machine: Machine | undefined,
  times: { readonly started: number | undefined; readonly down: number },
  now: number,
): "healthy" | "wait" | { readonly why: string } {
  if (machine === undefined || machine.state === "stopped") {
    if (now - times.down < graceMs) return "wait";
    return { why: machine === undefined ? "it is gone" : `it stopped${exitWords(machine)}` };
  }
  if (["failed", "destroyed", "destroying", "launch_failed"].includes(machine.state)) {
    return { why: `its state is ${machine.state}${exitWords(machine)}` };
  }
  const crashes = crashesOf(machine);
  if (crashes >= mostCrashes) return { why: `its program ended ${crashes} times by itself${exitWords(machine)}` };
  if (machine.state !== "started" || times.started === undefined) return "wait";
  const wanted = checksOf(group);
  const informational = new Set(Object.keys(group.config.checks ?? {}));
  const checks = (machine.checks ?? []).filter(({ name }) => !informational.has(name));
  if (wanted === 0) return now - times.started >= steadyMs ? "healthy" : "wait";
  return checks.length >= wanted && checks.every(({ status }) => status === "passing") ? "healthy" : "wait";
}

/** A group as far as its health goes, of a machine that is told to a person's work and not to a plan. */
export const groupLike = (name: string, config: MachineConfig): FlyGroup => ({
  name,
  count: 1,
  config,
  strategy: "rolling",
  startSeconds: 300,
  drainSeconds: 30,
  idle: false,
});

/**
 * Waits until a machine is healthy.
 * @param version the configuration that it has to have
 * @throws DriverError with what its checks and its log say, once the step's one deadline is over or it can't get healthy
 */
export async function waitHealthy(run: Run, app: string, group: FlyGroup, id: string, version?: string): Promise<void> {
  const { fly } = run;
  const now = () => fly.client.world.now();
  const deadline = fly.deadline(group.startSeconds + pullSeconds, `machine ${id} to become healthy`);
  let started: number | undefined;
  let first: number | undefined;
  let down = now();
  let crashes = 0;
  let wakes = 0;
  let last: Machine | undefined;
  for (let wait = 500; ; wait = Math.min(2000, wait * 1.5)) {
    const machine = await fly.machine(app, id);
    const stale = version !== undefined && machine?.instance_id !== undefined && machine.instance_id !== version;
    if (!stale) {
      last = machine;
      const seen = machine === undefined ? 0 : crashesOf(machine);
      if (machine?.state !== "started" || seen > crashes) started = undefined;
      if (machine?.state === "started") started ??= now();
      crashes = seen;
      if (machine !== undefined && machine.state !== "stopped") down = now();
      const verdict = judgeHealth(group, machine, { started, down }, now());
      if (verdict === "healthy") return;
      if (verdict !== "wait") throw await unhealthy(run, app, group, id, verdict.why);
      // The proxy may put it to sleep before its health was seen, which says nothing against the program.
      if (group.idle && machine?.state === "stopped" && seen === 0 && wakes++ < mostWakes) {
        await fly.act(app, id, "start");
      }
    }
    // The time for health starts when the program does; pulling its image is another matter.
    first ??= started;
    const late = first !== undefined && now() - first > group.startSeconds * 1000;
    if (late || !(await run.pause(wait, deadline))) {
      const seconds = late ? group.startSeconds : deadline.seconds;
      throw await unhealthy(run, app, group, id, `it wasn't healthy within ${seconds} s${checkWords(last)}`);
    }
  }
}

async function unhealthy(run: Run, app: string, group: FlyGroup, id: string, why: string): Promise<DriverError> {
  const line = await run.showLogs(app, id);
  return new DriverError({
    what: `The new version of ${group.name} isn't healthy.`,
    where: `machine ${id} of Fly app ${app}`,
    why: run.fly.client.redact(line === undefined ? why : `${why}; its last line: ${line}`),
    fix: "mend it, then pulumi up; what ran before is put back",
  });
}

function checkWords(machine: Machine | undefined): string {
  if (machine === undefined) return "";
  const failing = (machine.checks ?? []).find(({ status }) => status !== "passing");
  if (failing === undefined) return `, its state is ${machine.state}`;
  return `, its check is ${failing.status}: ${(failing.output ?? "").trim().slice(0, 200)}`;
}

/** The program's end, where Fly tells of one. */
export function exitOf(machine: Machine): ExitEvent | undefined {
  const event = (machine.events ?? []).find(({ type }) => type === "exit")?.request;
  return event?.exit_event ?? event?.MonitorEvent?.exit_event;
}

/** That end in words, to be put behind others. */
export function exitWords(machine: Machine): string {
  const exit = exitOf(machine);
  if (exit === undefined) return "";
  return exit.oom_killed === true
    ? ", out of memory"
    : `, its program ended with code ${exit.guest_exit_code ?? exit.exit_code ?? "unknown"}`;
}
