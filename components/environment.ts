/** Which column of the dev/live matrix a stack uses. */
export const environments = ["dev", "live"] as const;
export type Environment = (typeof environments)[number];

/** A value that may differ between dev and live. A plain value holds for both. */
export type PerEnvironment<T> = T | { readonly dev?: T; readonly live?: T };

/** The value of one column; undefined where the column has none. */
export function valueFor<T extends string | number | boolean | Reference>(
  value: PerEnvironment<T> | undefined,
  environment: Environment,
): T | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "object" && !isReference(value)) return value[environment];
  return value;
}

/** A value that is known only once a component is deployed: a database's URL, a bucket's name, a service's address. */
export interface Reference {
  readonly reference: true;
  /** The component's name within its app. */
  readonly component: string;
  readonly attribute: Attribute;
}

/**
 * What a component offers as a value.
 * - `url`: a connection URL (databases; secret) or a public address (services).
 * - `path`: the file of an SQLite database, as the app sees it.
 * - `internalUrl`: a service's address for the app's other services.
 * - `name`, `region`, `endpoint`: of a bucket.
 */
export type Attribute = "url" | "path" | "internalUrl" | "name" | "region" | "endpoint";

export function reference(component: string, attribute: Attribute): Reference {
  return { reference: true, component, attribute };
}

export function isReference(value: unknown): value is Reference {
  return typeof value === "object" && value !== null && "reference" in value;
}
