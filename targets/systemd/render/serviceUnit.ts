import type { HostPlan, PlannedService } from "../plan";
import { containerRun, engine, network } from "./containerProgram";
import { needsDisk } from "./dataDisk";
import { instanceName, redisUnit, slice, type Slot } from "./names";
import { portFile, slotPlace } from "./place";
import { inRelease, processSettings } from "./processProgram";
import { description, execLine, raw, unitText, type Setting } from "./unitText";
import { serviceVariables } from "./variables";

/** `<id>-<service>-<slot>@.service`: one instance of one slot; `%i` is its number. */
export function serviceUnitText(plan: HostPlan, service: PlannedService, slot: Slot): string {
  const program = "image" in service.code ? containerService(plan, service, slot) : processService(plan, service, slot);
  return unitText(`Service ${service.name} of ${plan.id}, slot ${slot}.`, [
    ["Unit", [description(`${plan.id} ${service.name} (slot ${slot})`), ...wants(plan), ...crashLoop]],
    ["Service", [...program, ["SyslogIdentifier", `${plan.id}-${service.name}`], ...restart]],
    ["Install", [["WantedBy", "multi-user.target"]]],
  ]);
}

/** What is started before: the databases of the host, as far as the app has any there. */
export function wants(plan: HostPlan): readonly Setting[] {
  const databases = plan.databases.flatMap((database) => {
    if (database.engine === "redis") return [redisUnit(plan, database.name)];
    return database.engine === "postgres" && database.server === undefined ? ["postgresql.service"] : [];
  });
  const units = ["network-online.target", ...new Set(databases)].join(" ");
  return [["Wants", units], ["After", `${units} homeport-firewall.service`], ...needsDisk(plan)];
}

/**
 * Ten failed starts in two minutes are a failure that is told; systemd would then give up for good, so that
 * homeport-retry tries again a minute later, for as long as it takes.
 */
const crashLoop: readonly Setting[] = [
  ["StartLimitIntervalSec", "120"],
  ["StartLimitBurst", "10"],
  ["OnFailure", "homeport-alert@%n.service homeport-retry@%n.service"],
];
const restart: readonly Setting[] = [
  ["Restart", "always"],
  // How shells, npm and container engines end at SIGTERM.
  ["SuccessExitStatus", "143"],
  ["RestartSec", "3"],
];

function processService(plan: HostPlan, service: PlannedService, slot: Slot): readonly Setting[] {
  if (service.command === undefined) throw new Error(`${plan.app}.${service.name} has neither command nor image.`);
  const place = slotPlace(plan, service, slot);
  return [
    ["Type", "exec"],
    ["ExecStart", execLine(["/bin/bash", "-c", inRelease(place, `exec ${service.command}`)])],
    ...processSettings(plan, place, envFiles(plan, service, slot)),
    // To all processes of the unit, as `npm run` and `uv run` don't reliably pass it on.
    ["KillMode", "control-group"],
    ["KillSignal", "SIGTERM"],
    ["TimeoutStopSec", stopTimeout(service)],
  ];
}

function containerService(plan: HostPlan, service: PlannedService, slot: Slot): readonly Setting[] {
  const place = slotPlace(plan, service, slot);
  const name = `${instanceName(plan, service, slot)}-%i`;
  const run = containerRun(plan, place, {
    name,
    variables: Object.keys(serviceVariables(plan, service)).sort(),
    publish: service.listens,
    ...(service.command === undefined ? {} : { shell: `exec ${service.command}` }),
  });
  const remove = execLine([raw(engine), "rm", "--force", raw(name)], "-");
  return [
    ["Type", "exec"],
    ["ExecStartPre", ensureNetwork(plan)],
    // What a crash of the engine or the machine has left would keep the name.
    ["ExecStartPre", remove],
    ["ExecStart", execLine(run)],
    ["ExecStop", execLine([raw(engine), "stop", "--time", String(service.drainSeconds), raw(name)], "-")],
    ["ExecStopPost", remove],
    ...envFiles(plan, service, slot).map((file): Setting => ["EnvironmentFile", file]),
    ["Slice", slice(plan)],
    ["TimeoutStopSec", stopTimeout(service)],
  ];
}

/** Podman's name server would be one more package; nothing asks for a container by name. Docker has no such option. */
export const ensureNetwork = (plan: HostPlan): string =>
  execLine([
    "/bin/sh",
    "-c",
    `${engine} network inspect ${network(plan)} >/dev/null 2>&1 && exit; ` +
      `case ${engine} in */podman) set -- --disable-dns ;; esac; exec ${engine} network create "$@" ${network(plan)}`,
  ]);

/** The proxy has drained the slot before; a worker has the same time to end what it is at. */
const stopTimeout = (service: PlannedService): string => String(service.drainSeconds + 15);

const envFiles = (plan: HostPlan, service: PlannedService, slot: Slot): readonly string[] => [
  slotPlace(plan, service, slot).envFile,
  ...(service.listens ? [portFile(plan, service, slot)] : []),
];
