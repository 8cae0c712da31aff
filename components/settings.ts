import { didYouMean, type Problem } from "./problems";
import { closest } from "./values/closest";
import { shellQuote } from "./values/shell";

/** The stack's configuration as the engine hands it over: full keys, values as text (objects as JSON), decrypted. */
export interface StackConfig {
  readonly stack: string;
  readonly entries: ReadonlyMap<string, ConfigEntry>;
}
export interface ConfigEntry {
  readonly value: string;
  /** True where it was set with `--secret`. */
  readonly secret: boolean;
}

/** The apps that a stack names a target for, `<app>:target`: what is set for one that has moved stays for its return. */
export const appsWithHomes = ({ entries }: StackConfig): string[] =>
  [...entries.keys()].filter((key) => key.endsWith(":target")).map((key) => key.slice(0, -":target".length));

/** One key of a namespace: how it is told, read and checked. `parse` throws an error whose message says what is wrong. */
export interface Setting<T> {
  readonly about: string;
  readonly example: string;
  readonly secret: boolean;
  readonly fallback: T;
  readonly parse: (text: string) => T;
}
export type Settings = Readonly<Record<string, Setting<unknown>>>;
export type ValuesOf<S extends Settings> = { readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never };

interface Told {
  readonly about: string;
  readonly example: string;
  readonly secret?: boolean;
}

/** Declares a setting. Without `fallback` it is undefined where the stack doesn't set it. */
export function setting<T>(parse: (text: string) => T, told: Told): Setting<T | undefined>;
export function setting<T>(parse: (text: string) => T, told: Told, fallback: T): Setting<T>;
export function setting<T>(parse: (text: string) => T, told: Told, fallback?: T): Setting<T | undefined> {
  return { secret: false, ...told, fallback, parse };
}

/**
 * Reads the settings of a namespace. Every key that can't be read is a problem, and its fallback is returned in its
 * place so that the remaining checks still run.
 */
export function readSettings<S extends Settings>(
  namespace: string,
  settings: S,
  config: StackConfig,
): { values: ValuesOf<S>; problems: Problem[] } {
  const problems: Problem[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, one] of Object.entries(settings)) {
    const key = `${namespace}:${name}`;
    const entry = config.entries.get(key);
    values[name] = one.fallback;
    // Pulumi.yaml can't tell of a key without giving it a value; an empty one says that it isn't set.
    if (entry === undefined || entry.value === "" || entry.value === "[]") continue;
    if (one.secret && !entry.secret) problems.push(plainSecret(key));
    try {
      values[name] = one.parse(entry.value);
    } catch (error) {
      problems.push({
        where: key,
        what: messageOf(error, one.secret),
        why: one.about,
        fix: one.example.startsWith("{")
          ? mapFix(key, config.stack, one.example)
          : setCommand(key, one.secret, one.example),
      });
    }
  }
  return { values: values as ValuesOf<S>, problems };
}

/** A value that must be encrypted lies in the stack file for everyone to read. */
export function plainSecret(key: string): Problem {
  return {
    where: key,
    what: "It is a secret but is stored as plain text.",
    why: "Plain values stand readable in the stack's file and in its state. Whoever could read it has seen it, so change it at its source, too.",
    fix: setCommand(key, true),
  };
}

/** Setting a map as a whole would take its other entries away. */
function mapFix(key: string, stack: string, example: string): string {
  return `correct the entry in Pulumi.${stack}.yaml, or by pulumi config set --path ${key}.<name> <value>; its form is ${example}`;
}

/** The command that sets a key; a secret is asked for, so that it isn't in the shell's history. */
export function setCommand(key: string, secret: boolean, example?: string): string {
  if (secret) return `pulumi config set --secret ${key}`;
  return `pulumi config set ${key} ${example === undefined ? "<value>" : shellQuote(example)}`;
}

/** Namespaces that are read by Pulumi and by the providers that the program uses. */
export const providers = ["pulumi", "aws", "command", "docker", "random"] as const;

/** Keys that nothing reads, each with the nearest right name. */
export function unknownKeys(config: StackConfig, known: ReadonlyMap<string, readonly string[] | "any">): Problem[] {
  const problems: Problem[] = [];
  for (const key of config.entries.keys()) {
    const [namespace, name] = splitKey(key);
    const names = known.get(namespace);
    if ((providers as readonly string[]).includes(namespace)) continue;
    if (names === undefined) {
      const near = closest(namespace, [...known.keys(), ...providers]);
      problems.push(unknown(key, near === undefined ? undefined : `${near}:${name}`));
    } else if (names !== "any" && !names.includes(name)) {
      const near = closest(name, names);
      problems.push(unknown(key, near === undefined ? undefined : `${namespace}:${near}`));
    }
  }
  return problems;
}

function unknown(key: string, near: string | undefined): Problem {
  return {
    where: key,
    what: `Nothing reads this key${didYouMean(near)}`,
    fix: near === undefined ? `pulumi config rm ${key}` : `pulumi config rm ${key} and set ${near} instead`,
  };
}

function splitKey(key: string): [string, string] {
  const at = key.indexOf(":");
  return [key.slice(0, at), key.slice(at + 1)];
}

function messageOf(error: unknown, secret: boolean): string {
  // A parser's message may quote the value.
  if (secret) return "Its value isn't of the right form.";
  return error instanceof Error ? error.message : String(error);
}
