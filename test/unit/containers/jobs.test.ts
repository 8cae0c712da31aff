import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Cron } from "croner";
import fc from "fast-check";
import { app, cron, Duration, fromStack, node } from "../../../components";
import { quote } from "../../../components/values/shell";
import { exported, jobCommand, jobsScript } from "../../../targets/containers/jobs";

/** The jobs of an app that has them at these times. */
function jobsAt(expressions: readonly string[], command: string | string[] = "true", more: object = {}) {
  const made = app("shop", "A shop", (a) => {
    const service = a.service("web", { source: fromStack(), runtime: node("20"), command: "serve" });
    for (const [index, expression] of expressions.entries())
      a.job(`job-${index}`, { in: service, at: cron(expression), command, ...more });
  });
  return made.declare("dev").jobs;
}

describe("jobs beside a service", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "homeport-jobs-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  /** The script's own idea of which jobs are due at some moments, by a clock that goes from one to the next. */
  const dueAt = (script: string, moments: readonly Date[]): string[][] => {
    const functions = script.slice(0, script.indexOf('if [ "$1" ]')).replace(/^run\(\) \{[^]*?^\}$/m, "");
    const round = script.slice(script.indexOf("  set -- $now"), script.lastIndexOf("done\n"));
    const turns = moments.map((moment) => {
      const two = (number: number): string => String(number).padStart(2, "0");
      const [minute, hour] = [moment.getUTCMinutes(), moment.getUTCHours()];
      const [day, month, weekday] = [moment.getUTCDate(), moment.getUTCMonth() + 1, moment.getUTCDay()];
      return `echo :; now='${[minute, hour, day, month].map(two).join(" ")} ${weekday}'\n${round}`;
    });
    const text = `run() { echo "$1"; }\n${functions}\n${turns.join("\n")}`;
    const { stdout, stderr } = spawnSync("dash", ["-c", text], { encoding: "utf8" });
    assert.equal(stderr, "");
    return stdout
      .split(":\n")
      .slice(1)
      .map((lines) => lines.split("\n").filter((line) => line !== ""));
  };

  it("are due when another program's idea of cron says so", () => {
    const field = (low: number, high: number) =>
      fc.oneof(
        fc.constant("*"),
        fc.integer({ min: low, max: high }).map(String),
        fc
          .tuple(fc.integer({ min: low, max: high }), fc.integer({ min: low, max: high }))
          .map(([a, b]) => (a < b ? `${a}-${b}` : `${b},${a}`)),
      );
    const expression = fc
      .tuple(field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 6))
      .map((fields) => fields.join(" "));
    fc.assert(
      fc.property(
        fc.array(expression, { minLength: 1, maxLength: 4 }),
        fc.array(fc.date({ min: new Date("2026-01-01"), max: new Date("2028-01-01"), noInvalidDate: true }), {
          minLength: 1,
          maxLength: 20,
        }),
        (expressions, drawn) => {
          // Moments at which something is due, too, and the minute after each.
          const meant = expressions.flatMap((one) => new Cron(one, { timezone: "UTC" }).nextRun(drawn[0]) ?? []);
          const moments = [...drawn, ...meant, ...meant.map((moment) => new Date(moment.getTime() + 60_000))].map(
            (moment) => new Date(Math.floor(moment.getTime() / 60_000) * 60_000),
          );
          const found = dueAt(
            jobsScript(jobsAt(expressions), () => ""),
            moments,
          );
          const wanted = moments.map((moment) =>
            expressions.flatMap((one, index) =>
              new Cron(one, { timezone: "UTC" }).match(moment) ? [`job-${index}`] : [],
            ),
          );
          assert.deepEqual(found, wanted);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("run with their variables, once at a time, each line with their name and the end with its code", () => {
    const jobs = jobsAt(["* * * * *"], `echo "$WORD" >&2; exit 3`);
    const script = jobsScript(jobs, () => exported({ WORD: quote('it\'s "fine" $HOME') }));
    // A clock that reaches the next minute at once, for two rounds, the second of which ends the script.
    writeFileSync(join(folder, "sleep"), `#!/bin/sh\n[ -e ${folder}/second ] && kill $PPID\n: >${folder}/second\n`, {
      mode: 0o755,
    });
    const env = { ...process.env, TMPDIR: folder, PATH: `${folder}:${process.env["PATH"] ?? ""}` };
    const { stdout } = spawnSync("dash", ["-c", script], { encoding: "utf8", env, timeout: 10_000 });
    assert.match(stdout, /^\[job-0\] it's "fine" \$HOME\n\[job-0\] ended with 3\n/);
  });

  it("are started by name, too, one at a time, with the job's own exit code", async () => {
    const script = join(folder, "jobs");
    const jobs = jobsAt(["0 8 * * *", "0 9 * * *"], `echo "$WORD"; sleep 0.5; exit 3`);
    const name = "job-1";
    writeFileSync(
      script,
      jobsScript(jobs, (job) => exported({ WORD: job.name })),
    );
    const env = { ...process.env, TMPDIR: folder };
    const ask = (asked: string) => spawnSync("dash", [script, asked], { encoding: "utf8", env });
    const first = spawn("dash", [script, name], { env });
    const ended = once(first, "exit");
    await once(first.stdout, "data");
    const second = ask(name);
    assert.deepEqual([second.status, second.stdout], [75, `[${name}] runs still, so it isn't started again\n`]);
    assert.deepEqual(await ended, [3, null]);
    const third = ask(name);
    assert.deepEqual([third.status, third.stdout], [3, "job-1\n"]);
    assert.deepEqual([ask("other").status, ask("other").stderr], [127, "there is no job other\n"]);
  });

  it("end after their time, and stop or go on after a command that failed", () => {
    const run = (command: string): { status: number | null; said: string } => {
      const file = join(folder, "said");
      writeFileSync(file, "");
      const { status } = spawnSync("dash", ["-c", command.replaceAll("FILE", file)], { encoding: "utf8" });
      return { status, said: readFileSync(file, "utf8") };
    };
    const two = ["echo 1 >>FILE; exit 4", "echo 2 >>FILE"];
    assert.deepEqual(run(jobCommand(jobsAt(["0 8 * * *"], two)[0]!)), { status: 4, said: "1\n" });
    const on = jobsAt(["0 8 * * *"], two, { onFailure: "continue" })[0]!;
    assert.deepEqual(run(jobCommand(on)), { status: 4, said: "1\n2\n" });
    const long = jobsAt(["0 8 * * *"], "sleep 5", { timeout: Duration.seconds(1) })[0]!;
    assert.equal(run(jobCommand(long)).status, 124);
  });

  it("survive any quoting", () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !text.includes("\0")),
        (text) => {
          const { stdout } = spawnSync("dash", ["-c", `printf %s ${quote(text)}`], { encoding: "utf8" });
          assert.equal(stdout, text);
        },
      ),
      { numRuns: 30 },
    );
  });
});
