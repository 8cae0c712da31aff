import { readFileSync } from "node:fs";
import { join } from "node:path";
import { countsOf } from "../rehearsal/stack";
import { RehearsalError } from "../rehearsal/host/run";
import { costOf } from "./support/cpu";
import { mustUp, type FiveApps, type Lab } from "./support/lab";
import { digits, times, type Finding } from "./support/report";
import { interleave, sampleOf } from "./support/stats";

/** Requests that moto has answered: its log has a line each, as werkzeug writes them. */
function requestsTo(apps: FiveApps): number {
  const log = readFileSync(join(apps.site.folder, "s3", "moto.log"), "utf8");
  return log.split("\n").filter((line) => / HTTP\/1\.[01]" \d{3}/.test(line)).length;
}

/** SSH sessions that the host's sshd has let in. */
async function sessionsOf(apps: FiveApps): Promise<number> {
  return (await apps.host.sshLog()).split("\n").filter((line) => line.startsWith("Accepted ")).length;
}

/** `up` of five unchanged apps beside an `up` of next to nothing, with the same plugins. */
export async function noop(lab: Lab): Promise<Finding> {
  const apps = await lab.fiveApps();
  const empty = await lab.program("empty");
  await mustUp(empty);
  await mustUp(apps.stack);
  const before = { requests: requestsTo(apps), sessions: await sessionsOf(apps) };
  let unchanged = 0;
  const up = ["up", "--yes", "--skip-preview"];
  const costs = await interleave(7, {
    five: async () => {
      const cost = await costOf(apps.stack, up);
      const counts = countsOf(cost.output);
      unchanged = counts.unchanged ?? 0;
      const changed = Object.keys(counts).some((what) => what !== "unchanged");
      if (changed) throw new RehearsalError(`An \`up\` without a change changed something:\n${cost.output}`);
      return cost;
    },
    empty: () => costOf(empty, up),
  });
  const after = { requests: requestsTo(apps), sessions: await sessionsOf(apps) };
  const sample = (name: string, kind: "seconds" | "cpu") => sampleOf((costs[name] ?? []).map((cost) => cost[kind]));
  const ratio = (kind: "seconds" | "cpu"): string => digits(times(sample("five", kind), sample("empty", kind)));
  return {
    title: "No-op `up`",
    tables: [
      {
        head: ["", "seconds", "seconds of CPU"],
        rows: [
          [`five apps, ${unchanged} resources unchanged`, sample("five", "seconds"), sample("five", "cpu")],
          ["empty program with the same plugins", sample("empty", "seconds"), sample("empty", "cpu")],
        ],
      },
    ],
    notes: [
      `${ratio("seconds")} times the empty program by the clock (goal: at most 1.15), ${ratio("cpu")} times by CPU`,
      `In these ${costs.five?.length ?? 0} runs ${after.sessions - before.sessions} SSH sessions of the host's sshd and ` +
        `${after.requests - before.requests} requests to the S3 emulator; bringing the apps up took ${before.sessions} and ${before.requests}.`,
    ],
  };
}
