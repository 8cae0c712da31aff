import { quote } from "../../../components/values/shell";
import type { MachineCheck, MachineService } from "../api/types";
import type { FlyAppPlan, FlyGroup } from "../plan";

/** What flyctl gives each machine by itself (flyctl, internal/appconfig/machines.go). */
const flyctlsOwn = ["FLY_PROCESS_GROUP", "PRIMARY_REGION"];

/**
 * An app as flyctl's fly.toml would have it, in JSON (flyctl, internal/appconfig/config.go): what `fly config show` tells and
 * `fly scale count` and `fly deploy` without a file go by once an app has records of its deploys. It holds no secrets, as
 * configurations hold none. A fly.toml has one list of variables for all groups: of those that differ between groups, none is in it.
 */
export function definitionOf({ name, region, groups, release }: FlyAppPlan): Readonly<Record<string, unknown>> {
  const entrypoint = sharedEntrypoint(groups);
  return {
    app: name,
    primary_region: region,
    ...(entrypoint === undefined ? {} : { experimental: { entrypoint } }),
    deploy: {
      strategy: groups.some(({ strategy }) => strategy === "blue-green") ? "bluegreen" : "rolling",
      ...(release === undefined
        ? {}
        : { release_command: release.command, release_command_timeout: `${release.timeoutSeconds}s` }),
    },
    env: sharedEnv(groups),
    processes: Object.fromEntries(groups.map((group) => [group.name, commandOf(group, entrypoint)])),
    mounts: groups.flatMap(({ name: group, volume }) =>
      volume === undefined
        ? []
        : [
            {
              source: group.replaceAll("-", "_"),
              destination: volume.path,
              initial_size: `${volume.sizeGb}GB`,
              processes: [group],
            },
          ],
    ),
    services: groups.flatMap((group) => (group.config.services ?? []).map((one) => serviceOf(group.name, one))),
    files: groups.flatMap(({ name: group, config }) =>
      (config.files ?? []).map(({ guest_path, secret_name, raw_value }) => ({
        guest_path,
        ...(secret_name === undefined ? {} : { secret_name }),
        // flyctl puts it into base64 itself.
        ...(raw_value === undefined ? {} : { raw_value: Buffer.from(raw_value, "base64").toString("utf8") }),
        processes: [group],
      })),
    ),
    restart: groups.flatMap(({ name: group, config }) =>
      config.restart === undefined
        ? []
        : [{ policy: config.restart.policy === "no" ? "never" : config.restart.policy, processes: [group] }],
    ),
    metrics: groups.flatMap(({ name: group, config: { metrics } }) =>
      metrics === undefined ? [] : [{ ...metrics, processes: [group] }],
    ),
    vm: groups.map(({ name: group, config }) => ({ ...config.guest, processes: [group] })),
  };
}

/** The entry point of all groups, as a fly.toml has one alone. */
function sharedEntrypoint(groups: readonly FlyGroup[]): readonly string[] | undefined {
  const [first, ...others] = groups.map(({ config }) => config.init?.entrypoint);
  return others.every((other) => JSON.stringify(other) === JSON.stringify(first)) ? first : undefined;
}

function commandOf({ config: { init } }: FlyGroup, shared: readonly string[] | undefined): string {
  const words = [...(shared === undefined ? (init?.entrypoint ?? []) : []), ...(init?.cmd ?? [])];
  return words.map(quote).join(" ");
}

function sharedEnv(groups: readonly FlyGroup[]): Record<string, string> {
  const env: Record<string, string> = {};
  const differing = new Set(flyctlsOwn);
  for (const [variable, value] of groups.flatMap(({ config }) => Object.entries(config.env ?? {}))) {
    if ((env[variable] ?? value) !== value) differing.add(variable);
    env[variable] = value;
  }
  return Object.fromEntries(Object.entries(env).filter(([variable]) => !differing.has(variable)));
}

function serviceOf(group: string, service: MachineService): Record<string, unknown> {
  const { protocol, internal_port, autostart, autostop, min_machines_running, ports, checks, concurrency } = service;
  const of = (type: MachineCheck["type"]) =>
    checks
      .filter((check) => check.type === type)
      .map(({ interval, timeout, grace_period, method, path }) => ({ interval, timeout, grace_period, method, path }));
  return {
    protocol,
    internal_port,
    auto_start_machines: autostart,
    auto_stop_machines: autostop,
    min_machines_running,
    ports,
    concurrency,
    tcp_checks: of("tcp"),
    http_checks: of("http"),
    processes: [group],
  };
}
