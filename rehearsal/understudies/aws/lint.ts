import { lintedBy } from "../../aws-lint/linter";
import type { Failure, Lintable, ResourceType } from "./resource";
import type { Values } from "./schema";

/** Where in the linter's resource something is wrong, in our names: `PolicyDocument.Statement[0].Action`. */
function placeOf(path: readonly (string | number)[], names: Readonly<Record<string, string>>): string {
  const [first, ...rest] = path;
  if (first === undefined) return "";
  const top = names[String(first)] ?? String(first).replace(/^./, (letter) => letter.toLowerCase());
  return rest.reduce<string>((all, part) => (typeof part === "number" ? `${all}[${part}]` : `${all}.${part}`), top);
}

/** What AWS's own published data say against a resource: policies, instance types, classes, names. */
export async function lintInputs(type: ResourceType, inputs: Values, region: string): Promise<Failure[]> {
  const lintable = type.lint?.(inputs);
  if (lintable === undefined) return [];
  const properties = Object.fromEntries(Object.entries(lintable.properties).filter(([, value]) => value !== undefined));
  const findings = await lintedBy({ type: lintable.type, properties, region });
  return findings.map(({ rule, path, message }) => ({
    property: placeOf(path, lintable.names ?? {}),
    reason: `${message} (${rule} of cfn-lint, region ${region})`,
  }));
}

/**
 * A resource with a policy as the linter takes it; one whose policy isn't known yet isn't looked at.
 * @param policy a JSON text: one that isn't was refused before
 * @param property the linter's name of it
 */
export function withPolicy(
  type: string,
  property: string,
  ours: string,
  policy: string | undefined,
  others: Values,
  names: Readonly<Record<string, string>> = {},
): Lintable | undefined {
  if (policy === undefined) return undefined;
  return {
    type,
    properties: { ...others, [property]: JSON.parse(policy) as unknown },
    names: { ...names, [property]: ours },
  };
}
