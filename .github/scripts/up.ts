import { readFileSync } from "node:fs";
import { byRun } from "./byHand";
import { withoutCredentials } from "./masks";
import { preview, pulumi } from "./pulumi";
import type { Report } from "./report";
import { annotate, SetUpError, start, summarize, withoutCommands } from "./runner";
import { countsOf, fullText, quotedText } from "./text";

/**
 * Deploys a stack. Given the report of a preview, only if a deploy would still do what that one shows: who approves it
 * approves that and nothing else.
 */
async function main([stack, file]: string[]): Promise<number> {
  if (stack === undefined) throw new SetUpError("usage: up.ts STACK [FILE]");
  const approved = file === undefined ? undefined : (JSON.parse(readFileSync(file, "utf8")) as Report);
  const now = byRun(await preview(stack));
  await withoutCommands(() => process.stdout.write(fullText(now)));
  if (now.refusal !== undefined) return stop(`${stack} can't be deployed`, now.refusal);
  if (approved !== undefined && now.fingerprint !== approved.fingerprint) {
    return stop(`${stack} isn't deployed`, movedOn);
  }
  const { code, stdout, stderr } = await withoutCommands(() =>
    pulumi(["up", "--yes", "--skip-preview", "--stack", stack], (text) => process.stdout.write(text)),
  );
  if (code === 0) {
    summarize(`## ${stack} is deployed\n\n${countsOf(now)}.`);
    return 0;
  }
  // Without the lines of its progress, which the log has.
  const text = withoutCredentials(`${stderr}\n${stdout}`);
  const end = text.slice(Math.max(0, text.indexOf("\nDiagnostics:"))).trim();
  return stop(`The deploy of ${stack} failed`, `${end}\n\n${whatToDo(stack)}`, whatToDo(stack));
}

/** Tells why a deploy ends here: all of it on the run's page, and the short of it at its top. */
function stop(title: string, text: string, short = text): number {
  summarize(quotedText(`## ${title}`, text));
  annotate("error", title, short);
  return 1;
}

const movedOn = `What a deploy would do is no longer what was approved. Nothing was touched.
   why: The stack, an app's source or the cloud has changed since the preview of this run.
   fix: run all jobs of this workflow again, and approve the new preview`;

const whatToDo = (stack: string): string => `An app whose new version fails goes on with the version before it.
   see: npx homeport status --stack ${stack}
   fix: mend what the log names and merge it, or run all jobs of this workflow again: a deploy takes up what an earlier
        one began. If the stack is locked by a run that is gone: pulumi cancel --stack ${stack}`;

if (require.main === module) start(main);
