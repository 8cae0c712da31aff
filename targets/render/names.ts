import type { ResolvedApp } from "../../components/resolvedApp";
import { hostName } from "../../components/values/names";
import type { RenderSettings } from "./settings";

type Named = Pick<ResolvedApp, "stack" | "declaration">;

/** `hotrod-dev`. */
export const idOf = (app: Named): string => hostName(app.declaration.name, app.stack);

/** How settings by component name one: `hotrod-web`. */
export const partKey = (app: Named, part: string): string => `${app.declaration.name}-${part}`;

/** A component's name on Render, which no other of the workspace has: `hotrod-dev-web`. */
export const nameOf = (app: Named, settings: Pick<RenderSettings, "names">, part: string): string =>
  settings.names[partKey(app, part)] ?? `${idOf(app)}-${part}`;

/** All components that have a name on Render, or may have one. */
export const partsOf = ({ declaration }: Named): string[] =>
  [...declaration.services, ...declaration.jobs, ...declaration.databases].map(({ name }) => name);
