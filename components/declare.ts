import type { App } from "./app";
import type { AppDeclaration } from "./declaration";
import type { Environment } from "./environment";
import type { Problem } from "./problems";

/** What an app's file says, or what keeps it from saying anything. */
export type Declared =
  | { readonly name: string; readonly declaration: AppDeclaration }
  | { readonly name: string; readonly declaration?: undefined; readonly problem: Problem };

/** Declares an app. Whatever its file throws is a problem of that file, and of no other app. */
export function declareApp(app: App, environment: Environment): Declared {
  const { name } = app;
  try {
    return { name, declaration: app.declare(environment) };
  } catch (error) {
    return { name, problem: brokenFile(error, `apps/${name}.ts`) };
  }
}

/**
 * What was thrown while an app's file was read, as its mistake.
 * @param file where it is, unless the error's frames tell it
 */
export function brokenFile(error: unknown, file: string): Problem {
  const told = error instanceof Error ? error : new Error(String(error));
  const at = /\bapps\/[\w.-]+\.ts:\d+/.exec(told.stack ?? "")?.[0];
  const kind = ["Error", "InvalidValue", "RangeError"].includes(told.name) ? "" : `${told.name}: `;
  return {
    where: at ?? file,
    what: `${kind}${told.message}`,
    fix: `Mend it in ${file}; make check finds more than one of its kind.`,
  };
}
