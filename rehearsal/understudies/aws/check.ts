import { type Failure, type ResourceType, shapeOf } from "./resource";
import { type Property, type Shape, type Values, unknown } from "./schema";

const described = (value: unknown): string => {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  return typeof value === "string" ? "a text" : `${typeof value} ${JSON.stringify(value)}`;
};

const expected: Readonly<Record<Property["kind"], string>> = {
  text: "a text",
  number: "a number",
  flag: "true or false",
  json: "a JSON text",
  map: "texts by name",
  list: "a list",
  set: "a list",
  block: "an object",
};

function isOfKind(property: Property, value: unknown): boolean {
  switch (property.kind) {
    case "text":
      return typeof value === "string";
    case "number":
      return typeof value === "number";
    case "flag":
      return typeof value === "boolean";
    case "json":
      return typeof value === "string" || (typeof value === "object" && !Array.isArray(value));
    case "list":
    case "set":
      return Array.isArray(value);
    case "map":
    case "block":
      return typeof value === "object" && !Array.isArray(value);
  }
}

function checkJson(value: string, path: string, failures: Failure[]): string {
  try {
    JSON.parse(value);
  } catch (error) {
    failures.push({ property: path, reason: `it is no JSON text: ${(error as Error).message}` });
  }
  return value;
}

/** A value with its defaults; what is wrong is added to the failures. */
function checkValue(property: Property, value: unknown, path: string, failures: Failure[]): unknown {
  if (value === unknown) return value;
  if (!isOfKind(property, value)) {
    failures.push({ property: path, reason: `expected ${expected[property.kind]}, got ${described(value)}` });
    return value;
  }
  const { oneOf } = property.options;
  if (oneOf !== undefined && !oneOf.includes(value)) {
    failures.push({ property: path, reason: `expected one of ${oneOf.join(", ")}, got ${String(value)}` });
  }
  if (property.kind === "json") {
    return typeof value === "string" ? checkJson(value, path, failures) : JSON.stringify(value);
  }
  const item = property.item;
  if (Array.isArray(value) && item !== undefined) {
    return value.map((each, index) => checkValue(item, each, `${path}[${index}]`, failures));
  }
  if (property.kind === "map" && item !== undefined) {
    for (const [name, each] of Object.entries(value as Values)) checkValue(item, each, `${path}.${name}`, failures);
    return value;
  }
  if (property.shape === undefined) return value;
  return checkShape(property.shape, value as Values, path, failures).values;
}

/** Values with their defaults, and the names of those that got one. Properties that aren't in the shape are refused. */
export function checkShape(
  shape: Shape,
  values: Values,
  path: string,
  failures: Failure[],
): { values: Values; defaulted: string[] } {
  const at = (name: string): string => (path === "" ? name : `${path}.${name}`);
  const checked: Values = {};
  const defaulted: string[] = [];
  for (const [name, value] of Object.entries(values)) {
    const property = shape[name];
    if (value === null || value === undefined || name.startsWith("__")) continue;
    if (property === undefined) {
      const known = Object.keys(shape).sort().join(", ");
      failures.push({ property: at(name), reason: `the understudy doesn't know this property; it knows ${known}` });
    } else {
      checked[name] = checkValue(property, value, at(name), failures);
    }
  }
  for (const [name, { options }] of Object.entries(shape)) {
    if (checked[name] !== undefined) continue;
    if (options.default !== undefined) {
      checked[name] = options.default;
      defaulted.push(name);
    } else if (options.required === true) {
      failures.push({ property: at(name), reason: "missing required argument" });
    }
  }
  return { values: checked, defaulted };
}

/** What a check of a resource starts from. */
export interface CheckArgs {
  /** The last part of its URN. */
  readonly name: string;
  readonly olds: Values;
  readonly news: Values;
  readonly region: string;
  /** Seven hexadecimal digits, the same for the same step of the engine. */
  readonly random: string;
  /** A name that the engine proposes, by the stack's configuration of names. */
  readonly proposed?: string;
}

/** The name of the list of properties that got a default, as in states of the official provider. */
export const defaultsKey = "__defaults";

/** Whether a property got its value by default, by inputs as they are kept in the state. */
export function isDefaulted(inputs: Values, property: string): boolean {
  const names = inputs[defaultsKey];
  return Array.isArray(names) && names.includes(property);
}

/** The inputs of a resource with defaults, region and name, and all that is wrong with them but what the linter finds. */
export function checkInputs(type: ResourceType, args: CheckArgs): { inputs: Values; failures: Failure[] } {
  const failures: Failure[] = [];
  const { values, defaulted } = checkShape(shapeOf(type), args.news, "", failures);
  if (type.regional !== false && values["region"] === undefined) {
    values["region"] = args.region;
    defaulted.push("region");
  }
  if (type.autoname !== undefined && values[type.autoname.property] === undefined) {
    const { property, longest, lower } = type.autoname;
    const old = isDefaulted(args.olds, property) ? args.olds[property] : undefined;
    const made = args.proposed ?? `${args.name.slice(0, longest - 8)}-${args.random}`;
    values[property] = old ?? (lower === true ? made.toLowerCase() : made);
    defaulted.push(property);
  }
  return { inputs: { ...values, [defaultsKey]: defaulted.sort() }, failures };
}
