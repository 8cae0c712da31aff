import type { AppDeclaration, Database, Service } from "../../components/declaration";
import type { ResolvedApp } from "../../components/resolvedApp";
import type { Source } from "../../drivers/source";
import type { RailwaySettings } from "./settings";

type Named = Pick<ResolvedApp, "stack" | "declaration">;

/** Name or id of an app's project: stacks share it, each with an environment of its own. */
export const projectOf = (app: Named, settings: Pick<RailwaySettings, "projects">): string =>
  settings.projects[app.declaration.name] ?? app.declaration.name;

export const environmentOf = (app: Named, settings: Pick<RailwaySettings, "environment">): string =>
  settings.environment ?? app.stack;

/** The service on Railway that has a database's volume; undefined for one that others run. */
export function holderOf({ services }: Pick<AppDeclaration, "services">, database: Database): string | undefined {
  if (database.engine === "external") return undefined;
  if (database.engine !== "sqlite") return database.name;
  const holds = ({ volumes = [] }: Service) => volumes.some(({ path }) => database.file.startsWith(`${path}/`));
  return services.find(holds)?.name;
}

/**
 * The repository at GitHub that a source is, `owner/name`; undefined where it isn't at GitHub. Railway builds from there
 * alone, as its own GitHub app hands it the code.
 */
export function repositoryOf(source: Source): string | undefined {
  if (source.kind !== "git") return undefined;
  const match =
    /^(?:https?:\/\/(?:[^@/]+@)?(?:www\.)?github\.com\/|ssh:\/\/(?:[^@/]+@)?github\.com(?::\d+)?\/|(?:[^@/]+@)?github\.com:)([\w.-]+)\/([\w.-]+?)(?:\.git)?\/?$/i.exec(
      source.url,
    );
  return match === null ? undefined : `${match[1] ?? ""}/${match[2] ?? ""}`;
}
