import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ask, GitHubError, patiently, type Repository } from "./api";
import { refused, type Report } from "./report";
import { annotate, needed, repository, runUrl, start, summarize } from "./runner";
import { commentLimit, previewsText } from "./text";

/** The first line of our comment, by which the next run finds it. GitHub doesn't show it. */
export const marker = "<!-- homeport: previews of this pull request -->";
/** Who writes with a job's own token. */
const author = "github-actions[bot]";

interface Comment {
  readonly id: number;
  readonly body?: string;
  readonly user: { readonly login: string } | null;
}

/**
 * Writes the one comment of a pull request: edits ours if it is there, else makes it. What somebody else wrote is left
 * alone, also where it quotes ours. Done again from its beginning after a lost answer, it still makes one.
 * @returns the comment's id
 */
export async function writeComment(at: Repository, pull: string, body: string, pauseMs?: number): Promise<number> {
  return patiently(async () => {
    const mine = await ownComment(at, pull);
    const path = mine === undefined ? `issues/${pull}/comments` : `issues/comments/${mine}`;
    const { body: written } = await ask(at, mine === undefined ? "POST" : "PATCH", path, { body });
    return (written as Comment).id;
  }, pauseMs);
}

async function ownComment(at: Repository, pull: string): Promise<number | undefined> {
  let page: string | undefined = `issues/${pull}/comments?per_page=100`;
  while (page !== undefined) {
    const { body, next } = await ask(at, "GET", page);
    const mine = (body as Comment[]).find(
      (comment) => comment.user?.login === author && comment.body?.startsWith(marker) === true,
    );
    if (mine !== undefined) return mine.id;
    page = next;
  }
  return undefined;
}

/** The reports that the jobs before this one left, `<folder>/preview-<stack>/report.json`, one for each stack. */
export function reportsIn(folder: string, stacks: readonly string[]): Report[] {
  return stacks.map((stack) => {
    const file = join(folder, `preview-${stack}`, "report.json");
    if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8")) as Report;
    return refused(stack, "There is no preview: its job ended before it had one. The run's log says why.");
  });
}

async function main([folder = "", ...stacks]: string[]): Promise<number> {
  const commit = needed("COMMIT").slice(0, 12);
  const heading = `${marker}\n## What merging ${commit} would change`;
  const footer = `Nothing was touched. [The run](${runUrl()}) has all of it; \`main\` is previewed again before it is deployed.`;
  const text = previewsText(reportsIn(folder, stacks), { heading, run: runUrl(), footer }, commentLimit);
  try {
    await writeComment(repository(), needed("PULL_REQUEST"), text);
    return 0;
  } catch (error) {
    if (!(error instanceof GitHubError)) throw error;
    summarize(text);
    const fix = "let workflows write: the repository's Settings, Actions, General, Workflow permissions";
    const why = error.status === 403 ? `${error.message}\nfix: ${fix}` : error.message;
    annotate("warning", "The comment could not be written; the previews are in the run's summary", why);
    return error.status === 403 ? 0 : 1;
  }
}

if (require.main === module) start(main);
