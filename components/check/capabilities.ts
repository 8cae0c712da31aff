import type { Capabilities, Target } from "../../targets/target";
import type { AppSettings } from "../appSettings";
import type { AppDeclaration } from "../declaration";
import { listOf } from "../parsers";
import type { Problem } from "../problems";
import { Zone } from "../values/zone";
import { instancesOf } from "./declaration";

/** One thing an app needs, and whether a target has it. */
interface Need {
  /** Component and field. */
  readonly field: string;
  readonly needs: string;
  readonly why: (target: Capabilities) => string;
  readonly met: (target: Capabilities) => boolean;
}

/** Everything that an app asks for and the target hasn't, each with the targets that would fit. */
export function checkCapabilities(
  app: AppDeclaration,
  settings: AppSettings,
  target: Target,
  targets: readonly Target[],
): Problem[] {
  return needsOf(app, settings)
    .filter((need) => !need.met(target.capabilities))
    .map((need) => {
      const fitting = targets.filter((other) => need.met(other.capabilities)).map((other) => other.name);
      const move =
        fitting.length === 0
          ? `No target has it; change ${need.field} in apps/${app.name}.ts.`
          : `pulumi config set ${app.name}:target ${fitting[0] ?? ""}` +
            (fitting.length > 1 ? ` (${listOf(fitting)} would fit)` : "");
      return {
        where: `${app.name}.${need.field}`,
        what: `"${app.name}" asks for ${need.needs}; ${target.name} can't give it.`,
        why: need.why(target.capabilities),
        fix: move,
      };
    });
}

function needsOf(app: AppDeclaration, settings: AppSettings): Need[] {
  return [...serviceNeeds(app, settings), ...jobNeeds(app), ...dataNeeds(app)];
}

function serviceNeeds(app: AppDeclaration, settings: AppSettings): Need[] {
  const needs: Need[] = [];
  for (const service of app.services) {
    const volumes = service.volumes ?? [];
    const instances = settings.instances[service.name] ?? instancesOf(service).min;
    const kind = service.image === undefined ? "source" : "image";
    needs.push({
      field: `${service.name}.${kind}`,
      needs: kind === "image" ? "a service from a published image" : "a service built from its source",
      why: () => "It doesn't run such services.",
      met: (target) => target.code.includes(kind),
    });
    if (volumes.length > 0) {
      needs.push({
        field: `${service.name}.volumes`,
        needs: volumes.length === 1 ? "a volume" : `${volumes.length} volumes`,
        why: (target) => `It gives a service ${target.volumes.perService} at most.`,
        met: (target) => target.volumes.perService >= volumes.length,
      });
    }
    if (volumes.length > 0 && instances > 1) {
      needs.push({
        field: `${service.name}.instances`,
        needs: `a volume and ${instances} instances`,
        why: () => "It gives a service with a volume one instance.",
        met: (target) => target.volumes.withInstances,
      });
    }
    if (service.access === "restricted") {
      needs.push({
        field: `${service.name}.access`,
        needs: "a service that only some addresses reach",
        why: () =>
          "Its services are open to everyone or to the app alone." +
          (service.ownLogin === true ? ` Without ${app.name}:allowFrom, its own login alone would guard it.` : ""),
        met: (target) => target.restrictedAccess || (service.ownLogin === true && settings.allowFrom.length === 0),
      });
    }
  }
  if (app.domains.length > 0) {
    needs.push({
      field: "domains",
      needs: "host names of its own",
      why: () => "It has none.",
      met: (target) => target.domains,
    });
  }
  return needs;
}

function jobNeeds(app: AppDeclaration): Need[] {
  const schedules = [
    ...app.jobs.map((job) => ({ field: `${job.name}.at`, at: job.at })),
    ...app.databases.flatMap((d) => ("backup" in d ? [{ field: `${d.name}.backup.at`, at: d.backup.at }] : [])),
  ];
  return schedules.flatMap(({ field, at }) => [
    {
      field,
      needs: `a job every ${at.minimumInterval().toString()}`,
      why: (target: Capabilities) => `Its shortest time between runs is ${target.cron.minimum.toString()}.`,
      met: (target: Capabilities) => at.minimumInterval().compare(target.cron.minimum) >= 0,
    },
    {
      field,
      needs: `a schedule in the time zone ${at.timeZone}`,
      why: () => "It reads schedules in UTC, and the offset changes over the year.",
      met: ({ cron: { timeZones } }: Capabilities) =>
        timeZones === "all" || at.timeZone === "UTC" || (timeZones === "fixed" && hasFixedOffset(at.timeZone)),
    },
  ]);
}

const hasFixedOffset = (timeZone: string): boolean => Zone.named(timeZone).fixedOffset(Date.now()) !== undefined;

function dataNeeds(app: AppDeclaration): Need[] {
  const databases = app.databases.flatMap((database): Need[] => {
    const extensions = database.engine === "postgres" ? (database.extensions ?? []) : [];
    return [
      {
        field: `${database.name}.engine`,
        needs: database.engine === "external" ? "a database run elsewhere" : `a ${database.engine} database`,
        why: () => "It has none.",
        met: (target) => target.databases[database.engine] !== undefined,
      },
      ...extensions.map((extension) => ({
        field: `${database.name}.extensions`,
        needs: `the Postgres extension ${extension}`,
        why: () => "Its Postgres doesn't have it.",
        met: (target: Capabilities) => {
          const offered = target.databases.postgres?.extensions;
          return offered === undefined || offered === "any" || offered.includes(extension);
        },
      })),
    ];
  });
  const buckets = app.buckets.map((bucket) => ({
    field: bucket.name,
    needs: "an archive bucket",
    why: () => "It has none.",
    met: (target: Capabilities) => target.buckets,
  }));
  return [...databases, ...buckets];
}
