import type { App } from "../components/app";
import type { AppDeclaration } from "../components/declaration";
import { declareApp } from "../components/declare";
import { environments, isReference, valueFor, type Environment, type Reference } from "../components/environment";
import type { Problem } from "../components/problems";
import { resolveEnv, type Resolved } from "../components/resolve";
import type { StackConfig } from "../components/settings";
import { env, isRequired, isSecret, type Variable, type VariableSource } from "../components/variables";
import { table } from "./table";

/** One variable of the environment matrix. Secret values are never in it. */
export interface MatrixRow {
  readonly app: string;
  readonly name: string;
  /** Services and jobs that get it, and databases that need it. */
  readonly parts: readonly string[];
  readonly kind: string;
  readonly required: string;
  readonly dev: string;
  readonly live: string;
  /** What the stack makes of it; left out without a stack. */
  readonly value?: string;
  readonly from?: string;
  readonly about?: string;
}

export interface Matrix {
  readonly rows: readonly MatrixRow[];
  /** What the stack's values lack. */
  readonly problems: readonly Problem[];
}

/** A stack, and the column that it uses. */
export interface MatrixStack {
  readonly config: StackConfig;
  readonly environment: Environment;
}

/**
 * Every variable of an app, from its declaration in both columns, and with a stack what became of it there. None, and why, where
 * the app's file throws.
 */
export function explainApp(app: App, stack?: MatrixStack): Matrix {
  const rows = new Map<string, MatrixRow & { readonly parts: string[] }>();
  const problems = new Map<string, Problem>();
  for (const environment of stack === undefined ? environments : [stack.environment]) {
    const told = declareApp(app, environment);
    if (told.declaration === undefined) return { rows: [], problems: [told.problem] };
    for (const [part, name, source] of variablesOf(told.declaration)) {
      const outcome = stack === undefined ? undefined : inStack(app.name, name, source, stack);
      for (const problem of outcome?.problems ?? []) problems.set(JSON.stringify(problem), problem);
      const row = {
        ...{ app: app.name, name, ...declared(source) },
        ...(outcome === undefined ? {} : { value: outcome.value, from: outcome.from }),
      };
      // What several parts share is one row.
      const key = JSON.stringify(row);
      const known = rows.get(key);
      if (known === undefined) rows.set(key, { ...row, parts: [part] });
      else if (!known.parts.includes(part)) known.parts.push(part);
    }
  }
  return { rows: [...rows.values()].sort((a, b) => a.name.localeCompare(b.name)), problems: [...problems.values()] };
}

function variablesOf(app: AppDeclaration): [part: string, name: string, source: VariableSource][] {
  const entries = [...app.services, ...app.jobs].flatMap(({ name, env: variables = {} }) =>
    Object.entries(variables).map(([variable, source]): [string, string, VariableSource] => [name, variable, source]),
  );
  for (const database of app.databases) {
    if (database.engine !== "external") continue;
    const { name, variable, schemes, about } = database;
    entries.push([name, variable, env.url({ schemes, about, secret: true })]);
  }
  return entries;
}

type Declared = Pick<MatrixRow, "kind" | "required" | "dev" | "live" | "about">;

function declared(source: VariableSource): Declared {
  if (typeof source === "string" || isReference(source)) {
    const text = typeof source === "string" ? `= ${source}` : arrow(source);
    return { kind: "fixed", required: "-", dev: text, live: text };
  }
  const column = (environment: Environment): string => {
    const fallback =
      source.kind === "secretFile" ? undefined : valueFor<string | number | Reference>(source.default, environment);
    if (isReference(fallback)) return arrow(fallback);
    if (fallback !== undefined) return String(fallback);
    return isRequired(source, environment) ? "(to be set)" : "-";
  };
  const required = environments.filter((environment) => isRequired(source, environment));
  return {
    kind: kindOf(source),
    required: required.length === 2 ? "yes" : required.length === 0 ? "no" : `in ${required[0] ?? ""}`,
    dev: column("dev"),
    live: column("live"),
    ...(source.about === undefined ? {} : { about: source.about }),
  };
}

function kindOf(variable: Variable): string {
  switch (variable.kind) {
    case "secretFile":
      return "secret file";
    case "url":
      return variable.secret ? "secret url" : "url";
    case "oneOf":
      return variable.choices.join("|");
    default:
      return variable.kind;
  }
}

const arrow = ({ component, attribute }: Reference): string => `-> ${component}.${attribute}`;

function inStack(
  app: string,
  name: string,
  source: VariableSource,
  { config, environment }: MatrixStack,
): { value: string; from: string; problems: readonly Problem[] } {
  const { env: resolved, problems } = resolveEnv(app, { [name]: source }, config, environment);
  const one = resolved[name];
  if (one !== undefined) return { value: shown(one, source), from: one.origin, problems };
  const set = config.entries.has(`${app}:${name}`);
  if (problems.length > 0) return { value: set ? "(wrong)" : "(missing)", from: set ? "stack" : "-", problems };
  return { value: "-", from: "-", problems };
}

/** Never a secret: neither what the contract calls one, nor what was set with --secret. */
function shown({ value }: Resolved, source: VariableSource): string {
  if (value.kind === "reference") return arrow(value.reference);
  const secret = typeof source !== "string" && !isReference(source) && isSecret(source);
  if (value.kind !== "plain" || secret) return "(set)";
  return value.value === "" ? '""' : value.value;
}

/** The matrix as a table for each app. */
export function explainText(matrices: readonly Matrix[], stack: MatrixStack | undefined): string {
  const blocks = matrices
    .filter(({ rows }) => rows.length > 0)
    .map(({ rows }) => {
      const app = rows[0]?.app ?? "";
      const head = ["variable", "of", "kind", "required", "dev", "live"];
      if (stack !== undefined) head.push(`${stack.config.stack} (${stack.environment})`, "from");
      const cells = rows.map((row) => [
        row.name,
        row.parts.join(" "),
        row.kind,
        row.required,
        short(row.dev),
        short(row.live),
        ...(stack === undefined ? [] : [short(row.value ?? "-"), row.from ?? "-"]),
      ]);
      return [app, ...table(head, cells)].join("\n");
    });
  const problems = matrices.flatMap((one) => one.problems);
  for (const { where, what, fix } of problems) blocks.push(`${where}: ${what}\n  fix: ${fix}`);
  return blocks.join("\n\n");
}

/** One line, of a width that leaves room for the others. */
function short(text: string): string {
  const line = text.replace(/\s+/g, " ");
  return line.length <= 42 ? line : `${line.slice(0, 41)}…`;
}
