import type { Field } from "./fields";
import { visible } from "./masks";
import { kinds, type Change, type Kind, type Report } from "./report";

/** The most characters that GitHub takes as a comment; it answers 422 to more. */
export const commentLimit = 65_536;
/** Characters, of at most three bytes. A step's summary may have 1 MiB: "Adding a job summary" of GitHub's documentation. */
export const summaryLimit = 300_000;

const longestLine = 2_000;
const clipped = (line: string): string => (line.length > longestLine ? `${line.slice(0, longestLine)}…` : line);

/** GitHub colours lines of a `diff` by how they begin. */
const marks: Readonly<Record<Kind, string>> = { delete: "-", replace: "!", update: "!", create: "+", other: "#" };

/** Where the whole of it can be read, and what a merge would do with it. */
export interface Frame {
  /** The line above all stacks. */
  readonly heading: string;
  /** Address of the run. */
  readonly run: string;
  /** The last line. */
  readonly footer: string;
}

/** One line on a stack: `2 to delete, 1 to create, 40 unchanged`. */
export function countsOf({ changes, unchanged, refusal }: Report): string {
  if (refusal !== undefined) {
    const [first = ""] = refusal.split("\n");
    const problems = /: (\d+ problems?)\./.exec(first)?.[1];
    return problems === undefined ? "refused" : `refused, ${problems}`;
  }
  const counted = kinds.flatMap((kind) => {
    const count = changes.filter((change) => change.kind === kind).length;
    return count === 0 ? [] : [kind === "other" ? `${count} otherwise touched` : `${count} to ${kind}`];
  });
  return [...(counted.length === 0 ? ["no change"] : counted), `${unchanged} unchanged`].join(", ");
}

/** Every change of a stack, or why it is refused, line by line. */
export const linesOf = ({ changes, refusal }: Report): string[] =>
  safeLines(refusal ?? changes.flatMap(changeLines).join("\n"));

/** Without what would hide or turn text around, or take the room of everything else. */
const safeLines = (text: string): string[] =>
  visible(text)
    .split("\n")
    .map((line) => clipped(line.replaceAll(/`{20,}/g, "`…`")));

/** A stack's counts and list, for a log. */
export const fullText = (report: Report): string =>
  [`${report.stack}: ${countsOf(report)}`, ...linesOf(report)].join("\n");

function changeLines({ kind, urn, fields }: Change): string[] {
  const [type = "", name = ""] = urn.split("::").slice(2);
  // The type's last part is the resource's own; those before it are its parents'.
  const line = `${marks[kind]} ${kind.padEnd(8)}${name} (${type.split("$").at(-1) ?? type})`;
  return [line, ...fields.map((field) => `            ${fieldText(field)}`)];
}

function fieldText({ path, before, after }: Field): string {
  if (before === undefined && after === undefined) return path;
  if (before === after) return `${path}: ${before ?? ""}, another one`;
  if (before === undefined) return `${path}: ${after ?? ""}, new`;
  return after === undefined ? `${path}: ${before}, gone` : `${path}: ${before} -> ${after}`;
}

/**
 * The stacks' previews as Markdown of at most `limit` characters: the counts of all, then the lists, each cut where
 * there is no room, so that none is crowded out by another.
 */
export function previewsText(reports: readonly Report[], frame: Frame, limit: number): string {
  const cut = (rooms: readonly number[]): string =>
    [
      ...[frame.heading, "", "| stack | preview |", "| --- | --- |"],
      ...reports.map((report) => `| ${report.stack} | ${countsOf(report)} |`),
      ...reports.flatMap((report, index) => listText(report, rooms[index] ?? 0, frame.run)),
      ...["", frame.footer],
    ].join("\n");
  const nothing = reports.map(() => 0);
  const lengths = reports.map((report) => linesOf(report).reduce((total, line) => total + line.length + 1, 0));
  return cut(shares(lengths, limit - cut(nothing).length));
}

/** Shares room out evenly; what one doesn't need goes to the others. */
export function shares(needs: readonly number[], room: number): number[] {
  const given = needs.map(() => 0);
  let left = Math.max(0, room);
  const bySize = needs.map((need, index) => ({ need, index })).sort((one, two) => one.need - two.need);
  for (const [done, { need, index }] of bySize.entries()) {
    given[index] = Math.min(need, Math.floor(left / (bySize.length - done)));
    left -= given[index] ?? 0;
  }
  return given;
}

/** A stack's list, with `room` characters for its lines. */
function listText(report: Report, room: number, run: string): string[] {
  const lines = linesOf(report);
  if (report.refusal === undefined && report.changes.length === 0) return [];
  let size = 0;
  const cut = lines.findIndex((line) => (size += line.length + 1) > room);
  const shown = cut === -1 ? lines : lines.slice(0, cut);
  return [
    ...["", `### ${report.stack}: ${countsOf(report)}`, ""],
    ...block(report.refusal === undefined ? "diff" : "text", shown, fenceOf(lines)),
    ...(shown.length === lines.length ? [] : [`${lines.length - shown.length} more lines: [the whole list](${run})`]),
  ];
}

/** Text of others under a heading; nothing in it ends the block that it stands in. */
export function quotedText(heading: string, text: string): string {
  const lines = safeLines(text);
  return [heading, "", ...block("text", lines, fenceOf(lines))].join("\n");
}

const block = (language: string, lines: readonly string[], fence: string): string[] => [
  `${fence}${language}`,
  ...lines,
  fence,
];

const fenceOf = (lines: readonly string[]): string => {
  const runs = [...lines.join("\n").matchAll(/`+/g)].map(([ticks]) => ticks.length);
  return "`".repeat(Math.max(2, ...runs) + 1);
};
