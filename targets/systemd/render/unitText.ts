import { hex, refuseNul } from "./quote";

/** One line of a unit, `Key=value`. The value is final: specifiers and quotes are already as systemd reads them. */
export type Setting = readonly [key: string, value: string];
export type Section = readonly [name: string, settings: readonly Setting[]];

/** A unit file, per systemd.syntax(7). */
export function unitText(about: string, sections: readonly Section[]): string {
  const body = sections.map(([name, settings]) => `[${name}]\n${settings.map(line).join("")}`);
  return `# ${oneLine(about)}\n# Written by Homeport: a change made here is lost with the next deploy.\n\n${body.join("\n")}`;
}

function line([key, value]: Setting): string {
  // A raw line break would end the setting and let the rest of a value pass as settings of its own.
  if (/[\n\r\0]/.test(value)) throw new Error(`${key}= of a unit holds a line break or NUL: ${JSON.stringify(value)}.`);
  return `${key}=${value}\n`;
}

/** Text for people, as `Description=` takes it. */
export const oneLine = (text: string): string => text.replace(/\s+/g, " ").trim();
export const description = (text: string): Setting => ["Description", specifiers(oneLine(text))];

/** `%` is systemd's own sign in most settings (systemd.unit(5), Specifiers). */
const specifiers = (text: string): string => text.replaceAll("%", "%%");

/** A word of `ExecStart=` that keeps what systemd replaces in it: `%i`, `${PORT}`. For text of ours alone. */
export interface Raw {
  readonly raw: string;
}
export type Word = string | Raw;
export const raw = (text: string): Raw => ({ raw: text });

/**
 * A command line for `ExecStart=` and its kin whose arguments arrive exactly as given (systemd.service(5), Command
 * Lines): `%` and `$` are doubled against specifiers and variables, the rest is escaped as in C.
 */
export const execLine = (words: readonly Word[], prefix = ""): string => prefix + words.map(execWord).join(" ");

function execWord(word: Word): string {
  if (typeof word !== "string") return word.raw;
  return quoted(specifiers(word).replaceAll("$", "$$$$"));
}

/** An assignment for `Environment=`, in which `$` means nothing (systemd.exec(5)). */
export const assignment = (name: string, value: string): Setting => [
  "Environment",
  quoted(specifiers(`${name}=${value}`)),
];

function quoted(text: string): string {
  refuseNul(text);
  if (/^[A-Za-z0-9_@%$+=:,./-]+$/.test(text)) return text;
  const escaped = text.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n").replaceAll("\t", "\\t");
  // eslint-disable-next-line no-control-regex
  return `"${escaped.replace(/[\u0000-\u001f\u007f]/g, (c) => `\\x${hex(c)}`)}"`;
}

/** A path that settings with lists and colons (`BindPaths=`) take as it is. */
export function settingPath(path: string): string {
  if (/^\/[A-Za-z0-9_@+=,./-]*$/.test(path)) return path;
  throw new Error(
    `The path ${JSON.stringify(path)} can't be bound into a unit: it has to be absolute, of letters, digits and _ @ + = , . / - only. Choose another path.`,
  );
}
