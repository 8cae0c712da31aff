import { lintedBy } from "../../aws-lint/linter";
import type { Failure, ResourceType } from "./resource";
import type { Shape, Values, ValuesOf } from "./schema";

/** Where in the linter's resource something is wrong, in our names: `PolicyDocument.Statement[0].Action`. */
function placeOf(path: readonly (string | number)[], names: Readonly<Record<string, string>>): string {
  const [first, ...rest] = path;
  if (first === undefined) return "";
  const top = names[String(first)] ?? String(first).replace(/^./, (letter) => letter.toLowerCase());
  return rest.reduce<string>((all, part) => (typeof part === "number" ? `${all}[${part}]` : `${all}.${part}`), top);
}

/** What AWS's own published data say against a resource: policies, instance types, classes, names. */
export async function lintInputs(type: ResourceType, inputs: Values, region: string): Promise<Failure[]> {
  const lintable = type.lint?.(inputs as ValuesOf<Shape>);
  if (lintable === undefined) return [];
  const properties = Object.fromEntries(Object.entries(lintable.properties).filter(([, value]) => value !== undefined));
  const findings = await lintedBy({ type: lintable.type, properties, region });
  return findings.map(({ rule, path, message }) => ({
    property: placeOf(path, lintable.names ?? {}),
    reason: `${message} (${rule} of cfn-lint, region ${region})`,
  }));
}

/** A policy as the linter takes it; a text that is no JSON was refused before. */
export const policyOf = (policy: string | undefined): unknown =>
  policy === undefined ? undefined : (JSON.parse(policy) as unknown);
