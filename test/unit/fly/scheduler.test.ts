import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { schedulerScript } from "../../../targets/fly/scheduler/bundle";
import { beginScript } from "../../../targets/fly/scheduler/runJob";
import { jobScript, type PlannedJob } from "../../../targets/fly/scheduler/schedule";
import { Scheduler } from "../../../targets/fly/scheduler/scheduler";

const job = (change: Partial<PlannedJob> = {}): PlannedJob => ({
  name: "ingest",
  expression: "*/5 * * * *",
  timeZone: "UTC",
  flyApp: "shop-prod",
  group: "web",
  inPlace: false,
  commands: ["npm run ingest"],
  onFailure: "stop",
  timeoutSeconds: 3600,
  env: {},
  ...change,
});

const start = Date.UTC(2026, 0, 1, 12, 2);

/** A scheduler with a clock that goes from look to look, and jobs that take so many milliseconds. */
async function play(jobs: readonly PlannedJob[], until: number, takes: number, ran = new Map<string, number>()) {
  const runs: { name: string; at: string; from: number; to: number }[] = [];
  let now = start;
  const ends: { at: number; end: () => void }[] = [];
  const scheduler = new Scheduler(
    jobs,
    {
      now: () => now,
      run: ({ name }, at) =>
        new Promise((done) => {
          const run = { name, at: at.toISOString(), from: now, to: now + takes };
          runs.push(run);
          ends.push({
            at: run.to,
            end: () => {
              done({ code: 0, reason: "exit", log: [] });
            },
          });
        }),
      remember: () => Promise.resolve(),
      ended: () => Promise.resolve(),
      log: () => undefined,
    },
    ran,
  );
  while (now <= until) {
    const wait = scheduler.tick();
    await new Promise(setImmediate);
    now += Math.min(wait, 1000 * 30);
    for (const { end } of ends.filter(({ at }) => at <= now)) end();
    await new Promise(setImmediate);
  }
  return runs;
}

describe("the scheduler", () => {
  it("starts jobs at their exact times, in their time zones", async () => {
    const berlin = job({ name: "report", expression: "30 13 * * *", timeZone: "Europe/Berlin" });
    const runs = await play([job(), berlin], start + 40 * 60_000, 1000);
    assert.deepEqual(
      runs.filter(({ name }) => name === "ingest").map(({ at }) => at.slice(11, 16)),
      ["12:05", "12:10", "12:15", "12:20", "12:25", "12:30", "12:35", "12:40"],
    );
    assert.deepEqual(
      runs.filter(({ name }) => name === "report").map(({ at }) => at),
      ["2026-01-01T12:30:00.000Z"],
    );
    assert.ok(
      runs.every(({ at, from }) => from - Date.parse(at) < 1000),
      "a job came late",
    );
  });

  it("never runs a job beside itself, and makes up for what it missed by one run", async () => {
    const runs = await play([job()], start + 60 * 60_000, 12 * 60_000);
    for (const [index, run] of runs.entries()) {
      const before = runs[index - 1];
      if (before !== undefined) assert.ok(run.from >= before.to, "two runs at a time");
    }
    const missed = await play([job()], start + 60_000, 1000, new Map([["ingest", start - 3 * 3600_000]]));
    assert.deepEqual(
      missed.map(({ at }) => at),
      ["2026-01-01T12:00:00.000Z"],
    );
  });

  it("is one file that Node.js takes as it is, the same each time", () => {
    const script = schedulerScript();
    assert.equal(schedulerScript(), script);
    const checked = spawnSync(process.execPath, ["--check", "-"], { input: script, encoding: "utf8" });
    assert.equal(checked.status, 0, checked.stderr);
    assert.ok(script.length < 100_000, `${script.length} characters`);
  });
});

describe("a job's shell", () => {
  const run = (change: Partial<PlannedJob>) => spawnSync("sh", ["-c", jobScript(job(change))], { encoding: "utf8" });

  it("ends at the first failure, or goes on and tells the first", () => {
    const commands = ["echo 1", "sh -c 'exit 3'", "exit 4", "echo 2"];
    assert.deepEqual([run({ commands }).stdout, run({ commands }).status], ["1\n", 3]);
    const on = run({ commands, onFailure: "continue" });
    assert.deepEqual([on.stdout, on.status], ["1\n2\n", 3]);
    assert.equal(run({ commands: ["true", "true"], onFailure: "continue" }).status, 0);
  });

  it("gives variables as they are, whatever they hold", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme-ascii", maxLength: 30 }), (value) => {
        assert.equal(run({ commands: ['printf %s "$VALUE"'], env: { VALUE: value } }).stdout, value);
      }),
      { numRuns: 15 },
    );
  });

  it("runs in a service's machine without being waited for, once for each time", async () => {
    const folder = mkdtempSync(join(tmpdir(), "homeport-job-"));
    const one = job({
      name: `t${process.pid}`,
      commands: [`echo "it's $VALUE" >>'${folder}/out'`, "exit 7"],
      env: { VALUE: "a'b" },
    });
    const at = new Date(start);
    const place = `/tmp/homeport-${one.name}-${start}`;
    try {
      for (let n = 0; n < 2; n++) {
        const begun = spawnSync("sh", ["-c", beginScript(one, at)], { encoding: "utf8", timeout: 5000 });
        assert.equal(begun.status, 0, begun.stderr);
      }
      for (let n = 0; n < 100 && !existsSync(`${place}/code`); n++) await new Promise((done) => setTimeout(done, 50));
      await new Promise((done) => setTimeout(done, 50));
      assert.equal(readFileSync(`${place}/code`, "utf8").trim(), "7");
      assert.equal(readFileSync(`${folder}/out`, "utf8"), "it's a'b\n");
    } finally {
      rmSync(folder, { recursive: true, force: true });
      rmSync(place, { recursive: true, force: true });
    }
  });
});
