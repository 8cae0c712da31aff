import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { jobScript } from "../../../../targets/systemd/render/jobUnit";
import { decodeExec } from "./systemdGrammar";
import { richPlan } from "./richPlan";
import { bash, replaceTokens, stagedFile, withFolder, write } from "./support";

/** What a job's script does when bash runs it: what it wrote, and whether it failed. */
function runJob(commands: readonly string[], onFailure: "stop" | "continue"): [output: string, failed: boolean] {
  const result = spawnSync("bash", ["-c", jobScript({ commands, onFailure })], { encoding: "utf8" });
  return [result.stdout, result.status !== 0];
}

describe("a job's commands", () => {
  it("run in order, and the job succeeds with all of them", () => {
    for (const onFailure of ["stop", "continue"] as const) {
      assert.deepEqual(runJob(["echo 1", "echo 2", "echo 3"], onFailure), ["1\n2\n3\n", false]);
    }
  });
  it('end at one that fails with "stop"', () => {
    assert.deepEqual(runJob(["echo 1", "false", "echo 3"], "stop"), ["1\n", true]);
  });
  it('all run with "continue", and the job fails with any of them', () => {
    assert.deepEqual(runJob(["echo 1; exit 3", "echo 2", "echo 3"], "continue"), ["1\n2\n3\n", true]);
    assert.deepEqual(runJob(["echo 1", "echo 2", "false"], "continue"), ["1\n2\n", true]);
  });
  it("don't see each other's variables, folders or ends", () => {
    assert.deepEqual(runJob(["x=1; cd /; exit 0", 'echo "<$x>"', "echo 'it'\\''s' # all"], "stop"), [
      "<>\nit's\n",
      false,
    ]);
  });
  it("give the exit code of a single one", () => {
    const result = spawnSync("bash", ["-c", jobScript({ commands: ["exit 42"], onFailure: "continue" })]);
    assert.equal(result.status, 42);
  });
  it("reach the unit unchanged, with its `$` and `%`", () => {
    const unit = stagedFile(richPlan, "files/etc/systemd/system/shop-prod-job-scrape.service");
    const [, line = ""] = /^ExecStart=(.*)$/m.exec(unit) ?? [];
    const [program, flag, script = ""] = decodeExec(line);
    assert.deepEqual([program, flag], ["/bin/bash", "-c"]);
    assert.ok(script.startsWith("cd -P /opt/shop-prod/active/web && export PATH="), script);
    const job = richPlan.jobs[0]!;
    assert.ok(script.endsWith(` && ${jobScript(job)}`), script);
  });
});

describe("scripts that run commands with a service's settings", () => {
  /** Runs a script with a systemd-run that keeps its arguments; returns those after `--`, as the manager reads them. */
  function argumentsOf(path: string, args: readonly string[]): string[] {
    return withFolder((folder) => {
      const log = join(folder, "arguments");
      write(join(folder, "systemd-run"), `#!/bin/sh\nprintf '%s\\0' "$@" >"${log}"\n`, 0o755);
      const script = replaceTokens(stagedFile(richPlan, path)).replaceAll(
        "/etc/homeport/shop-prod/exec/",
        `${folder}/`,
      );
      for (const service of ["web", "browser"]) {
        write(
          join(folder, service),
          replaceTokens(stagedFile(richPlan, `files/etc/homeport/shop-prod/exec/${service}`)),
          0o700,
        );
      }
      const run = spawnSync("bash", ["-s", "--", ...args], {
        input: script,
        encoding: "utf8",
        env: { ...process.env, PATH: `${folder}:${process.env["PATH"] ?? ""}` },
      });
      assert.equal(run.status, 0, run.stderr);
      const words = readFileSync(log, "utf8").split("\0").slice(0, -1);
      return words
        .slice(words.indexOf("--") + 1)
        .map((word) => word.replace(/\$(.?)/gs, (_, c: string) => (c === "$" ? "$" : `<variable ${c}>`)));
    });
  }

  it("pass arguments on as they are", () => {
    const args = ["a b", "$HOME", "$$", "", "*", "it's", '"', "\\$x", "100%", "\n"];
    const words = argumentsOf("files/etc/homeport/shop-prod/exec/web", args);
    assert.deepEqual(words.slice(0, 2), ["/bin/bash", "-c"]);
    assert.match(words[2] ?? "", /&& exec "\$@"$/);
    assert.deepEqual(words.slice(3), ["web", ...args]);
  });

  it("append arguments to a declared command", () => {
    const words = argumentsOf("files/etc/homeport/shop-prod/run/transcribe", ["a b", "$HOME"]);
    const [shell = "", ...rest] = words.slice(4);
    assert.deepEqual(
      [shell, ...rest],
      ["/bin/bash", "-c", `python -m transcribe --model 'base' "$@"`, "transcribe", "a b", "$HOME"],
    );
  });

  it("start a container for an image's command", () => {
    const words = argumentsOf("files/etc/homeport/shop-prod/run/browse", ["$x"]);
    assert.deepEqual(words.slice(0, 2), ["/usr/bin/podman", "run"]);
    const image = words.indexOf("docker.io/unclecode/crawl4ai:0.7.4");
    assert.deepEqual(words.slice(image + 1), [
      "-c",
      'exec "$@"',
      "browser",
      "/bin/sh",
      "-c",
      'crawl "$@"',
      "browse",
      "$x",
    ]);
  });

  it("are sound shell, and say how they are called", () => {
    const script = stagedFile(richPlan, "files/etc/homeport/shop-prod/exec/web");
    bash(`bash -n <<'END'\n${script}\nEND\n`);
    const run = spawnSync("bash", ["-s"], { input: script, encoding: "utf8" });
    assert.equal(run.status, 64);
    assert.match(run.stderr, /Say what to run/);
  });

  it("carry any declared command", () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, maxLength: 20 }).filter((s) => !s.includes("\0")),
        (command) => {
          const plan = { ...richPlan, commands: [{ name: "any", service: "web", command }] };
          const script = stagedFile(plan, "files/etc/homeport/shop-prod/run/any");
          const [line = ""] = script.split("\n").slice(2, 3);
          const seen = bash(`set -- x\n${line.replace(/^exec \S+/, "printf '%s\\0'")}\n`).split("\0");
          assert.deepEqual(seen.slice(0, -1), ["/bin/bash", "-c", `${command} "$@"`, "any", "x"]);
        },
      ),
      { numRuns: 15 },
    );
  });
});
