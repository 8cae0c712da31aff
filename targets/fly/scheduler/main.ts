import { keepSchedules } from "./keep";
import { Own } from "./own";
import { runVerb } from "./verbs";
import { schedulerFolder } from "./schedule";

/**
 * The program of the scheduler's machine. It is bundled into one file, so that nothing has to be installed there. Without
 * arguments it keeps the schedules; with them it does one thing that a person asked for.
 */
async function main(): Promise<void> {
  const [verb, ...words] = process.argv.slice(2);
  const folder = process.env.HOMEPORT_SCHEDULE ?? schedulerFolder;
  const own = new Own(folder, process.env, (line) => void process.stdout.write(`${line}\n`));
  if (verb === undefined) await keepSchedules(own);
  else process.exitCode = await runVerb(own, verb, words);
}

void main().catch((error: unknown) => {
  process.stdout.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
