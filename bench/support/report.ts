import type { Sample } from "./stats";

/** A line of a table: cells of text, or of what was measured. */
export type Row = readonly (string | number | Sample)[];

/** What one table shows. */
export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly Row[];
}

/** What a benchmark found. */
export interface Finding {
  readonly title: string;
  readonly tables: readonly Table[];
  /** Sentences: what a figure is in proportion to its peer or floor, and to its goal. */
  readonly notes: readonly string[];
}

/** A number with about three digits that say something. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  return value.toFixed(size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : 2);
}

function cell(value: string | number | Sample): string {
  if (typeof value === "string") return value;
  if (typeof value === "number") return digits(value);
  if (value.runs === 1) return digits(value.median);
  return `${digits(value.median)} (${digits(value.min)} to ${digits(value.max)}, ${value.runs} runs)`;
}

/** A table in Markdown, its columns as wide as they need to be. */
export function tableText({ head, rows }: Table): string {
  const cells = [[...head], ...rows.map((row) => row.map(cell))];
  const widths = head.map((_, column) => Math.max(3, ...cells.map((line) => (line[column] ?? "").length)));
  const lines = cells.map((line) => `| ${line.map((text, column) => text.padEnd(widths[column] ?? 0)).join(" | ")} |`);
  lines.splice(1, 0, `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`);
  return lines.join("\n");
}

/** A finding as a section of Markdown. */
export function findingText({ title, tables, notes }: Finding): string {
  return [
    `## ${title}`,
    ...tables.map(tableText),
    ...(notes.length === 0 ? [] : [notes.map((n) => `- ${n}`).join("\n")]),
  ].join("\n\n");
}

/** `1.42 times` of two quantities' medians. */
export function times(one: Sample | number, other: Sample | number): number {
  const of = (value: Sample | number): number => (typeof value === "number" ? value : value.median);
  return of(one) / of(other);
}
