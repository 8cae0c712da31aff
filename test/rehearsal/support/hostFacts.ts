import type { Host } from "../../../rehearsal/site";
import { onHost } from "./world";

/** What runs as a unit of an app: the unit's name and the id of its main process, by name. */
export async function mainPids(host: Host, id: string): Promise<ReadonlyMap<string, number>> {
  const shown = await onHost(
    host,
    `systemctl show --property=Id,MainPID,ActiveState -- $(systemctl list-units --plain --no-legend --state=active '${id}-*.service' | cut -d' ' -f1)`,
  );
  const pids = new Map<string, number>();
  for (const part of shown.split("\n\n")) {
    const unit = /^Id=(.+)$/m.exec(part)?.[1];
    const pid = Number(/^MainPID=(\d+)$/m.exec(part)?.[1] ?? 0);
    if (unit !== undefined && pid > 0) pids.set(unit, pid);
  }
  return pids;
}

/** The variables that a process of the host was started with. */
export async function environmentOf(host: Host, pid: number): Promise<Readonly<Record<string, string>>> {
  const text = await onHost(host, `tr '\\0' '\\n' </proc/${pid}/environ`);
  return Object.fromEntries(
    text.split("\n").map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
}

interface ListedTimer {
  readonly unit: string;
  /** Microseconds since 1970, 0 or null for never. */
  readonly next: number | null;
}

/** When each timer of the apps of a stack elapses next, milliseconds since 1970, by name without `.timer`. */
export async function nextRuns(host: Host, stack: string): Promise<ReadonlyMap<string, number>> {
  const listed = JSON.parse(await onHost(host, "systemctl list-timers --all --output=json")) as ListedTimer[];
  return new Map(
    listed
      .filter(({ unit }) => unit.includes(`-${stack}-`))
      .map(({ unit, next }) => [unit.replace(/\.timer$/, ""), Math.floor((next ?? 0) / 1000)]),
  );
}

/** How exposed each unit is, from 0 (well kept in) to 10, by systemd's own judgement. */
export async function exposures(host: Host, units: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const text = await onHost(
    host,
    `for unit in ${units.map((unit) => `'${unit}'`).join(" ")}; do systemd-analyze security --no-pager "$unit" | grep Overall; done`,
  );
  return new Map(
    [...text.matchAll(/level for (\S+): ([\d.]+)/g)].map(([, unit = "", level = ""]) => [unit, Number(level)]),
  );
}

/** The TCP ports that something on the host listens on. */
export async function listeningPorts(host: Host): Promise<readonly number[]> {
  const text = await onHost(host, "ss --tcp --listening --numeric --no-header | awk '{ print $4 }'");
  const ports = [...text.matchAll(/:(\d+)$/gm)].map(([, port]) => Number(port));
  return [...new Set(ports)].sort((a, b) => a - b);
}

/** Whether a TCP connection to an address comes about, tried from a host. */
export async function connects(from: Host, address: string, port: number): Promise<boolean> {
  const { code } = await from.exec(`timeout 1 bash -c 'exec 3<>/dev/tcp/${address}/${port}'`);
  return code === 0;
}

/** The state of the app's units that have failed, for messages. */
export const failedUnits = (host: Host): Promise<string> =>
  onHost(host, "systemctl list-units --plain --no-legend --state=failed");
