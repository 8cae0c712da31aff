import { DriverError } from "../drivers/error";
import type { Context } from "./context";
import type { ChosenStack } from "./stack";

/** What pulumi says of a stack that another run holds: the file backends, then Pulumi's own service. */
const saysHeld = /currently locked|update is currently in progress|another update/i;

/**
 * Why pulumi has refused, where it is that another run holds the stack.
 * @param words what a person calls again, after `homeport`
 */
export function heldError(
  said: string,
  stack: Pick<ChosenStack, "name">,
  { choice }: Pick<Context, "choice">,
  words: string,
): DriverError | undefined {
  if (!saysHeld.test(said)) return undefined;
  const onStack = stack.name === undefined ? "" : ` --stack ${stack.name}`;
  return new DriverError({
    what: "Another run holds the stack.",
    where: `the stack ${stack.name ?? "that is selected"}, in ${choice.cwd}`,
    why: "it is under way, or was killed and couldn't give the stack back",
    fix: `wait for its end; if it is gone: pulumi cancel --yes${onStack}, then homeport ${words}${onStack}`,
  });
}

/**
 * Finds out whether a run holds the stack. No call of pulumi tells, so this one takes the lock for a moment: to read back a
 * resource that no stack has, which is refused right after (tried with 3.220.0). The engine writes the state again then, without
 * pending operations but creations: whoever needs those reads them before.
 * @param words what a person calls again, after `homeport`
 * @throws DriverError where one does
 */
export async function mustBeFree(stack: ChosenStack, context: Context, words: string): Promise<void> {
  const none = "urn:pulumi:none::none::homeport:none:None::none";
  const { stdout, stderr } = await stack.ask([
    ...["refresh", "--yes", "--skip-preview", "--target", none],
    ...stack.onStack,
  ]);
  const held = heldError(stderr + stdout, stack, context, words);
  if (held !== undefined) throw held;
}
