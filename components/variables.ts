import type { Environment, PerEnvironment, Reference } from "./environment";

/** What every kind of variable has in common. */
interface VariableBase<D> {
  /** One line for `pulumi config` users: what the value is and where to get it. */
  readonly about?: string;
  /** Used where the stack sets nothing. @default none: the stack must set it if it is required. */
  readonly default?: PerEnvironment<D>;
  /** In which environments a missing value is an error. @default "both" */
  readonly required?: "both" | "never" | Environment;
}

/** A variable of an app's environment contract. The stack sets it as `<app>:<NAME>`. */
export type Variable =
  | (VariableBase<string | Reference> & { readonly kind: "text"; readonly pattern?: RegExp; readonly example?: string })
  | (VariableBase<string | Reference> & {
      readonly kind: "url";
      readonly schemes: readonly string[];
      readonly secret: boolean;
    })
  | (VariableBase<Reference> & { readonly kind: "secret"; readonly minLength?: number })
  | (VariableBase<never> & SecretFileArgs & { readonly kind: "secretFile" })
  | (VariableBase<string> & { readonly kind: "oneOf"; readonly choices: readonly string[] })
  | (VariableBase<number> & { readonly kind: "number"; readonly min?: number; readonly max?: number });

export interface SecretFileArgs {
  /**
   * True for a file that the app itself rewrites, such as an OAuth token that it refreshes. It is placed on the data
   * volume when the configured content changes, and otherwise left as the app wrote it.
   * @default false: read-only, visible to the service alone
   */
  readonly rewritten?: boolean;
}

type Args<K extends Variable["kind"]> = Omit<Extract<Variable, { kind: K }>, "kind">;

/**
 * The environment contract's vocabulary.
 * @example env: { LOG_LEVEL: env.oneOf(["INFO", "DEBUG"], { default: { dev: "DEBUG", live: "INFO" } }) }
 */
export const env = {
  /** Any text. */
  text: (args: Args<"text"> = {}): Variable => ({ kind: "text", ...args }),
  /** A URL of one of the given schemes. @default schemes: https and http; secret: false */
  url: (args: Partial<Args<"url">> = {}): Variable => ({
    kind: "url",
    schemes: ["https", "http"],
    secret: false,
    ...args,
  }),
  /** A value that must be stored encrypted and never shown. */
  secret: (args: Args<"secret"> = {}): Variable => ({ kind: "secret", ...args }),
  /** A file whose content is secret; the variable holds its path. */
  secretFile: (args: Args<"secretFile"> = {}): Variable => ({ kind: "secretFile", ...args }),
  /** One of a fixed set of words. */
  oneOf: (choices: readonly string[], args: Omit<Args<"oneOf">, "choices"> = {}): Variable => ({
    kind: "oneOf",
    choices,
    ...args,
  }),
  /** A whole or decimal number. */
  number: (args: Args<"number"> = {}): Variable => ({ kind: "number", ...args }),
} as const;

/** What a service's `env` takes: a variable of the contract, a fixed text, or another component's value. */
export type VariableSource = Variable | Reference | string;

/** True where the value must never be shown or stored in plain text. */
export function isSecret(variable: Variable): boolean {
  return variable.kind === "secret" || variable.kind === "secretFile" || (variable.kind === "url" && variable.secret);
}

export function isRequired(variable: Variable, environment: Environment): boolean {
  const required = variable.required ?? "both";
  return required === "both" || required === environment;
}
