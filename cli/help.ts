import { commonOptions, verbs, type OptionSpec, type Verb } from "./verbs";

/** The words of a call, `homeport run <app> <job|command> [-- arguments...]`. */
export function synopsis(verb: Verb): string {
  const words = verb.positionals.map(({ name, optional }) => (optional === true ? `[${name}]` : `<${name}>`));
  const { rest } = verb;
  if (rest !== undefined) words.push(rest.optional === true ? `[-- ${rest.name}...]` : `-- ${rest.name}...`);
  return ["homeport", verb.name, ...words].join(" ");
}

/** What `homeport --help` prints. */
export function overview(): string {
  return [
    "homeport: day-two work on the apps of a stack",
    "",
    ...columns(verbs.map((verb) => [synopsis(verb).slice("homeport ".length), verb.about])),
    "",
    ...optionLines(commonOptions),
    "",
    "Exit codes: 0 done, 1 failed or not well, 2 a call that can't be understood; `run` and `exec` end as their program does.",
    "`homeport help <verb>` tells more.",
  ].join("\n");
}

/** What `homeport help <verb>` prints. */
export function helpFor(verb: Verb): string {
  const lines = [synopsis(verb), "", `${verb.about}.`];
  for (const detail of verb.details) lines.push("", ...wrap(detail, 100));
  lines.push("", ...optionLines({ ...verb.options, ...commonOptions }));
  if (verb.examples.length > 0) lines.push("", "For example:", ...verb.examples.map((example) => `  ${example}`));
  return lines.join("\n");
}

const optionLines = (options: Readonly<Record<string, OptionSpec>>): string[] =>
  columns(
    Object.entries(options).map(([name, { short, value, about }]) => [
      `${short === undefined ? "    " : `-${short}, `}--${name}${value === undefined ? "" : ` ${value}`}`,
      about,
    ]),
  );

function columns(rows: readonly (readonly string[])[]): string[] {
  const width = Math.max(...rows.map(([first = ""]) => first.length));
  return rows.map(([first = "", second = ""]) => `  ${first.padEnd(width)}  ${second}`);
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
