import { DriverError } from "../../drivers/error";
import type { AppStatus, DatabaseStatus, InstanceStatus, ScheduleStatus, ServiceStatus } from "../operations";
import { statusScript } from "./operationsScripts";
import { capture } from "./operationsSsh";
import type { Connection } from "./plan";

/** What the host's `status` tool prints; its head says what each field is. */
interface HostStatus {
  readonly time: string;
  readonly services: readonly {
    readonly name: string;
    readonly slot: string;
    readonly release: string;
    readonly since: string | null;
    readonly health: "healthy" | "unhealthy" | "none";
    readonly instances: readonly {
      readonly unit: string;
      readonly state: string;
      readonly since: string | null;
      readonly memoryBytes: number | null;
      readonly restarts: number | null;
    }[];
  }[];
  readonly timers: readonly {
    readonly name: string;
    readonly last: string | null;
    readonly result: string;
    readonly next: string | null;
  }[];
  readonly databases: readonly {
    readonly name: string;
    readonly engine: string;
    readonly backups: {
      readonly count: number;
      readonly newest: string;
      readonly bytes: number;
      readonly ageSeconds: number;
    } | null;
  }[];
  readonly disks: AppStatus["disks"];
  readonly failed: readonly string[];
}

const nothing: AppStatus = {
  deployed: false,
  time: "",
  services: [],
  schedules: [],
  databases: [],
  disks: [],
  failed: [],
};

/**
 * The answer to `statusScript`, by app.
 * @throws DriverError where an app is there but couldn't be looked at
 */
export function parseStatuses(text: string, where: string): Map<string, AppStatus> {
  const statuses = new Map<string, AppStatus>();
  for (const part of text.split(/^@app /m).slice(1)) {
    const end = part.indexOf("\n");
    const id = part.slice(0, end);
    const body = part.slice(end + 1).trim();
    statuses.set(id, body === "" ? nothing : parseStatus(id, body, where));
  }
  return statuses;
}

function parseStatus(id: string, body: string, where: string): AppStatus {
  let status: HostStatus;
  try {
    status = JSON.parse(body) as HostStatus;
  } catch {
    throw new DriverError({
      what: `The host can't tell how ${id} is.`,
      where,
      why: body.replaceAll("@problem ", "").split("\n").slice(0, 3).join(" "),
      fix: "deploy it again: pulumi up",
    });
  }
  return {
    deployed: true,
    time: status.time,
    services: status.services.map(serviceStatus),
    schedules: status.timers.map(scheduleStatus),
    databases: status.databases.map((one) => databaseStatus(one, status.time)),
    disks: status.disks,
    failed: status.failed.map((unit) => partOfUnit(id, unit)),
  };
}

function serviceStatus(one: HostStatus["services"][number]): ServiceStatus {
  const { name, slot, release, since, health } = one;
  return {
    ...{ name, release, slot, health },
    ...(since === null ? {} : { since }),
    instances: one.instances.map((instance): InstanceStatus => {
      const { unit, state, memoryBytes, restarts } = instance;
      return {
        name: /@(\d+)\.service$/.exec(unit)?.[1] ?? unit,
        running: state === "active",
        state,
        ...(instance.since === null ? {} : { since: instance.since }),
        ...(memoryBytes === null ? {} : { memoryBytes }),
        ...(restarts === null ? {} : { restarts }),
      };
    }),
  };
}

const kinds = [
  ["job-", "job"],
  ["backup-", "backup"],
] as const;

function scheduleStatus({ name, last, result, next }: HostStatus["timers"][number]): ScheduleStatus {
  const [prefix, kind] = kinds.find(([start]) => name.startsWith(start)) ?? ["", name === "watch" ? "watch" : "report"];
  const known = result === "success" || result === "running";
  return {
    ...{ name: name.slice(prefix.length), kind },
    ...(last === null ? {} : { last }),
    result: known ? result : result === "none" ? "unknown" : "failed",
    ...(known || result === "none" ? {} : { reason: result }),
    ...(next === null ? {} : { next }),
  };
}

function databaseStatus({ name, engine, backups }: HostStatus["databases"][number], now: string): DatabaseStatus {
  if (backups === null) return { name, engine, copies: 0 };
  const time = new Date(Date.parse(now) - backups.ageSeconds * 1000).toISOString().replace(/\.\d+Z$/, "Z");
  return { name, engine, copies: backups.count, newest: { name: backups.newest, bytes: backups.bytes, time } };
}

/** How people call a unit of an app: `web/b1`, `ingest`, `backup db`, `web release`. Other units keep their names. */
export function partOfUnit(id: string, unit: string): string {
  const name = unit.replace(/\.(service|timer)$/, "");
  if (!name.startsWith(`${id}-`)) return name;
  const rest = name.slice(id.length + 1);
  const instance = /^(.+)-([ab])@(\d+)$/.exec(rest);
  if (instance !== null) return `${instance[1] ?? ""}/${instance[2] ?? ""}${instance[3] ?? ""}`;
  const release = /^release-(.+)-[ab]$/.exec(rest);
  if (release !== null) return `${release[1] ?? ""} release`;
  return rest.replace(/^job-/, "").replace(/^(backup|redis|drain)-/, "$1 ");
}

/** Questions of one turn of the event loop to one host travel together, as each session takes a tenth of a second or more. */
const waiting = new Map<string, { ids: string[]; answer: Promise<Map<string, AppStatus>> }>();

export async function statusOf(connection: Connection, id: string): Promise<AppStatus> {
  const key = `${connection.user}@${connection.address}:${connection.port}`;
  let batch = waiting.get(key);
  if (batch === undefined) {
    const ids: string[] = [];
    const answer = new Promise<void>((turn) => setImmediate(turn)).then(async () => {
      waiting.delete(key);
      return parseStatuses(await capture(connection, statusScript(ids)), key);
    });
    batch = { ids, answer };
    waiting.set(key, batch);
  }
  batch.ids.push(id);
  return (await batch.answer).get(id) ?? nothing;
}
