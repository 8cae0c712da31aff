import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { byRun } from "./byHand";
import { preview } from "./pulumi";
import { annotate, runUrl, SetUpError, start, summarize, withoutCommands } from "./runner";
import { fullText, previewsText, summaryLimit } from "./text";

/**
 * Previews a stack, shows it in the log and on the run's page, and leaves the report in a file for the jobs after it. With
 * `deploy`, what a run can't deploy is refused.
 */
async function main([stack, file, purpose]: string[]): Promise<number> {
  if (stack === undefined || file === undefined) throw new SetUpError("usage: preview.ts STACK FILE [deploy]");
  const found = await preview(stack);
  const report = purpose === "deploy" ? byRun(found) : found;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(report, null, 2));
  await withoutCommands(() => process.stdout.write(fullText(report)));
  const frame = { heading: `## Preview of ${stack}`, run: runUrl(), footer: "Nothing was touched." };
  summarize(previewsText([report], frame, summaryLimit));
  if (report.refusal === undefined) return 0;
  annotate("error", `${stack} can't be deployed`, report.refusal);
  return 1;
}

if (require.main === module) start(main);
