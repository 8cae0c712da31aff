import { isDeepStrictEqual } from "node:util";
import { namesSecret, secretMark, withoutCredentials } from "./masks";

/** A property of a resource that a deploy would change. Its values are fit to be published. */
export interface Field {
  /** `environment.HOMEPORT_API_PORT`. */
  readonly path: string;
  /** Left out where the property is new. */
  readonly before?: string;
  /** Left out where the property goes. */
  readonly after?: string;
}

/** One step of `pulumi preview --json`, with secrets masked by the engine. */
export interface Step {
  readonly op: string;
  readonly urn: string;
  readonly oldState?: { readonly inputs?: Inputs };
  readonly newState?: { readonly inputs?: Inputs };
  readonly diffReasons?: readonly string[] | null;
  readonly replaceReasons?: readonly string[] | null;
  readonly detailedDiff?: Readonly<Record<string, unknown>> | null;
}

type Inputs = Readonly<Record<string, unknown>>;

/** What the engine gives for a value that only the deploy will know: `plugin.UnknownStringValue` of its SDK. */
const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const longest = 120;

/**
 * The properties that differ, those first whose values can be told. Secrets are compared by the provider alone: both sides
 * of them are masked here.
 */
export function changedFields({ oldState, newState, diffReasons, replaceReasons, detailedDiff }: Step): Field[] {
  const before = leaves(oldState?.inputs ?? {});
  const after = leaves(newState?.inputs ?? {});
  const paths = [...new Set([...before.keys(), ...after.keys()])];
  const differing = paths.filter((path) => !isDeepStrictEqual(before.get(path), after.get(path)));
  const told = [...Object.keys(detailedDiff ?? {}), ...(diffReasons ?? []), ...(replaceReasons ?? [])];
  const others = [...new Set(told)].filter((path) => !differing.some((one) => one === path || isWithin(one, path)));
  return [...differing.sort(), ...others.sort()].map((path) => ({
    path,
    ...(before.has(path) ? { before: shown(path, before.get(path)) } : {}),
    ...(after.has(path) ? { after: shown(path, after.get(path)) } : {}),
  }));
}

const isWithin = (path: string, of: string): boolean => path.startsWith(`${of}.`) || path.startsWith(`${of}[`);

/** Every value that isn't made of others, by its path in the engine's spelling: `tags.Name`, `ingress[0].cidr`. */
function leaves(value: unknown, path = ""): Map<string, unknown> {
  const isList = Array.isArray(value);
  if (typeof value !== "object" || value === null || (path !== "" && Object.keys(value).length === 0)) {
    return new Map([[path, value]]);
  }
  const found = new Map<string, unknown>();
  for (const [key, one] of Object.entries(value)) {
    const below = isList ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`;
    for (const [name, leaf] of leaves(one, below)) found.set(name, leaf);
  }
  return found;
}

function shown(path: string, value: unknown): string {
  if (value === unknown) return "known at the deploy";
  if (value === secretMark || namesSecret(path)) return secretMark;
  const text = withoutCredentials(JSON.stringify(value));
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}
