import { Duration } from "../../../components/values/duration";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Database, Job, Service } from "../../../components/declaration";
import type { ResolvedApp } from "../../../components/resolvedApp";
import { hostName } from "../../../components/values/names";
import { madeBucket } from "../../systemd/values";
import { postgresToken } from "../deploy/postgres";
import { deployToken } from "../deploy/tokens";
import { mainName, partName, regionOf } from "../names";
import type { FlyAppPlan } from "../plan";
import type { FlySettings } from "../settings";
import { ownerOf, splitEnv, systemdMade, type FlyMade } from "../values";
import {
  backupName,
  backupVariables,
  environmentFile,
  schedulerFolder as folder,
  tokenVariable,
  type PlannedBackup,
  type PlannedJob,
  type Schedule,
  type WatchedGroup,
} from "./schedule";

/** Fly's smallest machine. */
export const schedulerGuest = { cpu_kind: "shared", cpus: 1, memory_mb: 256 } as const;
const defaultTimeout = Duration.hours(1);
const base64 = (text: string): string => Buffer.from(text).toString("base64");

/**
 * The app's one small machine that starts its jobs at their times: none of Fly's own schedules knows a time of day, and a cron
 * program in the app's image would need it to be in every image, and a machine of every job's size that never sleeps. It is an
 * app of its own, so that its tokens, which may start machines, are seen by nobody else. Nothing is downloaded: the program
 * comes with the machine's configuration, and reads a group's present image and variables when a job is due, so that a new
 * version of the app doesn't change it.
 * @param others the app's other apps of Fly, which it watches where somebody is to be told of them
 */
export function planScheduler(
  app: ResolvedApp,
  settings: FlySettings,
  made: FlyMade,
  others: readonly FlyAppPlan[],
  script: () => string,
): FlyAppPlan[] {
  const { declaration, stack, stackSettings } = app;
  const saved = declaration.databases.flatMap((database) => planBackup(app, settings, made, database));
  const watch = stackSettings.alertWebhook === undefined ? [] : others.flatMap((one) => planWatch(app, settings, one));
  if (!needsScheduler(app)) return [];
  const name = partName(app, settings, "scheduler");
  const jobs = declaration.jobs.map((job) => planJob(app, settings, made, job));
  const schedule: Schedule = {
    app: declaration.name,
    stack,
    id: hostName(declaration.name, stack),
    machinesUrl: settings.machinesUrl,
    org: settings.org,
    jobs,
    backups: saved.map(({ plan }) => plan),
    watch,
  };
  const files = saved.flatMap(({ plan }) => (plan.engine === "sqlite" ? [plan.flyApp] : []));
  const apps = [
    ...new Set([name, ...jobs.map(({ flyApp }) => flyApp), ...files, ...watch.map(({ flyApp }) => flyApp)]),
  ];
  return [
    {
      name,
      region: regionOf(app, settings),
      ips: [],
      groups: [
        {
          name: "scheduler",
          count: 1,
          config: {
            image: settings.schedulerImage,
            guest: schedulerGuest,
            env: { FLY_PROCESS_GROUP: "scheduler" },
            init: { entrypoint: ["/bin/sh", "-c"], cmd: [start] },
            files: [
              { guest_path: `${folder}/scheduler.js`, raw_value: base64(script()) },
              { guest_path: `${folder}/schedule.json`, raw_value: base64(JSON.stringify(schedule)) },
              ...Object.entries(backupScripts(saved.map(({ plan }) => plan.engine))).map(([script, content]) => ({
                guest_path: `${folder}/${script}`,
                raw_value: base64(content),
              })),
            ],
            restart: { policy: "always" },
            stop_config: { signal: "SIGTERM", timeout: "10s" },
          },
          strategy: "rolling",
          startSeconds: 60,
          drainSeconds: 10,
          idle: false,
        },
      ],
      secrets: {
        ...Object.fromEntries(apps.map((each) => [tokenVariable(each), deployToken(each)])),
        ...(Object.assign({}, ...saved.map(({ secrets }) => secrets)) as Record<string, string>),
        ...(stackSettings.alertWebhook === undefined ? {} : { ALERT_WEBHOOK: stackSettings.alertWebhook }),
        ...(stackSettings.pingUrl === undefined ? {} : { PING_URL: stackSettings.pingUrl }),
      },
      domains: [],
    },
  ];
}

/** Whether an app has something that its scheduler's machine does. */
export const needsScheduler = ({ declaration, stackSettings }: Pick<ResolvedApp, "declaration" | "stackSettings">) =>
  stackSettings.alertWebhook !== undefined ||
  declaration.jobs.length > 0 ||
  declaration.databases.some((one) => "backup" in one && one.backup.to !== undefined);

const planWatch = (app: ResolvedApp, settings: FlySettings, { name, groups }: FlyAppPlan): WatchedGroup[] =>
  groups.map((group) => ({
    // An internal service's or a database's app has its name; of the main one each group is a service.
    subject: name === mainName(app, settings) ? group.name : (name.split("--").at(-1) ?? group.name),
    flyApp: name,
    group: group.name,
    count: group.count,
    volumes: group.volume !== undefined,
  }));

/** A person's `homeport backup` is run by Fly's exec, which promises no variables: so the program's own are written down for it. */
const start = `( umask 077; export -p >${environmentFile} ); exec node ${folder}/scheduler.js`;

/** The programs that save and restore, by name: a machine is given a script as one text. */
function backupScripts(engines: readonly PlannedBackup["engine"][]): Record<string, string> {
  const read = (name: string): string => readFileSync(join(__dirname, "..", "backup", "shell", name), "utf8");
  return {
    ...(engines.includes("postgres")
      ? { "dump.sh": read("lib.sh") + read("dump.sh"), "restore.sh": read("lib.sh") + read("restore.sh") }
      : {}),
    ...(engines.includes("sqlite") ? { "sqlite.py": read("sqlite.py") } : {}),
  };
}

/** Copies without a bucket: a Postgres's are Managed Postgres's own, a file's the snapshots of its volume; both come each day. */
function planBackup(
  app: ResolvedApp,
  settings: FlySettings,
  made: FlyMade,
  database: Database,
): { plan: PlannedBackup; secrets: Record<string, string> }[] {
  if (!("backup" in database) || database.backup.to === undefined) return [];
  const { at, keep = 7, to } = database.backup;
  const { bucket, region, endpoint, key } = madeBucket(systemdMade(made), to.name);
  const variables = backupVariables(database.name);
  const saved = {
    name: backupName(database.name),
    expression: at.expression,
    timeZone: at.timeZone,
    database: database.name,
    keep,
    bucket: { name: bucket, region, ...(endpoint === undefined ? {} : { endpoint }) },
  };
  const secrets = {
    [variables.accessKeyId]: key?.accessKeyId ?? "",
    [variables.secretAccessKey]: key?.secretAccessKey ?? "",
  };
  if (database.engine === "postgres") {
    // The copy is restored for proof by a server of the machine's own.
    const guest = { cpu_kind: "shared", cpus: 1, memory_mb: 1024 } as const;
    const plan = {
      ...saved,
      engine: "postgres",
      image: settings.postgresImage,
      guest,
      variable: variables.url,
    } as const;
    return [{ plan, secrets: { ...secrets, [variables.url]: postgresToken(database.name) } }];
  }
  const { file } = database;
  const owner = ownerOf(app.declaration.services, file);
  if (owner === undefined) throw new Error(`${database.name} reached the plan without a volume.`);
  return [
    { plan: { ...saved, engine: "sqlite", flyApp: appOf(app, settings, owner), group: owner.name, file }, secrets },
  ];
}

/** The app of Fly that a service's machines are in. */
const appOf = (app: ResolvedApp, settings: FlySettings, { name, access, port }: Service): string =>
  access === "internal" && port !== undefined ? partName(app, settings, name) : mainName(app, settings);

function planJob(app: ResolvedApp, settings: FlySettings, made: FlyMade, job: Job): PlannedJob {
  return {
    name: job.name,
    expression: job.at.expression,
    timeZone: job.at.timeZone,
    flyApp: appOf(app, settings, job.in),
    group: job.in.name,
    inPlace: (job.in.volumes ?? []).length > 0,
    commands: typeof job.command === "string" ? [job.command] : job.command,
    onFailure: job.onFailure ?? "stop",
    timeoutSeconds: (job.timeout ?? defaultTimeout).toSeconds(),
    env: splitEnv(app, settings, made, app.jobEnv[job.name] ?? {}).env,
  };
}
