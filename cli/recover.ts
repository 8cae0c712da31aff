import type { StackConfig } from "../components/settings";
import type { Search } from "../targets/recovery";
import type { Target } from "../targets/target";
import type { Context } from "./context";
import {
  isRepeatable,
  leftoversOf,
  takeIn,
  verdictOn,
  type Begun,
  type CutOff,
  type ExportedResource,
  type ExportedStack,
  type Leftovers,
  type Verdict,
} from "./recoverState";
import { markCommands } from "./repairState";
import { chosen, loadConfig, type ChosenStack } from "./stack";
import { mustBeFree } from "./stackLock";
import { mustAsk, readState } from "./stackState";

interface Judged {
  readonly begun: Begun;
  readonly verdict: Verdict;
}

/** Takes what an engine that was killed was making into the stack's state, so that the next `up` goes on from there. */
export async function recover(context: Context): Promise<number> {
  const stack = await chosen(context.choice);
  const config = await loadConfig(context.choice);
  const exported = await readState(stack, context);
  const left = leftoversOf(exported);
  // Of a run that is under way nothing can be said, and what a killed one has left isn't whole before it is cancelled.
  await mustBeFree(stack, context, "recover");
  if (left.begun.length + left.unread.length + left.cutOff.length === 0) {
    context.out(`Stack ${config.stack}: nothing is left of a run that was cut off.`);
    return 0;
  }
  const judged = await judge(left, context.targets, config);
  for (const one of judged) context.out(told(one, config.stack));
  for (const one of left.cutOff) context.out(toldCutOff(one));
  if (judged.some(({ verdict }) => verdict.kind === "several" || verdict.kind === "unknown")) {
    context.out(`Nothing was changed. When that is settled: homeport recover --stack ${config.stack}`);
    return 1;
  }
  const found = judged.flatMap(({ begun: { resource }, verdict }) =>
    verdict.kind === "found" ? [{ resource, candidate: verdict.candidate }] : [],
  );
  for (const { candidate } of found) await candidate.finish?.();
  const settled = settle(takeIn(exported, found), left.cutOff, new Date());
  await mustAsk(stack, context, ["stack", "import"], "recover", JSON.stringify(settled));
  const changed = left.cutOff.filter(({ means }) => means === "read").map(({ urn }) => urn);
  await read(stack, context, [...new Set([...left.unread, ...found.map(({ resource }) => resource.urn), ...changed])]);
  context.out(`The stack knows of all that is there. Now: pulumi up --stack ${config.stack}`);
  return 0;
}

function judge(left: Leftovers, targets: readonly Target[], config: StackConfig): Promise<Judged[]> {
  return Promise.all(
    left.begun.map(async (begun): Promise<Judged> => {
      const found = isRepeatable(begun) ? ({ kind: "repeatable" } as const) : await search(begun, targets, config);
      return { begun, verdict: verdictOn(begun, found, left.known.get(begun.type) ?? new Set()) };
    }),
  );
}

async function search(begun: Begun, targets: readonly Target[], config: StackConfig): Promise<Search | undefined> {
  for (const target of targets) {
    const found = await target.search?.(begun, config);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What a person reads of a pending creation. */
export function told({ begun, verdict }: Judged, stack: string): string {
  const what = `${begun.name} (${begun.type})`;
  switch (verdict.kind) {
    case "found":
      return `${what} is there: ${verdict.candidate.id}`;
    case "absent":
      return `${what} isn't there: the next \`up\` makes it`;
    case "again":
      return `${what}: the next \`up\` does it again`;
    case "several":
      return [
        `${what}: there are ${verdict.candidates.length} that it may be.`,
        "  fix: look at them, and take away all but the one that is to stay:",
        ...verdict.candidates.map(({ remove }) => `    ${remove}`),
      ].join("\n");
    case "made":
      if (verdict.surplus.length === 0) return `${what}: the stack has it`;
      return [
        `${what}: the stack has it, and besides it there is what nobody uses.`,
        "  fix: look at it, and take it away:",
        ...verdict.surplus.map(({ remove }) => `    ${remove}`),
      ].join("\n");
    case "unknown":
      return [
        `${what}: Homeport doesn't declare such a thing, so it can't look for it.`,
        `  fix: pulumi refresh --stack ${stack} lets you clear it at a terminal; where it is there, take it in afterwards:`,
        `    pulumi import ${begun.type} ${begun.name} ID --stack ${stack}`,
      ].join("\n");
  }
}

/** The state in which commands whose update was cut off are run by the next `up`, whatever the program says by then. */
export function settle<Stack extends ExportedStack>(stack: Stack, cutOff: readonly CutOff[], now: Date): Stack {
  const again = new Set(cutOff.filter(({ means }) => means === "run").map(({ urn }) => urn));
  const isMeant = (one: ExportedResource): boolean => one.delete !== true && again.has(one.urn);
  return again.size === 0 ? stack : markCommands(stack, isMeant, `cut off before ${now.toISOString()}`);
}

/** What a person reads of an update, a removal or a reading that was cut off. */
export function toldCutOff({ name, type, operation, means }: CutOff): string {
  const what =
    { updating: "update", deleting: "removal", reading: "reading", importing: "import" }[operation] ?? operation;
  const then = means === "read" ? "it is read back, and the next `up` does the rest" : "the next `up` does it again";
  return `${name} (${type}): its ${what} was cut off: ${then}`;
}

/** Has the provider read what was taken in; what turns out to be gone leaves the state again. */
async function read(stack: ChosenStack, context: Context, urns: readonly string[]): Promise<void> {
  if (urns.length === 0) return;
  await mustAsk(
    stack,
    context,
    ["refresh", "--yes", "--skip-preview", ...urns.flatMap((urn) => ["--target", urn])],
    "recover",
  );
}
