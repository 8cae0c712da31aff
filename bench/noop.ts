import { readFileSync } from "node:fs";
import { join } from "node:path";
import { countsOf } from "../rehearsal/stack";
import { mustUp, type FiveApps, type Lab } from "./support/lab";
import { digits, times, type Finding } from "./support/report";
import { interleave, sampleOf, secondsOf } from "./support/stats";

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
  const seconds = await interleave(7, {
    five: () =>
      secondsOf(async () => {
        const counts = countsOf(await mustUp(apps.stack));
        unchanged = counts.unchanged ?? 0;
        if (Object.keys(counts).some((what) => what !== "unchanged"))
          throw new Error("An unchanged `up` changed something.");
      }),
    empty: () => secondsOf(() => mustUp(empty)),
  });
  const after = { requests: requestsTo(apps), sessions: await sessionsOf(apps) };
  const five = sampleOf(seconds.five ?? []);
  const floor = sampleOf(seconds.empty ?? []);
  return {
    title: "No-op `up`",
    tables: [
      {
        head: ["", "seconds"],
        rows: [
          [`five apps, ${unchanged} resources unchanged`, five],
          ["empty program with the same plugins", floor],
        ],
      },
    ],
    notes: [
      `${digits(times(five, floor))} times the empty program (goal: at most 1.15)`,
      `In these ${five.runs} runs ${after.sessions - before.sessions} SSH sessions of the host's sshd and ` +
        `${after.requests - before.requests} requests to the S3 emulator; bringing the apps up took ${before.sessions} and ${before.requests}.`,
    ],
  };
}
