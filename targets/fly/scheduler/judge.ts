import { hostWords, isAsleep, isHostUp, metadataOf, type Machine } from "../api/types";
import { exitWords } from "../deploy/health";
import { isProven, slotOf, tag } from "../deploy/tags";
import type { WatchedGroup } from "./schedule";

/** Milliseconds after a deploy's begin in which its machines come and go as it says; one that was cut off ends then, too. */
const deployMs = 3_600_000;

export type Verdict =
  | "good"
  /** A deploy is at work on it. */
  | "changing"
  | { readonly wrong: string };

/**
 * What a look at a group's machines says of them. Pure.
 * @param machines all of the app's own
 * @param crashed those whose program has ended by itself since the last look
 */
export function judge(
  { group, count }: WatchedGroup,
  machines: readonly Machine[],
  crashed: ReadonlySet<string>,
  now: number,
): Verdict {
  const members = machines.filter(
    (one) => metadataOf(one)[tag.group] === group && metadataOf(one)[tag.role] === "service",
  );
  if (members.some((one) => isBeingDeployed(one, now))) return "changing";
  const lacks = count - members.length;
  const wrong = [
    ...(lacks > 0 ? [`${lacks} of ${count} machines ${lacks === 1 ? "is" : "are"} gone`] : []),
    ...members.flatMap((one) => {
      const words = wordsOf(one, crashed.has(one.id));
      return words === undefined ? [] : [`machine ${one.id} (${group}/${slotOf(one)}): ${words}`];
    }),
  ];
  return wrong.length === 0 ? "good" : { wrong: wrong.join("; ") };
}

function isBeingDeployed(machine: Machine, now: number): boolean {
  const began = Date.parse(metadataOf(machine)[tag.deploy] ?? "");
  return !isProven(machine) && now - began < deployMs;
}

/** What is wrong with a machine; nothing where it is as it should be. */
function wordsOf(machine: Machine, hasCrashed: boolean): string | undefined {
  if (!isHostUp(machine)) return hostWords(machine.host_status ?? "unknown");
  if (isAsleep(machine)) return undefined;
  if (machine.state !== "started") return `its state is ${machine.state}${exitWords(machine)}`;
  const failing = (machine.checks ?? []).find(({ status }) => status !== "passing");
  if (failing !== undefined) {
    return `its check is ${failing.status}: ${(failing.output ?? "").trim().slice(0, 200)}`;
  }
  return hasCrashed ? `it was started again${exitWords(machine)}` : undefined;
}
