import { createHash } from "node:crypto";

/**
 * Names of what the program makes on AWS, `homeport-<stack>-<part>`. The deploying role of GitHub may touch what carries
 * this prefix of its stack alone, so names aren't left to the provider's chance.
 */

/** What every such name of a stack starts with. */
export const namePrefix = (stack: string): string => `homeport-${stack}-`;

/** Path of the roles and profiles that a stack's program makes (IAM user guide, "IAM identifiers"). */
export const rolePath = (stack: string): string => `/homeport/${stack}/`;

/** Path of what carries out the program itself. No stack's role may touch what is below it. */
export const deployersPath = "/homeport-deployers/";

/**
 * `homeport-<stack>-<part>-<part>`, for names of IAM roles (64), RDS (63), CloudWatch alarms (255) and the like: letters,
 * digits and single dashes. Two different lists of parts don't get one name: where a dash inside of a part or the limit
 * would make it doubtful, it ends in six digits of a SHA-256 of the whole.
 */
export function awsName(stack: string, parts: readonly string[], limit: number): string {
  const whole = [stack, ...parts];
  const name = namePrefix(stack) + parts.join("-");
  const plain = name.length <= limit && !whole.some((one) => one.includes("-"));
  if (plain && !/-[0-9a-f]{6}$/.test(name)) return name;
  const digest = createHash("sha256").update(whole.join("/")).digest("hex").slice(0, 6);
  return `${name.slice(0, limit - digest.length - 1).replace(/-+$/, "")}-${digest}`;
}
