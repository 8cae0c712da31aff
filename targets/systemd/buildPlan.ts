import { createHash } from "node:crypto";
import { inside, instancesOf } from "../../components/check/declaration";
import type { Backup, Database, Service } from "../../components/declaration";
import { publicPort } from "../../components/resolve";
import type { ResolvedApp } from "../../components/resolvedApp";
import { databaseName, hostName, userName } from "../../components/values/names";
import { Duration } from "../../components/values/duration";
import { Size } from "../../components/values/size";
import type { Host } from "./host";
import type {
  HostPlan,
  PlannedBackup,
  PlannedDatabase,
  PlannedFirewall,
  PlannedJob,
  PlannedRelease,
  PlannedService,
} from "./plan";
import { madeBucket, plannedEnv, type Made } from "./values";

const defaults = {
  memory: Size.mib(512),
  cpus: 1,
  startTimeout: Duration.seconds(60),
  drain: Duration.seconds(30),
  jobTimeout: Duration.hours(1),
  backupsKept: 7,
  logsKept: 30,
  redisMemory: Size.mib(256),
};

/** One app of one stack as a host is to have it. Pure: everything that it needs is in its arguments. */
export function buildPlan(app: ResolvedApp, host: Host, made: Made): HostPlan {
  const { declaration, stack, settings, stackSettings } = app;
  return {
    app: declaration.name,
    stack,
    id: hostName(declaration.name, stack),
    user: userName(declaration.name, stack),
    services: declaration.services.map((service) => planService(app, host, made, service)),
    jobs: declaration.jobs.map((job): PlannedJob => ({
      name: job.name,
      service: job.in.name,
      onCalendar: job.at.toOnCalendar(),
      commands: typeof job.command === "string" ? [job.command] : job.command,
      onFailure: job.onFailure ?? "stop",
      timeoutSeconds: (job.timeout ?? defaults.jobTimeout).toSeconds(),
      env: plannedEnv(app, host, made, app.jobEnv[job.name] ?? {}).env,
    })),
    commands: declaration.commands.map(({ name, in: service, command }) => ({ name, service: service.name, command })),
    databases: declaration.databases.flatMap((database) => planDatabase(app, made, database)),
    buckets: declaration.buckets.map(({ name }) => ({ name, ...madeBucket(made, name) })),
    ...(stackSettings.alertWebhook === undefined ? {} : { alertWebhook: stackSettings.alertWebhook }),
    ...(stackSettings.pingUrl === undefined ? {} : { pingUrl: stackSettings.pingUrl }),
    diskAlarm: declaration.diskAlarm,
    diskReport: declaration.diskReport?.toOnCalendar() ?? [],
    firewall: planFirewall(app, host),
    acme: host.acme,
    ...(host.dataDisk === undefined ? {} : { dataDisk: host.dataDisk }),
    ...(host.rootGib === undefined ? {} : { rootGib: host.rootGib }),
    ...planMonitoring(app, host),
    releasesKept: stackSettings.releasesKept,
    owner: `${app.target.name}/${host.name}`,
    onDelete: settings.onDelete,
  };
}

function planService(app: ResolvedApp, host: Host, made: Made, service: Service): PlannedService {
  const { settings } = app;
  const domain = app.domains[service.name];
  const [port] = domain === undefined ? portsOf(app, service) : [];
  const { env, secretFiles } = plannedEnv(app, host, made, app.serviceEnv[service.name] ?? {});
  return {
    name: service.name,
    code: service.image === undefined ? planRelease(app, service) : { image: service.image },
    ...(service.command === undefined ? {} : { command: service.command }),
    ...(service.image !== undefined && service.port !== undefined ? { containerPort: service.port } : {}),
    ...(port === undefined ? {} : { publicPort: port }),
    listens: service.port !== undefined,
    ...(domain === undefined ? {} : { domain }),
    ...(service.health === undefined ? {} : { health: service.health }),
    startTimeoutSeconds: (service.startTimeout ?? defaults.startTimeout).toSeconds(),
    drainSeconds: (service.drain ?? defaults.drain).toSeconds(),
    ...(service.release === undefined ? {} : { release: service.release }),
    instances: settings.instances[service.name] ?? instancesOf(service).min,
    sticky: service.sticky ?? false,
    memoryMib: (settings.memory[service.name] ?? service.resources?.memory ?? defaults.memory).toMib(),
    cpus: service.resources?.cpus ?? defaults.cpus,
    volumes: (service.volumes ?? []).map(({ path, size }) => ({ path, sizeMib: size.toMib() })),
    folders: service.folders ?? [],
    ...(service.logs === undefined
      ? {}
      : { logs: { path: service.logs.path, keep: service.logs.keep ?? defaults.logsKept } }),
    checks: (service.checks ?? []).map(({ path, every }) => ({ path, everySeconds: every.toSeconds() })),
    env,
    secretFiles,
  };
}

function planRelease(app: ResolvedApp, service: Service): PlannedRelease {
  const code = app.code[service.name];
  if (code === undefined || service.runtime === undefined) {
    throw new Error(`${app.declaration.name}.${service.name} reached the plan unchecked.`);
  }
  const { source, fingerprint } = code;
  const identity = JSON.stringify([fingerprint.id, service.runtime, service.build ?? null]);
  return {
    releaseId: createHash("sha256").update(identity).digest("hex").slice(0, 16),
    source,
    // The description may differ between machines where the content doesn't.
    fingerprint: { ...fingerprint, describe: fingerprint.commit ?? fingerprint.id },
    runtime: service.runtime,
    ...(service.build === undefined ? {} : { build: service.build }),
  };
}

function planDatabase(app: ResolvedApp, made: Made, database: Database): PlannedDatabase[] {
  const { name } = database;
  switch (database.engine) {
    case "external":
      return [];
    case "postgres":
      return [
        {
          name,
          engine: "postgres",
          database: databaseName(app.declaration.name, app.stack, name),
          password: made.passwords[name] ?? "",
          extensions: database.extensions ?? [],
          ...planBackup(database.backup),
          ...(made.servers[name] === undefined ? {} : { server: made.servers[name] }),
        },
      ];
    case "redis":
      if (made.servers[name] !== undefined) return [];
      return [
        {
          name,
          engine: "redis",
          password: made.passwords[name] ?? "",
          memoryMib: (database.size ?? defaults.redisMemory).toMib(),
        },
      ];
    case "sqlite": {
      const holder = app.declaration.services.find((s) => (s.volumes ?? []).some((v) => inside(database.file, v.path)));
      return [
        {
          name,
          engine: "sqlite",
          path: database.file,
          service: holder?.name ?? "",
          ...planBackup(database.backup),
        },
      ];
    }
  }
}

function planBackup(backup: Backup | undefined): { backup?: PlannedBackup } {
  if (backup === undefined) return {};
  return {
    backup: {
      onCalendar: backup.at.toOnCalendar(),
      keep: backup.keep ?? defaults.backupsKept,
      ...(backup.to === undefined ? {} : { bucket: backup.to.name }),
    },
  };
}

function planMonitoring(app: ResolvedApp, host: Host): Pick<HostPlan, "monitoring"> {
  if (host.monitoring === undefined) return {};
  const { logGroups, ...shared } = host.monitoring;
  const logGroup = logGroups[app.declaration.name];
  return { monitoring: { ...shared, ...(logGroup === undefined ? {} : { logGroup }) } };
}

function planFirewall(app: ResolvedApp, host: Host): PlannedFirewall {
  const open = app.declaration.services.flatMap((service) => {
    const from = service.access === "restricted" ? app.settings.allowFrom : [];
    // Without an address to let in, a restricted service stays closed: an SSH tunnel still reaches it.
    if (service.access === "restricted" && from.length === 0) return [];
    return portsOf(app, service).map((port) => ({ port, from }));
  });
  return { manage: host.firewall, sshFrom: host.sshFrom, open };
}

/** The ports by which others reach a service on the host. */
export function portsOf(app: ResolvedApp, service: Service): readonly number[] {
  if (service.port === undefined || service.access === "internal") return [];
  return app.domains[service.name] === undefined ? [publicPort(app.settings, service) ?? service.port] : [80, 443];
}
