import { Cron } from "../../components/values/cron";
import type { AppStatus, DatabaseStatus, PlacedApp, ScheduleStatus, ServiceStatus } from "../operations";
import {
  diskLimitPercent,
  hostWords,
  isAsleep,
  isHostUp,
  metadataOf,
  usedPercentOf,
  type Machine,
  type Volume,
} from "./api/types";
import { tag } from "./deploy/tags";
import { countOf } from "./group";
import { databaseOf } from "./operationsBackups";
import type { FoundDatabase } from "./operationsDatabases";
import type { FoundSchedule, PlacedMachine, PlacedVolume } from "./operationsFind";
import { endedKey, ranKey, underWay } from "./scheduler/memory";
import type { Timed } from "./scheduler/schedule";

/** What Fly tells of an app. */
export interface Seen {
  readonly machines: readonly PlacedMachine[];
  readonly schedule: FoundSchedule;
  readonly volumes: readonly PlacedVolume[];
  readonly found: readonly FoundDatabase[];
  readonly databases: readonly DatabaseStatus[];
}

/** An app's state. Pure but for the clock. */
export function readStatus(
  app: Pick<PlacedApp, "declaration" | "settings">,
  { machines, schedule: { jobs, backups, machine: scheduler }, volumes, found, databases }: Seen,
  now = new Date(),
): AppStatus {
  const membersOf = (name: string) => machines.filter(({ group, part }) => group === name && part.includes("/"));
  const services = app.declaration.services.map(({ name, health }) =>
    serviceStatus(name, health !== undefined, membersOf(name)),
  );
  return {
    deployed: machines.length > 0,
    time: now.toISOString(),
    services: machines.length === 0 ? [] : services,
    schedules: [...jobs, ...backups].map((one) => scheduleStatus(one, scheduler, machines, now)),
    databases: machines.length === 0 ? [] : databases,
    disks: volumes.map(({ volume }) => diskStatus(volume)),
    missing: machines.length === 0 ? [] : missingOf(app, membersOf, scheduler, found),
    failed: services.filter(({ health }) => health === "unhealthy").map(({ name }) => name),
  };
}

/** What the app declares and Fly doesn't have: somebody took it away, as a deploy leaves all of it. */
function missingOf(
  { declaration, settings }: Pick<PlacedApp, "declaration" | "settings">,
  membersOf: (service: string) => readonly PlacedMachine[],
  scheduler: Machine | undefined,
  found: readonly FoundDatabase[],
): string[] {
  const scheduled =
    declaration.jobs.length > 0 || declaration.databases.some((one) => "backup" in one && one.backup.to !== undefined);
  return [
    ...declaration.services.flatMap((service) => {
      const there = new Set(membersOf(service.name).map(({ part }) => part));
      const slots = Array.from(
        { length: countOf({ settings }, service).max },
        (_, index) => `${service.name}/${index + 1}`,
      );
      return slots.filter((part) => !there.has(part)).map((part) => `machine ${part}`);
    }),
    ...(scheduled && scheduler === undefined ? ["the scheduler's machine"] : []),
    ...found.flatMap(({ database: { name, engine }, cluster, machine }) => {
      if (engine === "postgres" && cluster === undefined) return [`the Postgres cluster of ${name}`];
      return engine === "redis" && machine === undefined ? [`the machine of ${name}`] : [];
    }),
  ];
}

function serviceStatus(name: string, probed: boolean, members: readonly PlacedMachine[]): ServiceStatus {
  const running = members.filter(({ machine }) => machine.state === "started" && isHostUp(machine));
  const checks = running.flatMap(({ machine }) => machine.checks ?? []);
  const healthy = running.length > 0 && checks.every(({ status }) => status === "passing");
  const [first] = members;
  const metadata = first === undefined ? {} : metadataOf(first.machine);
  return {
    name,
    release: metadata[tag.version] ?? "",
    ...(first?.machine.updated_at === undefined ? {} : { since: first.machine.updated_at }),
    health: !probed ? "none" : healthy ? "healthy" : "unhealthy",
    instances: members.map(({ machine, part }) => ({
      name: `${part} (${machine.id}, ${machine.region})`,
      running: isHostUp(machine) && (machine.state === "started" || isAsleep(machine)),
      state: stateWords(machine),
    })),
  };
}

function stateWords(machine: Machine): string {
  if (isAsleep(machine) && isHostUp(machine)) return `${machine.state} until it is needed`;
  const { host_status: host = "ok" } = machine;
  return [
    machine.state,
    ...(machine.cordoned === true ? ["cordoned"] : []),
    ...(host === "ok" ? [] : [hostWords(host)]),
  ].join(", ");
}

function scheduleStatus(
  one: Timed,
  scheduler: Machine | undefined,
  machines: readonly PlacedMachine[],
  now: Date,
): ScheduleStatus {
  const database = databaseOf(one.name);
  const written = scheduler === undefined ? {} : metadataOf(scheduler);
  const last = written[ranKey(one.name)];
  const ended = written[endedKey(one.name)];
  const [next] = new Cron(one.expression, { timeZone: one.timeZone }).next(now);
  const group = database === undefined ? `job-${one.name}` : one.name;
  const running = machines.some((other) => other.group === group && !endStates.has(other.machine.state));
  return {
    name: database ?? one.name,
    kind: database === undefined ? "job" : "backup",
    ...(last === undefined ? {} : { last }),
    ...(running || ended === undefined || ended === underWay
      ? { result: running || ended === underWay ? ("running" as const) : ("unknown" as const) }
      : ended === "success"
        ? { result: "success" as const }
        : { result: "failed" as const, reason: ended }),
    ...(next === undefined ? {} : { next: next.toISOString() }),
  };
}

const endStates = new Set(["stopped", "failed"]);

function diskStatus(volume: Volume) {
  const bytes = volume.size_gb * 1024 ** 3;
  const usedPercent = usedPercentOf(volume);
  const freeBytes = Math.round(bytes * (1 - usedPercent / 100));
  return {
    path: `${volume.name} (${volume.id})`,
    id: volume.id,
    bytes,
    freeBytes,
    usedPercent,
    limitPercent: diskLimitPercent,
  };
}
