import type { AppSettings } from "./appSettings";
import { isReference, valueFor, type Environment, type Reference } from "./environment";
import { listOf, url as urlParser } from "./parsers";
import type { Problem } from "./problems";
import { plainSecret, setCommand, type StackConfig } from "./settings";
import { closest } from "./values/closest";
import { isRequired, isSecret, type Variable, type VariableSource } from "./variables";

/** What a variable turned out to be in a stack. */
export type Value =
  | { readonly kind: "plain"; readonly value: string }
  | { readonly kind: "secret"; readonly value: string }
  | { readonly kind: "secretFile"; readonly content: string; readonly rewritten: boolean }
  | { readonly kind: "reference"; readonly reference: Reference };

/** Where a value came from, for `homeport explain`. */
export type Origin = "stack" | "default" | "declaration";

export interface Resolved {
  readonly value: Value;
  readonly origin: Origin;
}

export type ResolvedEnv = Readonly<Record<string, Resolved>>;

/** Gives every variable its value: the stack's, else the environment's default. Each that can't have one is a problem. */
export function resolveEnv(
  app: string,
  sources: Readonly<Record<string, VariableSource>>,
  config: StackConfig,
  environment: Environment,
): { env: ResolvedEnv; problems: Problem[] } {
  const env: Record<string, Resolved> = {};
  const problems: Problem[] = [];
  for (const [name, source] of Object.entries(sources)) {
    if (typeof source === "string") env[name] = { value: { kind: "plain", value: source }, origin: "declaration" };
    else if (isReference(source))
      env[name] = { value: { kind: "reference", reference: source }, origin: "declaration" };
    else {
      const outcome = resolveVariable(`${app}:${name}`, source, config, environment);
      if (outcome === undefined) continue;
      if ("what" in outcome) problems.push(outcome);
      else env[name] = outcome;
    }
  }
  return { env, problems };
}

function resolveVariable(
  key: string,
  variable: Variable,
  config: StackConfig,
  environment: Environment,
): Resolved | Problem | undefined {
  const entry = config.entries.get(key);
  if (entry !== undefined) {
    if (isSecret(variable) && !entry.secret) return plainSecret(key);
    const complaint = complaintAbout(variable, entry.value);
    if (complaint !== undefined)
      return wrong(
        key,
        variable,
        entry.secret && !isSecret(variable) ? "Its value isn't of the right form." : complaint,
      );
    return { value: valueOf(variable, entry.value, entry.secret), origin: "stack" };
  }
  const fallback =
    variable.kind === "secretFile" ? undefined : valueFor<string | number | Reference>(variable.default, environment);
  if (fallback !== undefined) {
    if (isReference(fallback)) return { value: { kind: "reference", reference: fallback }, origin: "default" };
    return { value: valueOf(variable, String(fallback), false), origin: "default" };
  }
  if (!isRequired(variable, environment)) return undefined;
  return {
    where: key,
    what: `It has no value, and ${environment} stacks need one.`,
    ...(variable.about === undefined ? {} : { why: variable.about }),
    fix: setCommand(key, isSecret(variable), exampleOf(variable)) + (variable.kind === "secretFile" ? " < FILE" : ""),
  };
}

function valueOf(variable: Variable, value: string, secret: boolean): Value {
  if (variable.kind === "secretFile") {
    return { kind: "secretFile", content: value, rewritten: variable.rewritten ?? false };
  }
  return { kind: secret || isSecret(variable) ? "secret" : "plain", value };
}

function wrong(key: string, variable: Variable, complaint: string): Problem {
  return {
    where: key,
    what: complaint,
    ...(variable.about === undefined ? {} : { why: variable.about }),
    fix: setCommand(key, isSecret(variable), exampleOf(variable)),
  };
}

/** What is wrong with a value; never quotes a secret one. */
function complaintAbout(variable: Variable, value: string): string | undefined {
  if (value.includes("\0")) return "It holds a NUL character, which no environment can carry.";
  switch (variable.kind) {
    case "text":
      if (variable.pattern === undefined || variable.pattern.test(value)) return undefined;
      return `"${value}" doesn't have the form ${variable.pattern.source}.`;
    case "url":
      try {
        urlParser(...variable.schemes)(value);
        return undefined;
      } catch (error) {
        return (error as Error).message;
      }
    case "secret":
      if (value.trim() === "") return "It is empty.";
      if (value.length < (variable.minLength ?? 1)) return `It is shorter than ${variable.minLength ?? 1} characters.`;
      return undefined;
    case "secretFile":
      return value.trim() === "" ? "The file is empty." : undefined;
    case "oneOf": {
      if (variable.choices.includes(value)) return undefined;
      const near = closest(value, variable.choices);
      const hint = near === undefined ? "" : ` Did you mean "${near}"?`;
      return `"${value}" isn't one of ${listOf(variable.choices)}.${hint}`;
    }
    case "number": {
      const number = Number(value);
      if (value.trim() === "" || !Number.isFinite(number)) return `"${value}" isn't a number.`;
      if (variable.min !== undefined && number < variable.min) return `${value} is less than ${variable.min}.`;
      if (variable.max !== undefined && number > variable.max) return `${value} is more than ${variable.max}.`;
      return undefined;
    }
  }
}

function exampleOf(variable: Variable): string | undefined {
  if (variable.kind === "oneOf") return variable.choices[0];
  if (variable.kind === "text") return variable.example;
  return undefined;
}

/** The public port of a service in this stack. */
export function publicPort(settings: AppSettings, service: { name: string; port?: number }): number | undefined {
  return settings.ports[service.name] ?? service.port;
}
