import { DriverError } from "../drivers/error";
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
  type ExportedStack,
  type Leftovers,
  type Verdict,
} from "./recoverState";
import { chosen, explain, loadConfig, type ChosenStack } from "./stack";

interface Judged {
  readonly begun: Begun;
  readonly verdict: Verdict;
}

/** Reading many resources back takes its time; what can't be reached ends sooner by itself. */
const refreshLimit = 30 * 60_000;

/** Takes what an engine that was killed was making into the stack's state, so that the next `up` goes on from there. */
export async function recover(context: Context): Promise<number> {
  const stack = await chosen(context.choice);
  const config = await loadConfig(context.choice);
  const exported = await exportedOf(stack, context);
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
  await must(stack, context, ["stack", "import"], JSON.stringify(takeIn(exported, found)));
  await read(stack, context, [...left.unread, ...found.map(({ resource }) => resource.urn)]);
  context.out(`The stack knows of all that is there. Now: pulumi up --stack ${config.stack}`);
  return 0;
}

async function exportedOf(stack: ChosenStack, { choice }: Context): Promise<ExportedStack> {
  const result = await stack.ask(["stack", "export", ...stack.onStack]);
  if (result.code !== 0) throw await explain(result, choice, stack.name, stack.ask);
  return JSON.parse(result.stdout) as ExportedStack;
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
  await must(stack, context, ["refresh", "--yes", "--skip-preview", ...urns.flatMap((urn) => ["--target", urn])]);
}

async function must(stack: ChosenStack, { choice }: Context, args: readonly string[], input?: string): Promise<void> {
  const result = await stack.ask([...args, ...stack.onStack], {
    ...(input === undefined ? {} : { input }),
    timeout: refreshLimit,
  });
  if (result.code === 0) return;
  const said = (result.stderr.trim() === "" ? result.stdout : result.stderr).trim();
  const onStack = stack.name === undefined ? "" : ` --stack ${stack.name}`;
  if (/currently locked|update is currently in progress|another update/i.test(said)) {
    throw new DriverError({
      what: "Another run holds the stack.",
      where: `the stack ${stack.name ?? "that is selected"}, in ${choice.cwd}`,
      why: "it is under way, or was killed and couldn't give the stack back",
      fix: `wait for its end; if it is gone: pulumi cancel --yes${onStack}, then homeport recover${onStack}`,
    });
  }
  throw new DriverError({
    what: `\`pulumi ${args.slice(0, 2).join(" ")}\` failed.`,
    where: `the stack ${stack.name ?? "that is selected"}, in ${choice.cwd}`,
    why: said.split("\n").slice(-12).join("\n"),
    fix: `mend that, then again: homeport recover${onStack}`,
  });
}
