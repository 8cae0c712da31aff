import type { ResolvedApp } from "../../components/resolvedApp";
import { flyAppName, hostName } from "../../components/values/names";
import type { FlySettings } from "./settings";

type Named = Pick<ResolvedApp, "stack" | "declaration">;

/** The app of Fly that holds the services which the world or nobody connects to, `hotrod-prod`. */
export function mainName(app: Named, settings: Pick<FlySettings, "names">): string {
  return settings.names[app.declaration.name] ?? hostName(app.declaration.name, app.stack);
}

/** The app of Fly of an internal service, a Redis or the scheduler, `tileshop-prod--crawl4ai`. */
export function partName(app: Named, settings: Pick<FlySettings, "names">, part: string): string {
  const chosen = settings.names[app.declaration.name];
  return chosen === undefined ? flyAppName(app.declaration.name, app.stack, part) : `${chosen}--${part}`;
}

/** The names on Fly that an app may need besides its main one. */
export function partNames(app: Named, settings: Pick<FlySettings, "names">): string[] {
  const { databases, services } = app.declaration;
  const redis = databases.filter(({ engine }) => engine === "redis");
  const internal = services.filter(({ access, port }) => access === "internal" && port !== undefined);
  return [...redis, ...internal, { name: "scheduler" }].map(({ name }) => partName(app, settings, name));
}

/** The Managed Postgres cluster of a database, `hotrod-prod-db`; another one once a backup was restored into that. */
export const clusterName = (app: Named, settings: Pick<FlySettings, "postgresClusters">, database: string): string =>
  settings.postgresClusters[`${app.declaration.name}-${database}`] ??
  `${hostName(app.declaration.name, app.stack)}-${database}`;

export const regionOf = (app: Named, settings: Pick<FlySettings, "region" | "regions">): string =>
  settings.regions[app.declaration.name] ?? settings.region ?? "";
