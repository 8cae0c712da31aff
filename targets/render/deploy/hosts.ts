import type { Service } from "../api/types";
import type { RenderService, RenderSpec } from "../plan";

/** What is wrong with a web service's host name, and what mends it. */
export interface StrangeHost {
  readonly why: string;
  readonly fix: string;
}

/**
 * Names below onrender.com are one in the world: a service whose name somebody else has gets another host name than the one
 * that variables were made with. Nothing is wrong where none of them says it.
 */
export function strangeHost(
  spec: RenderSpec,
  { name, type }: RenderService,
  { slug }: Service,
): StrangeHost | undefined {
  if (type !== "web_service" || slug === name) return undefined;
  const host = `${name}.onrender.com`;
  const told = spec.services.filter(({ env, files }) =>
    [...Object.values(env), ...Object.values(files)].some((value) => value.includes(host)),
  );
  if (told.length === 0) return undefined;
  const parts = told.map(({ part }) => part).join(" and ");
  return {
    why: `${host} is somebody else's: Render gives ${name} ${slug}.onrender.com, and variables of ${parts} say the other`,
    fix: "choose a name that is free (pulumi config set --path render:names.APP-PART NAME), or set the app's domain",
  };
}
