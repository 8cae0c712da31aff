import { randomUUID } from "node:crypto";
import { appendFileSync } from "node:fs";
import type { Repository } from "./api";
import { summaryLimit } from "./text";

/** A mistake in how a workflow is set up: what, why and fix in one text. */
export class SetUpError extends Error {
  override readonly name = "SetUpError";
}

/** A variable that the workflow must give. Actions gives what isn't set as an empty text. */
export function needed(name: string): string {
  const value = given(name);
  if (value === undefined) throw new SetUpError(`The workflow doesn't set ${name}.`);
  return value;
}

export const given = (name: string): string | undefined => process.env[name]?.trim() || undefined;

export const repository = (): Repository => ({
  api: given("GITHUB_API_URL") ?? "https://api.github.com",
  name: needed("GITHUB_REPOSITORY"),
  token: needed("GITHUB_TOKEN"),
});

export const runUrl = (): string =>
  `${needed("GITHUB_SERVER_URL")}/${needed("GITHUB_REPOSITORY")}/actions/runs/${needed("GITHUB_RUN_ID")}`;

/** Adds to what the run's page shows; without a runner, prints it. */
export function summarize(markdown: string): void {
  const file = given("GITHUB_STEP_SUMMARY");
  if (file === undefined) process.stdout.write(`${markdown}\n`);
  else appendFileSync(file, `${markdown.slice(0, summaryLimit)}\n`);
}

/** GitHub shows no more of a note. */
const longestNote = 4_000;

/** A note at the top of the run. Escapes as @actions/core does, so that no text of others becomes a command. */
export function annotate(level: "error" | "warning", title: string, text: string): void {
  const value = (one: string): string => one.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
  const property = value(title).replaceAll(":", "%3A").replaceAll(",", "%2C");
  process.stdout.write(`::${level} title=${property}::${value(text.slice(0, longestNote))}\n`);
}

/** Does work that prints text of others; the runner takes no line of it for a command. */
export async function withoutCommands<T>(work: () => T | Promise<T>): Promise<T> {
  const word = randomUUID();
  process.stdout.write(`::stop-commands::${word}\n`);
  try {
    return await work();
  } finally {
    process.stdout.write(`\n::${word}::\n`);
  }
}

/** Runs a script's `main` with the words after its name, and ends as that says. */
export function start(main: (words: string[]) => Promise<number>): void {
  main(process.argv.slice(2)).then(
    (code) => {
      process.exitCode = code;
    },
    (error: unknown) => {
      const isOurs = error instanceof Error && ["SetUpError", "GitHubError"].includes(error.name);
      annotate("error", "Homeport", isOurs ? error.message : String(error instanceof Error ? error.stack : error));
      process.exitCode = 1;
    },
  );
}
