import { parseArgs, type ParseArgsConfig } from "node:util";
import { didYouMean } from "../components/problems";
import { closest } from "../components/values/closest";
import { UsageError } from "./errors";
import { commonOptions, verbs, type OptionSpec, type Verb } from "./verbs";

/** What a command line asks for. */
export type Call =
  | { readonly kind: "help"; readonly verb: Verb | undefined }
  | { readonly kind: "version" }
  | {
      readonly kind: "verb";
      readonly verb: Verb;
      readonly positionals: readonly string[];
      /** What follows `--`. */
      readonly rest: readonly string[];
      readonly flags: ReadonlySet<string>;
      readonly values: ReadonlyMap<string, string>;
    };

/**
 * Reads the arguments after `homeport`.
 * @throws UsageError with the nearest right name where one is unknown
 */
export function parseCall(argv: readonly string[]): Call {
  const dashes = argv.indexOf("--");
  const own = dashes === -1 ? argv : argv.slice(0, dashes);
  const rest = dashes === -1 ? undefined : argv.slice(dashes + 1);
  const { words, options } = split(own);
  const [name, ...positionals] = words;
  const asked = new Map(options.map((option) => [option.name, option]));
  if (asked.has("version")) return { kind: "version" };
  if (name === undefined || name === "help") {
    const [about] = positionals;
    return { kind: "help", verb: about === undefined ? undefined : verbNamed(about) };
  }
  const verb = verbNamed(name);
  if (asked.has("help")) return { kind: "help", verb };
  const see = `homeport help ${verb.name}`;
  const flags = new Set<string>();
  const values = new Map<string, string>();
  for (const option of options) {
    const spec = specOf(verb, option.name);
    if (spec === undefined) throw unknownOption(verb, option.rawName, option.name);
    if (spec.value === undefined) {
      if (option.value !== undefined) throw new UsageError(`${option.rawName} takes no value.`, see);
      flags.add(option.name);
    } else if (option.value === undefined || option.value === "") {
      throw new UsageError(`${option.rawName} needs a value, ${spec.value}.`, see);
    } else values.set(option.name, option.value);
  }
  checkCount(verb, positionals, rest);
  return { kind: "verb", verb, positionals, rest: rest ?? [], flags, values };
}

interface Option {
  readonly name: string;
  readonly rawName: string;
  readonly value: string | undefined;
}

/** All options of all verbs have one meaning, so that they may stand before the verb, too. */
function split(argv: readonly string[]): { words: string[]; options: Option[] } {
  const specs = new Map<string, OptionSpec>(
    [commonOptions, ...verbs.map((verb) => verb.options)].flatMap((one) => Object.entries(one)),
  );
  const options: NonNullable<ParseArgsConfig["options"]> = {};
  for (const [name, { value, short }] of specs) {
    options[name] = { type: value === undefined ? "boolean" : "string", ...(short === undefined ? {} : { short }) };
  }
  // Not strict: its messages are for programmers. What it lets through is checked above.
  const { tokens } = parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true });
  const words: string[] = [];
  const found: Option[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") words.push(token.value);
    else if (token.kind === "option") found.push({ name: token.name, rawName: token.rawName, value: token.value });
  }
  return { words, options: found };
}

function verbNamed(name: string): Verb {
  const found = verbs.find((verb) => verb.name === name);
  if (found !== undefined) return found;
  const near = closest(
    name,
    verbs.map((verb) => verb.name),
  );
  throw new UsageError(`There is no verb "${name}"${didYouMean(near)}`);
}

const specOf = (verb: Verb, name: string): OptionSpec | undefined => {
  const specs: Readonly<Record<string, OptionSpec>> = { ...commonOptions, ...verb.options };
  return Object.hasOwn(specs, name) ? specs[name] : undefined;
};

function unknownOption(verb: Verb, rawName: string, name: string): UsageError {
  const near = closest(name, Object.keys({ ...commonOptions, ...verb.options }));
  const hint =
    near === undefined && verb.rest !== undefined
      ? `; what is meant for the ${verb.name === "run" ? "command" : "program"} goes after --`
      : didYouMean(near === undefined ? undefined : `--${near}`);
  return new UsageError(
    `homeport ${verb.name} has no option ${rawName}${hint.endsWith(".") || hint.endsWith("?") ? hint : `${hint}.`}`,
    `homeport help ${verb.name}`,
  );
}

function checkCount(verb: Verb, positionals: readonly string[], rest: readonly string[] | undefined): void {
  const see = `homeport help ${verb.name}`;
  const missing = verb.positionals.slice(positionals.length).find(({ optional }) => optional !== true);
  if (missing !== undefined) throw new UsageError(`homeport ${verb.name} needs <${missing.name}>.`, see);
  const extra = positionals[verb.positionals.length];
  if (extra !== undefined) {
    const hint = verb.rest === undefined ? "" : "; what is meant for the program goes after --";
    throw new UsageError(`"${extra}" is one argument too many for homeport ${verb.name}${hint}.`, see);
  }
  if (verb.rest === undefined && rest !== undefined) {
    throw new UsageError(`homeport ${verb.name} takes nothing after --.`, see);
  }
  if (verb.rest !== undefined && verb.rest.optional !== true && (rest ?? []).length === 0) {
    throw new UsageError(`homeport ${verb.name} needs its ${verb.rest.name} after --.`, see);
  }
}
