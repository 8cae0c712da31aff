import type { ResolvedApp } from "../../components/resolvedApp";
import { describedName, describeEnv, describeJob } from "../describe";
import { countOf, limitsOf } from "./buildPlan";
import { keptOf, kindsOf, planDatabase } from "./databases";
import { runsBeside } from "./jobs";
import { environmentOf, projectOf } from "./names";
import { utcSchedule } from "./schedule";
import type { RailwaySettings } from "./settings";
import { isPublic } from "./values";

/**
 * What a preview shows of an app's deploy, one line a part: commits and images, sizes and counts, what can't be changed later,
 * plain variables with their values, secret ones by name alone. What is secret changes unseen, in the command's input.
 */
export function describeChange(app: ResolvedApp, settings: RailwaySettings): Record<string, string> {
  const { declaration } = app;
  const lines: Record<string, string> = {
    // Another project or environment is a new one, and the old one stays as it is.
    HOMEPORT_RAILWAY: `environment ${environmentOf(app, settings)} of project ${projectOf(app, settings)}; another name makes new services without the data`,
    HOMEPORT_RAILWAY_REGION: `${settings.region ?? "the workspace's own"}; another one moves volumes, with downtime`,
  };
  for (const service of declaration.services) {
    const name = `HOMEPORT_${describedName(service.name)}`;
    const code = app.code[service.name];
    const { vCPUs, memoryGB } = limitsOf(app, service);
    lines[`${name}_CODE`] = service.image ?? `${code?.fingerprint.commit ?? ""} ${code?.source.directory ?? ""}`.trim();
    lines[`${name}_INSTANCES`] = `${countOf(app, service)} of ${vCPUs} CPU, ${memoryGB} GB`;
    if (service.command !== undefined) lines[`${name}_COMMAND`] = service.command;
    if (service.access === "restricted" && isPublic(service)) {
      lines[`${name}_ACCESS`] = "open to everyone, behind the login that it asks for itself";
    }
    for (const { path, size } of service.volumes ?? []) {
      lines[`${name}_VOLUME`] = `${path}, ${size.toString()}; it only grows, and less is refused`;
    }
    Object.assign(lines, describeEnv(name, app.serviceEnv[service.name]));
  }
  for (const database of declaration.databases) {
    const planned = planDatabase(settings, { passwords: {}, buckets: {} }, database, []);
    if (planned === undefined) continue;
    lines[`HOMEPORT_${describedName(database.name)}`] =
      `${planned.image}, ${planned.volume.sizeMb} MB; it only grows, and another major version is refused`;
  }
  for (const database of declaration.databases) {
    if (!("backup" in database)) continue;
    const kinds = keptOf(kindsOf(database.backup));
    lines[`HOMEPORT_${describedName(database.name)}_BACKUP`] = `Railway's own, snapshots of the volume: ${kinds}`;
  }
  for (const job of declaration.jobs) {
    Object.assign(lines, describeJob(app, job));
    lines[`HOMEPORT_JOB_${describedName(job.name)}_UTC`] = utcSchedule(job.at) ?? "";
    if (runsBeside(job.in))
      lines[`HOMEPORT_JOB_${describedName(job.name)}_IN`] = `${job.in.name}'s own instance, as it needs its volume`;
  }
  if (settings.archives === "railway" && declaration.buckets.length > 0) {
    lines.HOMEPORT_BUCKETS = `${declaration.buckets.map(({ name }) => name).join(", ")} in ${settings.bucketRegion}; their region never changes`;
  }
  return lines;
}
