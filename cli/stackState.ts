import { DriverError } from "../drivers/error";
import type { Context } from "./context";
import type { ExportedStack } from "./recoverState";
import { explain, type ChosenStack } from "./stack";
import { heldError } from "./stackLock";

/** Reading many resources back takes its time; what can't be reached ends sooner by itself. */
const longest = 30 * 60_000;

/** A stack's state, its secrets encrypted unless they are asked for. */
export async function readState(
  stack: ChosenStack,
  { choice }: Pick<Context, "choice">,
  secrets = false,
): Promise<ExportedStack> {
  const result = await stack.ask(["stack", "export", ...(secrets ? ["--show-secrets"] : []), ...stack.onStack]);
  if (result.code !== 0) throw await explain(result, choice, stack.name, stack.ask);
  return JSON.parse(result.stdout) as ExportedStack;
}

/**
 * Asks pulumi for a change of a stack's state.
 * @param words what a person calls again, after `homeport`
 * @throws DriverError where it says no
 */
export async function mustAsk(
  stack: ChosenStack,
  { choice }: Context,
  args: readonly string[],
  words: string,
  input?: string,
): Promise<void> {
  const result = await stack.ask([...args, ...stack.onStack], {
    ...(input === undefined ? {} : { input }),
    timeout: longest,
  });
  if (result.code === 0) return;
  const said = (result.stderr.trim() === "" ? result.stdout : result.stderr).trim();
  const held = heldError(said, stack, { choice }, words);
  if (held !== undefined) throw held;
  const onStack = stack.name === undefined ? "" : ` --stack ${stack.name}`;
  throw new DriverError({
    what: `\`pulumi ${args.slice(0, 2).join(" ")}\` failed.`,
    where: `the stack ${stack.name ?? "that is selected"}, in ${choice.cwd}`,
    why: said.split("\n").slice(-12).join("\n"),
    fix: `mend that, then again: homeport ${words}${onStack}`,
  });
}
