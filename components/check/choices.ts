import { environments } from "../environment";
import { listOf } from "../parsers";
import { didYouMean, type Problem } from "../problems";
import { setCommand } from "../settings";
import { closest } from "../values/closest";

/** A stack whose column of the matrix isn't said. */
export const noEnvironment = (stack: string): Problem => ({
  where: "homeport:environment",
  what: "The stack doesn't say whether it is dev or live.",
  fix: setCommand("homeport:environment", false, environments.find((one) => stack.startsWith(one)) ?? "live"),
});

/** Names in `homeport:apps` that no app has. @param known names of all declared apps */
export function unknownApps(wanted: readonly string[], known: readonly string[]): Problem[] {
  return wanted
    .filter((name) => !known.includes(name))
    .map((name) => ({
      where: "homeport:apps",
      what: `There is no app "${name}"${didYouMean(closest(name, known))}`,
      fix: `Name some of ${listOf(known, "and")}, or pulumi config rm homeport:apps for all.`,
    }));
}

/**
 * An app whose place isn't said, or isn't one.
 * @param target as the stack has it
 * @param known names of all targets
 */
export function noTarget(app: string, target: string | undefined, known: readonly string[]): Problem {
  const near = target === undefined ? undefined : closest(target, known);
  return {
    where: `${app}:target`,
    what:
      target === undefined
        ? "The stack doesn't say where the app runs."
        : `There is no target "${target}"${didYouMean(near)}`,
    why: `Targets are ${listOf(known, "and")}.`,
    fix: setCommand(`${app}:target`, false, near),
  };
}
