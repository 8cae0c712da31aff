import { isDeepStrictEqual } from "node:util";
import { isDefaulted } from "./check";
import { type ResourceType, shapeOf } from "./resource";
import { type Property, type Shape, type Values, hasUnknown, unknown } from "./schema";

/** A property that differs. */
export interface Difference {
  /** Such as `tags.Name` or `rules[0].status`. */
  readonly path: string;
  /** The property of the resource that it is in. */
  readonly root: string;
  readonly kind: "add" | "delete" | "update";
  readonly replaces: boolean;
}

const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === "" ||
  (typeof value === "object" && Object.keys(value).length === 0);

/** Where IAM takes one text for a list of one, and lists of texts in any order. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) {
    if (value.length === 1 && typeof value[0] === "string") return value[0];
    const items = value.map(canonical);
    return items.every((item) => typeof item === "string") ? items.sort() : items;
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, canonical(each)]));
}

/** Whether two JSON texts, such as policies, say the same. */
export function isSameJson(left: unknown, right: unknown): boolean {
  if (typeof left !== "string" || typeof right !== "string") return left === right;
  try {
    return isDeepStrictEqual(canonical(JSON.parse(left)), canonical(JSON.parse(right)));
  } catch {
    return left === right;
  }
}

/** Whether what is wanted is there. What a block doesn't name and AWS chooses is no difference. */
function isSame(property: Property, old: unknown, wanted: unknown): boolean {
  if (hasUnknown(wanted)) return false;
  if (isEmpty(wanted) && (isEmpty(old) || property.options.computed === true)) return true;
  switch (property.kind) {
    case "json":
      return isSameJson(old, wanted);
    case "list":
    case "set": {
      if (!Array.isArray(old) || !Array.isArray(wanted) || old.length !== wanted.length) return false;
      const item = property.item!;
      if (property.kind === "list") return wanted.every((each, index) => isSame(item, old[index], each));
      const rest = [...(old as unknown[])];
      return wanted.every((each) => {
        const at = rest.findIndex((candidate) => isSame(item, candidate, each));
        return at >= 0 && rest.splice(at, 1).length === 1;
      });
    }
    case "block":
      return diffShape(property.shape!, asValues(old), asValues(wanted), "").length === 0;
    case "flag":
      return (old ?? false) === (wanted ?? false);
    default:
      return isDeepStrictEqual(old, wanted);
  }
}

const asValues = (value: unknown): Values => (typeof value === "object" && value !== null ? (value as Values) : {});

const kindOf = (old: unknown, wanted: unknown): Difference["kind"] =>
  isEmpty(old) ? "add" : isEmpty(wanted) ? "delete" : "update";

/** The places below a property that differs, as deep as they can be told. */
function pathsOf(property: Property, old: unknown, wanted: unknown, path: string): Omit<Difference, "root">[] {
  const whole = { path, kind: kindOf(old, wanted), replaces: property.options.replaces === true };
  if (wanted === unknown || isEmpty(old) || isEmpty(wanted)) {
    const below = Object.values(property.shape ?? property.item?.shape ?? {});
    return [{ ...whole, replaces: whole.replaces || (isEmpty(old) && below.some((each) => each.options.replaces)) }];
  }
  if (property.kind === "map") {
    const [before, after] = [asValues(old), asValues(wanted)];
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return names
      .filter((name) => before[name] !== after[name])
      .map((name) => ({ ...whole, path: `${path}.${name}`, kind: kindOf(before[name], after[name]) }));
  }
  if (property.kind === "block") {
    return diffShape(property.shape!, asValues(old), asValues(wanted), path).map((each) => ({
      ...each,
      replaces: each.replaces || whole.replaces,
    }));
  }
  if (property.kind === "list" && Array.isArray(old) && Array.isArray(wanted)) {
    const indexes = Array.from({ length: Math.max(old.length, wanted.length) }, (_, index) => index);
    return indexes
      .filter((index) => !isSame(property.item!, old[index], wanted[index]))
      .flatMap((index) => pathsOf(property.item!, old[index], wanted[index], `${path}[${index}]`))
      .map((each) => ({ ...each, replaces: each.replaces || whole.replaces }));
  }
  return [whole];
}

function diffShape(shape: Shape, olds: Values, wanted: Values, path: string): Omit<Difference, "root">[] {
  return Object.entries(shape).flatMap(([name, property]) => {
    if (isSame(property, olds[name], wanted[name])) return [];
    return pathsOf(property, olds[name], wanted[name], path === "" ? name : `${path}.${name}`);
  });
}

/** What differs between a resource as it was last seen and the inputs that the program gives now. */
export function diffInputs(type: ResourceType, olds: Values, news: Values, ignored: readonly string[]): Difference[] {
  return Object.entries(shapeOf(type))
    .filter(([name]) => !ignored.includes(name))
    .flatMap(([name, property]) =>
      diffShape({ [name]: property }, olds, news, "").map((each) => ({
        ...each,
        root: name,
        replaces: each.replaces || type.replaces?.(name, olds, news) === true,
      })),
    )
    .filter(({ path }) => !ignored.some((each) => path.startsWith(`${each}.`) || path.startsWith(`${each}[`)));
}

/**
 * Whether the old one has to go first: where both would have the same name that the program chose, as in the official
 * provider (pulumi-terraform-bridge, nameRequiresDeleteBeforeReplace).
 */
export function deletesFirst(type: ResourceType, olds: Values, news: Values): boolean {
  const property = type.autoname?.property;
  return property !== undefined && !isDefaulted(news, property) && olds[property] === news[property];
}
