import type { StackConfig } from "../components/settings";
import type { Search } from "../targets/recovery";
import type { Target } from "../targets/target";
import type { Context } from "./context";
import { isRepeatable, leftoversOf, takeIn, verdictOn, type Begun, type Leftovers, type Verdict } from "./recoverState";
import { chosen, loadConfig, type ChosenStack } from "./stack";
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
  if (left.begun.length + left.unread.length === 0) {
    context.out(`Stack ${config.stack}: nothing is left of a run that was cut off.`);
    return 0;
  }
  const judged = await judge(left, context.targets, config);
  for (const one of judged) context.out(told(one, config.stack));
  if (judged.some(({ verdict }) => verdict.kind === "several" || verdict.kind === "unknown")) {
    context.out(`Nothing was changed. When that is settled: homeport recover --stack ${config.stack}`);
    return 1;
  }
  const found = judged.flatMap(({ begun: { resource }, verdict }) =>
    verdict.kind === "found" ? [{ resource, candidate: verdict.candidate }] : [],
  );
  for (const { candidate } of found) await candidate.finish?.();
  await mustAsk(stack, context, ["stack", "import"], "recover", JSON.stringify(takeIn(exported, found)));
  await read(stack, context, [...left.unread, ...found.map(({ resource }) => resource.urn)]);
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
