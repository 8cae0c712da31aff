import type { Problem } from "../../../components/problems";
import { encrypted } from "./encryption";
import { unexposed } from "./exposure";
import { safeMachine } from "./machine";
import { closedSsh } from "./network";
import { narrowRights } from "./rights";
import type { Props, Rule } from "./rule";

const rules: readonly Rule[] = [closedSsh, unexposed, encrypted, narrowRights, safeMachine];

/** What makes a resource unsafe by any rule. Pure; `props` holds `unknown` wherever a value isn't known yet. */
export function checkResource(type: string, name: string, props: Props): Problem[] {
  const where = `${name} (${type.split(":").slice(0, 2).join(":").replace(/\/.*$/, "")} ${type.split(":").at(-1)})`;
  return rules.flatMap((rule) => rule(type, props)).map((violation) => ({ where, ...violation }));
}
