import { didYouMean, type Problem } from "../../components/problems";
import { closest } from "../../components/values/closest";

/** A setting that names things of the stack: by its keys, or as a list. */
export interface NamingSetting {
  /** `fly:regions` */
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>> | readonly string[];
  /** What it names, `app`. */
  readonly kind: string;
  /** The names that there are. */
  readonly known: readonly string[];
  /** Names that mean something elsewhere: of apps on other targets the components aren't known here. Default: none */
  readonly isAway?: (name: string) => boolean;
}

/**
 * Names in settings that mean nothing.
 * @param platform as people call it
 */
export function checkNamed(platform: string, settings: readonly NamingSetting[]): Problem[] {
  return settings.flatMap(({ key, value, kind, known, isAway = () => false }) =>
    namesIn(value)
      .filter(({ name }) => !known.includes(name) && !isAway(name))
      .map(({ name, path }) => ({
        where: key,
        what: `No ${kind} of this stack on ${platform} is called "${name}"${didYouMean(closest(name, known))}`,
        fix: `pulumi config rm --path '${key}${path}'`,
      })),
  );
}

const namesIn = (value: NamingSetting["value"]): { name: string; path: string }[] =>
  Array.isArray(value)
    ? (value as readonly string[]).map((name, index) => ({ name, path: `[${index}]` }))
    : Object.keys(value).map((name) => ({ name, path: `["${name}"]` }));

/** Whether a component's name, `app-part` or `app.part`, belongs to an app that lives on another target. */
export const awayBy =
  (here: readonly string[], all: readonly string[], separator: "-" | "."): ((name: string) => boolean) =>
  (name) =>
    all.some((app) => !here.includes(app) && name.startsWith(`${app}${separator}`));
