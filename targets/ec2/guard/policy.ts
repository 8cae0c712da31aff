import { objectOf, objectsOf, textsOf, unknown } from "./rule";

/** A statement of a policy in one form: lists where IAM takes one or several. */
export interface Read {
  /** Its Sid, or its number from 1. */
  readonly name: string;
  readonly allows: boolean;
  /** Undefined where it has none: policies of identities. */
  readonly principal: unknown;
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  /** True where it says what it isn't about, which leaves it open what it is about. */
  readonly negated: boolean;
  /** Values by key by operator. */
  readonly condition: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

/** In the place of a policy that nobody can read. */
export const unreadable = Symbol("unreadable");

/** The document that a `policy` input is: JSON text, or an object. Undefined where there is none or it isn't known yet. */
export function documentOf(policy: unknown): unknown {
  if (policy === undefined || policy === unknown || policy === null) return undefined;
  if (typeof policy !== "string") return policy;
  try {
    return JSON.parse(policy) as unknown;
  } catch {
    return unreadable;
  }
}

/** The statements of a policy; none where it isn't known or can't be read. */
export function statementsOf(policy: unknown): readonly Read[] {
  return objectsOf(objectOf(documentOf(policy))["Statement"]).map((statement, index) => ({
    name: typeof statement["Sid"] === "string" ? statement["Sid"] : String(index + 1),
    allows: statement["Effect"] === "Allow",
    principal: statement["Principal"],
    actions: textsOf(statement["Action"]),
    resources: textsOf(statement["Resource"]),
    negated: ["NotAction", "NotResource", "NotPrincipal"].some((key) => statement[key] !== undefined),
    condition: Object.fromEntries(
      Object.entries(objectOf(statement["Condition"])).map(([operator, keys]) => [
        operator,
        Object.fromEntries(Object.entries(objectOf(keys)).map(([key, values]) => [key, textsOf(values)])),
      ]),
    ),
  }));
}

/** Whether a principal is everybody, `"*"` or `{ "AWS": "*" }`. */
export const isAnyone = (principal: unknown): boolean =>
  textsOf(principal).includes("*") || textsOf(objectOf(principal)["AWS"]).includes("*");
