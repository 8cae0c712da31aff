import type { HostPlan, PlannedDatabase } from "../plan";
import { releaseOf } from "./names";

/** What the host must have for the app, as deploy.sh knows to install it. */
export function needs(plan: HostPlan): readonly string[] {
  const { services, databases } = plan;
  const engines = new Set<string>(databases.filter(isOwn).map((database) => database.engine));
  const backups = databases.flatMap((d) => (d.engine === "redis" || d.backup === undefined ? [] : [d.backup]));
  const wanted: readonly (readonly [need: string, wanted: boolean])[] = [
    ...services.flatMap((service) => runtimeNeeds(service).map((need) => [need, true] as const)),
    ...["sqlite", "postgres", "redis"].map((engine) => [engine, engines.has(engine)] as const),
    ...databases.flatMap((d) =>
      d.engine === "postgres" && isOwn(d)
        ? d.extensions.map((extension) => [`postgres:${extension}`, true] as const)
        : [],
    ),
    ["proxy", services.some((service) => service.listens)],
    ["container", services.some((service) => "image" in service.code)],
    ["certbot", services.some((service) => service.domain !== undefined)],
    ["psql", !databases.every(isOwn)],
    ["s3", plan.monitoring !== undefined || backups.some((backup) => backup.bucket !== undefined)],
    ["logrotate", services.some((service) => service.logs !== undefined)],
    ["firewall", plan.firewall.manage],
  ];
  return [...new Set(wanted.flatMap(([need, yes]) => (yes ? [need] : [])))];
}

/** Whether the host itself holds the database. */
const isOwn = (database: PlannedDatabase): boolean => database.engine !== "postgres" || database.server === undefined;

/** Which file describes a Python source's dependencies may show only once it is there, so that uv is needed unless it is ruled out. */
function runtimeNeeds(service: HostPlan["services"][number]): readonly string[] {
  const runtime = releaseOf(service)?.runtime;
  if (runtime === undefined) return [];
  if (runtime.language === "node") return [`node:${runtime.version}`];
  return [`python:${runtime.version}`, ...(runtime.dependencies === "requirements.txt" ? [] : ["uv"])];
}
