import { DriverError } from "../../../drivers/error";
import { isThere, metadataOf, type Machine } from "../api/types";
import type { FlyAppPlan } from "../plan";
import { destroyMachine } from "./retire";
import type { Run } from "./run";
import { slotOf, tag } from "./tags";

/**
 * Where two deploys make an app's first machines at the same time, no lease of an old one keeps either from it. Of two machines
 * of one slot the older one stays: each deploy takes its own away where it is the younger.
 * @throws DriverError where it is
 */
export async function yieldToRivals(
  run: Run,
  { name }: FlyAppPlan,
  machines: {
    readonly made: ReadonlySet<string>;
    readonly before: readonly Machine[];
    readonly now: readonly Machine[];
  },
): Promise<void> {
  const known = new Set(machines.before.map(({ id }) => id));
  const own = machines.now.filter(({ id }) => machines.made.has(id));
  const others = machines.now.filter(({ id }) => !machines.made.has(id) && !known.has(id));
  const lost: Machine[] = [];
  for (const mine of own) {
    const older = others.find((other) => isSamePlace(mine, other) && isOlder(other, mine));
    const there = older === undefined ? undefined : await run.fly.machine(name, older.id);
    if (there !== undefined && isThere(there)) lost.push(mine);
  }
  if (lost.length === 0) return;
  for (const { id } of lost) await destroyMachine(run, name, id);
  throw new DriverError({
    what: "Another deploy of the app ran at the same time.",
    where: `Fly app ${name}`,
    why: `both made the same machines; those of this one were removed again: ${lost.map(({ id }) => id).join(", ")}`,
    fix: "pulumi up, once the other one is through",
  });
}

function isSamePlace(one: Machine, other: Machine): boolean {
  const [a, b] = [metadataOf(one), metadataOf(other)];
  const isOne = [tag.owner, tag.role, tag.group].every((key) => a[key] === b[key]);
  return isOne && a[tag.role] === "service" && slotOf(one) === slotOf(other);
}

const isOlder = (one: Machine, other: Machine): boolean =>
  ((one.created_at ?? "").localeCompare(other.created_at ?? "") || (one.id < other.id ? -1 : 1)) < 0;
