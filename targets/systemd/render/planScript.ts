import type { HostPlan, PlannedDatabase, PlannedService } from "../plan";
import { cloudwatchTimer } from "./cloudwatch";
import { backupUnit, jobUnit, redisUnit, releaseOf } from "./names";
import { needs } from "./needs";
import { portKeys } from "./portKeys";
import { shellWord } from "./quote";

type Fields = Readonly<Record<string, string | number | boolean | readonly (string | number)[] | undefined>>;

/** plan.sh, which deploy.sh reads: what LAYOUT.md says of it, and no secret. */
export function planScript(plan: HostPlan, hashes: Readonly<Record<string, string>>): string {
  const releases = plan.services.flatMap((service) => releaseOf(service)?.releaseId ?? []);
  return [
    `# The plan of ${plan.id}, read by deploy.sh. Written by Homeport.\n`,
    variable("APP", plan.app),
    variable("STACK", plan.stack),
    variable("ID", plan.id),
    variable("APP_USER", plan.user),
    variable("RELEASES_KEPT", plan.releasesKept),
    variable("MANAGE_FIREWALL", plan.firewall.manage),
    variable("OWNER", plan.owner),
    variable("ON_DELETE", plan.onDelete),
    ...(plan.dataDisk === undefined ? [] : [variable("DATA_SERIAL", diskSerial(plan.dataDisk.serial))]),
    ...(plan.rootGib === undefined ? [] : [variable("ROOT_GIB", plan.rootGib)]),
    list("NEEDS", needs(plan)),
    list(
      "SERVICES",
      plan.services.map((service) => service.name),
    ),
    table(
      "SERVICE",
      plan.services.map((service) => [service.name, serviceFields(service, hashes[service.name] ?? "")]),
    ),
    list("RELEASES", [...new Set(releases)]),
    list(
      "DATABASES",
      plan.databases.map((database) => database.name),
    ),
    table(
      "DATABASE",
      plan.databases.map((database) => [database.name, databaseFields(plan, database)]),
    ),
    list("PORT_KEYS", portKeys(plan)),
    list("TIMERS", timers(plan)),
    list(
      "UNITS",
      plan.databases.flatMap((d) => (d.engine === "redis" ? [redisUnit(plan, d.name)] : [])),
    ),
    list("HOST_UNITS", [
      ...(plan.services.some((service) => service.domain !== undefined) ? ["homeport-certs.timer"] : []),
      ...(plan.monitoring === undefined ? [] : [cloudwatchTimer]),
    ]),
  ].join("");
}

/** Timers that the app has, so that the host starts them and stops those of earlier plans. */
export const timers = (plan: HostPlan): readonly string[] =>
  [
    ...plan.jobs.map((job) => jobUnit(plan, job.name)),
    ...plan.databases
      .filter((database) => database.engine !== "redis" && database.backup !== undefined)
      .map((database) => backupUnit(plan, database.name)),
    `${plan.id}-watch`,
    ...(plan.diskReport.length > 0 ? [`${plan.id}-disk-report`] : []),
  ].map((name) => `${name}.timer`);

/** It is part of a path's pattern on the host. */
function diskSerial(serial: string): string {
  if (/^[A-Za-z0-9]+$/.test(serial)) return serial;
  throw new Error(`"${serial}" can't be a disk's serial number: letters and digits only, vol0123… for an EBS volume.`);
}

function serviceFields(service: PlannedService, hash: string): Fields {
  const release = releaseOf(service);
  const runtime = release?.runtime;
  return {
    hash,
    kind: release === undefined ? "container" : "process",
    release: release?.releaseId,
    language: runtime?.language,
    version: runtime?.version,
    dependencies: runtime?.language === "python" ? (runtime.dependencies ?? "auto") : undefined,
    build: release?.build,
    image: "image" in service.code ? service.code.image : undefined,
    listens: service.listens,
    public: service.publicPort,
    domain: service.domain?.toLowerCase(),
    health: service.health,
    "start-timeout": service.startTimeoutSeconds,
    drain: service.drainSeconds,
    instances: service.instances,
    "release-step": service.release !== undefined,
    volumes: service.volumes.map((volume) => volume.path),
    "volume-mib": service.volumes.map((volume) => volume.sizeMib),
    folders: service.folders,
    rewritten: service.secretFiles.filter((file) => file.rewritten).map((file) => file.variable),
  };
}

function databaseFields(plan: HostPlan, database: PlannedDatabase): Fields {
  switch (database.engine) {
    case "postgres":
      return {
        engine: "postgres",
        database: database.database,
        extensions: database.extensions,
        address: database.server?.address,
        port: database.server?.port,
        user: database.server?.user,
        tls: database.server?.tls,
        "backed-up": database.server === undefined ? undefined : database.backup !== undefined,
      };
    case "redis":
      return { engine: "redis", unit: redisUnit(plan, database.name) };
    case "sqlite":
      return { engine: "sqlite", path: database.path, service: database.service };
  }
}

const variable = (name: string, value: string | number | boolean): string => `${name}=${word(value)}\n`;
const list = (name: string, values: readonly string[]): string => `${name}=(${values.map(shellWord).join(" ")})\n`;

function table(name: string, entries: readonly (readonly [string, Fields])[]): string {
  const lines = entries.flatMap(([entry, fields]) =>
    Object.entries(fields).flatMap(([key, value]) => (absent(value) ? [] : [`  [${entry}:${key}]=${word(value)}\n`])),
  );
  return `declare -A ${name}=(\n${lines.join("")})\n`;
}

const absent = (value: Fields[string]): value is undefined =>
  value === undefined || (Array.isArray(value) && value.length === 0);

function word(value: Exclude<Fields[string], undefined>): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  return shellWord(typeof value === "object" ? value.join("\n") : String(value));
}
