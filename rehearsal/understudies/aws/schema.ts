/** What a property holds. `json` is a JSON text, compared by its meaning; `set` is a list whose order says nothing. */
export type Kind = "text" | "number" | "flag" | "json" | "map" | "list" | "set" | "block";

/** What else is known of a property, after the schema of the terraform-provider-aws release that @pulumi/aws 7.48.0 wraps. */
export interface Options<T = unknown> {
  readonly required?: true;
  /** Taken where the program gives none. */
  readonly default?: T;
  /** A change makes a new resource. */
  readonly replaces?: true;
  /** Where the program gives none, AWS chooses, and what it chose is no difference. */
  readonly computed?: true;
  /** The values there are. */
  readonly oneOf?: readonly T[];
}

/** A property of a resource, or of a block in one. T is its type in TypeScript, O its options. */
export interface Property<T = unknown, O extends Options<T> = Options<T>> {
  readonly kind: Kind;
  readonly options: O;
  /** Of a list's or a set's items. */
  readonly item?: Property;
  /** Of a block. */
  readonly shape?: Shape;
  /** There only for the compiler. */
  readonly type?: T;
}

/** Properties by name. */
export type Shape = Readonly<Record<string, Property>>;

/** Any properties by name. */
export type Values = Record<string, unknown>;

type IsGiven<P> = P extends { options: { required: true } } | { options: { default: unknown } } ? true : false;
type TypeOf<P> = P extends { readonly type?: infer T } ? T : never;

/** What properties hold after a check: those required or with a default are there. */
export type ValuesOf<S extends Shape> = {
  readonly [K in keyof S as IsGiven<S[K]> extends true ? K : never]: Exclude<TypeOf<S[K]>, undefined>;
} & {
  readonly [K in keyof S as IsGiven<S[K]> extends true ? never : K]?: TypeOf<S[K]> | undefined;
};

/** What is known of properties in a check: any of them may still be unknown, and is then left out. */
export type KnownOf<S extends Shape> = { readonly [K in keyof S]?: TypeOf<S[K]> | undefined };

type Made<T, O extends Options<T>> = Property<T, O>;
const none = {};

/** A text. */
export const text = <const O extends Options<string>>(options: O = none as O): Made<string, O> => ({
  kind: "text",
  options,
});

/** A number. */
export const number = <const O extends Options<number>>(options: O = none as O): Made<number, O> => ({
  kind: "number",
  options,
});

/** True or false. */
export const flag = <const O extends Options<boolean>>(options: O = none as O): Made<boolean, O> => ({
  kind: "flag",
  options,
});

/** A JSON text; a program may give the object instead. */
export const json = <const O extends Options<string>>(options: O = none as O): Made<string, O> => ({
  kind: "json",
  options,
});

/** Texts by name, such as tags. */
export const map = <const O extends Options<Record<string, string>>>(
  options: O = none as O,
): Made<Record<string, string>, O> => ({ kind: "map", options, item: text() });

/** A list whose order matters. */
export const list = <T, const O extends Options<T[]>>(item: Property<T>, options: O = none as O): Made<T[], O> => ({
  kind: "list",
  options,
  item,
});

/** A list whose order doesn't matter. */
export const set = <T, const O extends Options<T[]>>(item: Property<T>, options: O = none as O): Made<T[], O> => ({
  kind: "set",
  options,
  item,
});

/** An object of known properties. */
export const block = <const S extends Shape, const O extends Options<ValuesOf<S>>>(
  shape: S,
  options: O = none as O,
): Made<ValuesOf<S>, O> => ({ kind: "block", options, shape });

/** What the engine gives for a value that isn't known yet (sdk/go/common/resource/plugin/rpc.go, UnknownStringValue). */
export const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Whether a value, or any part of it, isn't known yet. */
export function hasUnknown(value: unknown): boolean {
  if (value === unknown) return true;
  if (typeof value !== "object" || value === null) return false;
  return Object.values(value).some(hasUnknown);
}

/** Without the entries that are undefined or null, at any depth, as they can't be sent. */
export const defined = (values: Values): Values =>
  Object.fromEntries(
    Object.entries(values)
      .filter(([, value]) => value !== undefined && value !== null)
      .map(([name, value]) => [name, sendable(value)]),
  );

function sendable(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((each) => each !== undefined && each !== null).map(sendable);
  return typeof value === "object" && value !== null ? defined(value as Values) : value;
}

/** The mark of a value with a special meaning, and that of a secret (sdk/go/common/resource/properties.go). */
const [signature, secret] = ["4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"];

/** A value without the marks of secrets: a provider's configuration has them even if the provider takes none. */
export function plain(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(plain);
  const values = value as Values;
  if (values[signature] === secret) return plain(values["value"]);
  return Object.fromEntries(Object.entries(values).map(([name, each]) => [name, plain(each)]));
}
