import { readFileSync } from "node:fs";
import { withoutCredentials } from "./masks";
import { preview, pulumi } from "./pulumi";
import type { Report } from "./report";
import { annotate, runUrl, SetUpError, start, summarize, withoutCommands } from "./runner";
import { countsOf, fullText, previewsText, summaryLimit } from "./text";

/** Lines of a failed deploy that its summary repeats. */
const tail = 60;

/**
 * Deploys a stack. Given the report of a preview, only if a deploy would still do what that one shows: who approves it
 * approves that and nothing else.
 */
async function main([stack, file]: string[]): Promise<number> {
  if (stack === undefined) throw new SetUpError("usage: up.ts STACK [FILE]");
  const approved = file === undefined ? undefined : (JSON.parse(readFileSync(file, "utf8")) as Report);
  const now = await preview(stack);
  await withoutCommands(() => process.stdout.write(fullText(now)));
  if (now.refusal !== undefined) return stop(now, `${stack} can't be deployed`, now.refusal);
  if (approved !== undefined && now.fingerprint !== approved.fingerprint) {
    return stop(now, `${stack} isn't deployed`, movedOn);
  }
  const { code, stdout, stderr } = await withoutCommands(() =>
    pulumi(["up", "--yes", "--skip-preview", "--stack", stack], (text) => process.stdout.write(text)),
  );
  if (code === 0) {
    summarize(`## ${stack} is deployed\n\n${countsOf(now)}.`);
    return 0;
  }
  const last = withoutCredentials(`${stdout}\n${stderr}`).trimEnd().split("\n").slice(-tail).join("\n");
  return stop({ ...now, refusal: `${last}\n\n${whatToDo(stack)}` }, `The deploy of ${stack} failed`, whatToDo(stack));
}

function stop(report: Report, title: string, text: string): number {
  const told = report.refusal === undefined ? { ...report, refusal: text } : report;
  summarize(previewsText([told], { heading: `## ${title}`, run: runUrl(), footer: "" }, summaryLimit));
  annotate("error", title, text);
  return 1;
}

const movedOn = `What a deploy would do is no longer what was approved. Nothing was touched.
   why: The stack, an app's source or the cloud has changed since the preview of this run.
   fix: run all jobs of this workflow again, and approve the new preview`;

const whatToDo = (stack: string): string => `An app whose new version fails goes on with the version before it.
   see: npx homeport status --stack ${stack}
   fix: mend what the log names and merge it, or run this job again: a deploy takes up what an earlier one began.
        If the stack is locked by a run that is gone: pulumi cancel --stack ${stack}`;

if (require.main === module) start(main);
