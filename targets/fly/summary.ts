import type { Input } from "@pulumi/pulumi";
import type { ResolvedApp } from "../../components/resolvedApp";
import { describedName, describeEnv, describeJob } from "../describe";
import { countOf, guestOf } from "./group";
import { mainName, regionOf } from "./names";
import { needsScheduler, schedulerGuest } from "./scheduler/plan";
import type { FlySettings } from "./settings";

/**
 * What a preview shows of an app's deploy, one line a part: images, sizes and counts, plain variables with their values, secret
 * ones by name alone. What is secret changes unseen, in the command's input.
 */
export function describeChange(
  app: ResolvedApp,
  settings: FlySettings,
  images: Readonly<Record<string, Input<string>>>,
): Record<string, Input<string>> {
  const { declaration } = app;
  const lines: Record<string, Input<string>> = {
    HOMEPORT_FLY: `${mainName(app, settings)} in ${regionOf(app, settings)} of ${settings.org}`,
  };
  for (const service of declaration.services) {
    const name = `HOMEPORT_${describedName(service.name)}`;
    const { min, max } = countOf(app, service);
    const guest = guestOf(app, service);
    lines[`${name}_IMAGE`] = service.image ?? images[service.name] ?? "";
    lines[`${name}_MACHINES`] =
      `${min === max ? min : `${min} to ${max}`} of ${guest?.cpu_kind ?? ""} ${guest?.cpus ?? ""} CPU, ${guest?.memory_mb ?? ""} MiB`;
    // https://fly.io/docs/blueprints/sticky-sessions/: by an answer of the app's alone, never by the proxy.
    if (service.sticky === true && max > 1)
      lines[`${name}_STICKY`] =
        "not by Fly's proxy, which sends each request to any machine: the app has to answer with fly-replay";
    if (service.command !== undefined) lines[`${name}_COMMAND`] = service.command;
    for (const { path, size } of service.volumes ?? []) lines[`${name}_VOLUME`] = `${path}, ${size.toString()}`;
    Object.assign(lines, describeEnv(name, app.serviceEnv[service.name]));
  }
  if (needsScheduler(app)) {
    const { cpu_kind, cpus, memory_mb } = schedulerGuest;
    lines.HOMEPORT_SCHEDULER_MACHINES = `1 of ${cpu_kind} ${cpus} CPU, ${memory_mb} MiB, for jobs, backups and alerts`;
  }
  for (const job of declaration.jobs) Object.assign(lines, describeJob(app, job));
  return lines;
}
