import { RehearsalError } from "../rehearsal/host/run";
import type { RehearsedStack } from "../rehearsal/stack";
import { mustUp, type Lab } from "./support/lab";
import { watched, type Use } from "./support/memory";
import { digits, times, type Finding } from "./support/report";
import { interleave, sampleOf, type Sample } from "./support/stats";

const parts = ["engine", "program", "plugins", "driver", "ssh", "other"];

async function up(stack: RehearsedStack): Promise<Use> {
  const use = await watched(stack, ["up", "--yes", "--skip-preview"]);
  if (use.code !== 0)
    throw new RehearsalError(`\`pulumi up\` ended with code ${use.code}:\n${use.output.slice(-4000)}`);
  return use;
}

/** The most memory that an `up` takes, all its processes together. */
export async function memory(lab: Lab): Promise<Finding> {
  const { stack, firstUp } = await lab.fiveApps();
  const empty = await lab.program("empty");
  await mustUp(empty);
  await mustUp(stack);
  const uses = await interleave(3, {
    "empty program, no-op": () => up(empty),
    "five apps, no-op": () => up(stack),
    "five apps, one changed": () => {
      lab.change("catscan");
      return up(stack);
    },
  });
  uses["five apps, all new"] = [firstUp];
  const total = (name: string): Sample => sampleOf((uses[name] ?? []).map(({ peak }) => peak.all));
  const rows = Object.entries(uses).map(([name, each]) => [
    name,
    total(name),
    ...parts.map((part) => sampleOf(each.map(({ peak }) => peak.parts.get(part) ?? 0)).median),
  ]);
  const floor = total("empty program, no-op");
  return {
    title: "Peak memory of `up`, MiB resident",
    tables: [{ head: ["", "all at one moment", ...parts], rows }],
    notes: [
      `a no-op takes ${digits(times(total("five apps, no-op"), floor))} times the empty program's memory, a changed app ${digits(times(total("five apps, one changed"), floor))} times, five new apps ${digits(times(total("five apps, all new"), floor))} times`,
      "sampled every 50 ms; each part at its own peak; pages that processes share count once for each",
    ],
  };
}
