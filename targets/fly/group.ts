import { instancesOf } from "../../components/check/declaration";
import type { Service } from "../../components/declaration";
import type { ResolvedApp } from "../../components/resolvedApp";
import { Duration } from "../../components/values/duration";
import { quote } from "../../components/values/shell";
import { Size } from "../../components/values/size";
import type { MachineConfig, MachineService } from "./api/types";
import { guestFor } from "./guest";
import { regionOf } from "./names";
import { environmentFile } from "./scheduler/schedule";
import type { FlyGroup } from "./plan";
import type { FlySettings } from "./settings";
import { outerPort, type SplitEnv } from "./values";

const defaults = {
  memory: Size.mib(512),
  cpus: 1,
  startTimeout: Duration.seconds(60),
  drain: Duration.seconds(30),
};
/** Fly's longest time from the stop signal to the end (fly.io/docs/reference/configuration, kill_timeout). */
const maxDrainSeconds = 300;
/** Days that Fly keeps a volume's daily snapshots by itself. */
const snapshotDays = 5;

/** What a service may use on Fly; undefined where no machine is so large. */
export function guestOf(app: Pick<ResolvedApp, "settings">, { name, resources }: Service) {
  const memory = app.settings.memory[name] ?? resources?.memory ?? defaults.memory;
  const mib = Math.ceil(memory.toMib({ integral: false }));
  return guestFor(resources?.cpuKind ?? "shared", resources?.cpus ?? defaults.cpus, mib);
}

/** How many machines a service has, at least and at most. */
export function countOf(app: Pick<ResolvedApp, "settings">, service: Service): { min: number; max: number } {
  const fixed = app.settings.instances[service.name];
  return fixed === undefined ? instancesOf(service) : { min: fixed, max: fixed };
}

/** A service as settings by service name it, `hotrod.web`. */
export const partOf = (app: Pick<ResolvedApp, "declaration">, { name }: Pick<Service, "name">): string =>
  `${app.declaration.name}.${name}`;

/** How much of the hard limit the soft one is, where only one is set. */
export const softShare = 0.8;

/** Connections, not requests, unless it is said: a WebSocket is one request that doesn't end. */
export function limitsOf({
  type = "connections",
  soft,
  hard = soft === undefined ? 250 : Math.ceil(soft / softShare),
}: FlySettings["concurrency"][string] = {}): MachineService["concurrency"] {
  return { type, soft_limit: soft ?? Math.max(1, Math.floor(hard * softShare)), hard_limit: hard };
}

/** A service as a process group. Pure. */
export function planGroup(
  app: ResolvedApp,
  settings: FlySettings,
  service: Service,
  image: string,
  { env, files }: SplitEnv,
): FlyGroup {
  const { min, max } = countOf(app, service);
  const idle = max > min && service.port !== undefined;
  const guest = guestOf(app, service);
  if (guest === undefined) throw new Error(`${service.name} reached the plan unchecked.`);
  const drain = Math.min(maxDrainSeconds, (service.drain ?? defaults.drain).toSeconds());
  const [volume] = service.volumes ?? [];
  const concurrency = limitsOf(settings.concurrency[partOf(app, service)]);
  const services =
    service.port === undefined ? [] : [planService(app, service, service.port, { min, idle, concurrency })];
  const metrics = settings.metrics[partOf(app, service)];
  const config: MachineConfig = {
    image,
    guest,
    env: {
      ...(service.port === undefined ? {} : { PORT: String(service.port) }),
      PRIMARY_REGION: regionOf(app, settings),
      FLY_PROCESS_GROUP: service.name,
      ...env,
      ...rewrittenEnv(service, files),
    },
    ...initOf(service, files),
    ...(services.length === 0 ? {} : { services }),
    ...(files.length === 0
      ? {}
      : { files: files.map(({ path, secret }) => ({ guest_path: path, secret_name: secret })) }),
    ...(metrics?.port === undefined ? {} : { metrics: { port: metrics.port, path: metrics.path ?? "/metrics" } }),
    // The proxy's own stops are no reason to start it again.
    restart: { policy: idle ? "on-failure" : "always" },
    stop_config: { signal: "SIGTERM", timeout: `${drain}s` },
  };
  return {
    name: service.name,
    count: max,
    config,
    ...(volume === undefined
      ? {}
      : { volume: { path: volume.path, sizeGb: Math.ceil(volume.size.toGib({ integral: false })), snapshotDays } }),
    strategy: strategyOf(app, settings, service),
    startSeconds: (service.startTimeout ?? defaults.startTimeout).toSeconds(),
    drainSeconds: drain,
    idle,
  };
}

/** A volume can't be at two machines, and two versions of a worker would both take from the queue. */
function strategyOf(app: ResolvedApp, settings: FlySettings, service: Service): FlyGroup["strategy"] {
  if ((service.volumes ?? []).length > 0 || service.port === undefined) return "rolling";
  return settings.strategies[app.declaration.name] ?? "blue-green";
}

function planService(
  app: ResolvedApp,
  service: Service,
  port: number,
  { min, idle, concurrency }: { min: number; idle: boolean; concurrency: MachineService["concurrency"] },
): MachineService {
  const outer = service.access === "internal" ? port : outerPort(app, service);
  const ports: MachineService["ports"] =
    service.access === "internal"
      ? [{ port, handlers: ["http"] }]
      : outer === 443
        ? [
            { port: 80, handlers: ["http"], force_https: true },
            { port: 443, handlers: ["tls", "http"] },
          ]
        : [{ port: outer, handlers: ["tls", "http"] }];
  const start = (service.startTimeout ?? defaults.startTimeout).toSeconds();
  return {
    protocol: "tcp",
    internal_port: port,
    autostart: true,
    autostop: idle ? "stop" : "off",
    min_machines_running: min,
    ports,
    checks:
      service.health === undefined
        ? [{ type: "tcp", interval: "5s", timeout: "2s", grace_period: `${start}s` }]
        : [
            {
              type: "http",
              method: "GET",
              path: service.health,
              interval: "5s",
              timeout: "4s",
              grace_period: `${start}s`,
            },
          ],
    concurrency,
  };
}

/** Where a file that the app rewrites itself lies: below its volume, so that it outlives the machine. */
const rewrittenPath = (service: Service, variable: string): string =>
  `${service.volumes?.[0]?.path ?? "/var/lib"}/.homeport/${variable}`;

function rewrittenEnv(service: Service, files: SplitEnv["files"]): Record<string, string> {
  const own = files.filter(({ rewritten }) => rewritten);
  return Object.fromEntries(own.map(({ variable }) => [variable, rewrittenPath(service, variable)]));
}

const keepEnvironment = `( umask 077; { export -p; printf "cd '%s'\\n" "$PWD"; } >${environmentFile} ) 2>/dev/null || true`;

/** The shell that starts the program, with what has to be there before it. */
function initOf(service: Service, files: SplitEnv["files"]): Pick<MachineConfig, "init"> {
  if (service.command === undefined) return {};
  const own = files.filter(({ rewritten }) => rewritten);
  const lines = [
    keepEnvironment,
    ...(service.folders ?? []).map((folder) => `mkdir -p ${quote(folder)}`),
    ...own.flatMap(({ path, variable }) => {
      // Placed anew only when the configured content changes; what the app wrote since stays otherwise.
      const at = quote(rewrittenPath(service, variable));
      const folder = quote(rewrittenPath(service, variable).replace(/\/[^/]*$/, ""));
      return [
        `mkdir -p ${folder}`,
        `cmp -s ${quote(path)} ${at}.given || { cp ${quote(path)} ${at} && cp ${quote(path)} ${at}.given; }`,
      ];
    }),
    `exec ${service.command}`,
  ];
  return { init: { entrypoint: ["/bin/sh", "-c"], cmd: [lines.join("\n")] } };
}
