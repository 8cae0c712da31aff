/** In the place of a value that only the deploy will know. Nothing is held against it until then. */
export const unknown = Symbol("unknown");

/** Inputs of a resource: plain values, with `unknown` wherever one isn't known yet. */
export type Props = Readonly<Record<string, unknown>>;

/** What makes a resource unsafe. */
export interface Violation {
  /** One sentence: `It lets everyone (0.0.0.0/0) in on port 22.` */
  readonly what: string;
  readonly why: string;
  readonly fix: string;
}

/** Looks at one resource. Pure; a resource that the rule isn't about has no violation. */
export type Rule = (type: string, props: Props) => readonly Violation[];

const isObject = (value: unknown): value is Props =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A field's object; empty where it has none or isn't known. */
export const objectOf = (value: unknown): Props => (isObject(value) ? value : {});

/** The objects of a list; a single one stands for a list of itself. */
export function objectsOf(value: unknown): readonly Props[] {
  if (isObject(value)) return [value];
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** The texts of a list; a single one stands for a list of itself. */
export function textsOf(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}

/** Whether a switch that must be on is off or left out, which AWS takes as off. */
export const isOff = (value: unknown): boolean => value !== true && value !== unknown;
