import type { HostPlan, PlannedService } from "../plan";
import { needsDisk } from "./dataDisk";
import { toolHardening } from "./hardening";
import { hostPath, serviceNamed, slice, tools } from "./names";
import { portToken } from "./names";
import { toolConfig } from "./envFile";
import { description, execLine, unitText } from "./unitText";

/** A unit that runs one of the host's tools for the app. */
export function toolUnit(plan: HostPlan, about: string, words: readonly string[], timeout: string): string {
  const [tool = "", ...args] = words;
  return unitText(about, [
    [
      "Unit",
      [
        description(about),
        ["After", "network-online.target postgresql.service"],
        // The watch is to tell that the rest doesn't run.
        ...(tool === "watch" ? [] : needsDisk(plan)),
        ["OnFailure", "homeport-alert@%n.service"],
      ],
    ],
    [
      "Service",
      [
        ["Type", "oneshot"],
        ["ExecStart", execLine([`${tools}/${tool}`, plan.id, ...args])],
        ["TimeoutStartSec", timeout],
        // systemd.service(5): of a oneshot service a stop is a failure otherwise, so that taking an app off would raise an alarm.
        ...(tool === "watch" ? [["SuccessExitStatus", "SIGTERM"] as const] : []),
        ["Slice", slice(plan)],
        // Services that answer requests come first.
        ["Nice", "10"],
        ["IOSchedulingPriority", "7"],
        ...toolHardening,
      ],
    ],
  ]);
}

/** Seconds from one round of watching to the next: 5 minutes, or less where a check asks for it, but not under 10 s. */
export const watchSeconds = (plan: HostPlan): number =>
  Math.max(10, Math.min(300, ...plan.services.flatMap((s) => s.checks.map((check) => check.everySeconds))));

/** What the `watch` tool looks at (LAYOUT.md, Host tools). */
export function watchConfig(plan: HostPlan): string {
  const percent = Math.round(plan.diskAlarm * 100);
  return [
    ...plan.services.flatMap(watchService),
    `disk ${percent} /`,
    `disk ${percent} /var/lib/${plan.id}`,
    ...plan.databases.map((database) => `database ${database.name} ${database.engine}`),
  ]
    .map((line) => `${line}\n`)
    .join("");
}

function watchService(service: PlannedService): readonly string[] {
  const port = portToken(service.name);
  if (!service.listens) return [`worker ${service.name} ${service.instances}`];
  return [
    service.health === undefined
      ? `worker ${service.name} ${service.instances}`
      : `health ${service.name} ${port} ${requestPath(service.health)}`,
    ...service.checks.map((check) => `check ${service.name} ${port} ${requestPath(check.path)} ${check.everySeconds}`),
  ];
}

/** The fields are split at spaces, and a request line can't hold one. */
const requestPath = (path: string): string => encodeURI(path).replaceAll("%25", "%");

/** What the `backup` and `restore` tools need to know of a database; undefined where nothing is backed up. */
export function backupConfig(plan: HostPlan, database: HostPlan["databases"][number]): string | undefined {
  if (database.engine === "redis" || database.backup === undefined) return undefined;
  const { keep, bucket: name } = database.backup;
  const bucket = plan.buckets.find((b) => b.name === name);
  if (name !== undefined && bucket === undefined) {
    throw new Error(`The backup of "${database.name}" names the bucket "${name}", which the plan hasn't got.`);
  }
  return toolConfig({
    ENGINE: database.engine,
    PATH:
      database.engine === "sqlite" ? hostPath(plan, serviceNamed(plan, database.service), database.path) : undefined,
    DATABASE: database.engine === "postgres" ? database.database : undefined,
    ...serverConfig(database),
    KEEP: keep,
    BUCKET: bucket?.bucket,
    REGION: bucket?.region,
    ENDPOINT: bucket?.endpoint,
    ACCESS_KEY_ID: bucket?.key?.accessKeyId,
    SECRET_ACCESS_KEY: bucket?.key?.secretAccessKey,
  });
}

/** How the tools reach a server that isn't the host's own: with the password of the app's user, in a file that is root's alone. */
function serverConfig(database: HostPlan["databases"][number]): Readonly<Record<string, string | number | undefined>> {
  if (database.engine !== "postgres" || database.server === undefined) return {};
  const { address, port, user, tls } = database.server;
  return { HOST: address, PORT: port, USER: user, SSL: tls ? "require" : undefined, PASSWORD: database.password };
}
