/** Rows under a head, columns padded to their widest cell, indented by two. No lines for no rows. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [];
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => lengthOf(row[column] ?? ""))));
  return all.map((row) =>
    `  ${head.map((_, column) => pad(row[column] ?? "", widths[column] ?? 0)).join("  ")}`.trimEnd(),
  );
}

/** Characters as people count them; what a terminal would read as an instruction counts for nothing. */
const lengthOf = (text: string): number => Array.from(text.replace(colours, "")).length;
const pad = (text: string, width: number): string => text + " ".repeat(Math.max(0, width - lengthOf(text)));

// eslint-disable-next-line no-control-regex -- the control sequences of a terminal are what it is about
const colours = /\u001b\[[0-9;]*m/g;

export type Paint = (text: string, colour: "red" | "yellow" | "green") => string;

/** Colours for a terminal, none otherwise or where NO_COLOR is set (no-color.org). */
export function painter(terminal: boolean, env: NodeJS.ProcessEnv = process.env): Paint {
  if (!terminal || (env["NO_COLOR"] ?? "") !== "") return (text) => text;
  const codes = { red: 31, yellow: 33, green: 32 };
  return (text, colour) => `\u001b[${codes[colour]}m${text}\u001b[0m`;
}
