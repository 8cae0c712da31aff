import { exitCodes } from "../targets/operations";
import type { Context } from "./context";
import { markForRepair } from "./repairState";
import { chosen } from "./stack";
import { mustAsk, readState } from "./stackState";

/**
 * Has the next `up` deploy an app anew although the stack says that nothing has changed: its driver looks at the platform and
 * makes what lacks there.
 */
export async function repair(context: Context): Promise<number> {
  const { declaration, target = "its target" } = await context.app();
  const { name } = declaration;
  const stack = await chosen(context.choice);
  const marked = markForRepair(await readState(stack, context), `${name}-${target}`, new Date());
  if (marked === undefined) {
    context.note(`${name} was never deployed to ${target}: pulumi up`);
    return exitCodes.absent;
  }
  await mustAsk(stack, context, ["stack", "import"], `repair ${name}`, JSON.stringify(marked));
  const onStack = stack.name === undefined ? "" : ` --stack ${stack.name}`;
  context.out(`The next \`up\` looks at all of ${name}, and makes what isn't there. Now: pulumi up${onStack}`);
  return 0;
}
