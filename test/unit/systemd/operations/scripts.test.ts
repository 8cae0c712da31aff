import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import {
  attachedScript,
  backupsScript,
  examineScript,
  logsScript,
  remoteCommand,
  restartScript,
  statusScript,
} from "../../../../targets/systemd/operationsScripts";
import { followScript, restoreScript } from "../../../../targets/systemd/operationsFollow";
import { Bench, ended } from "./bench";

/** What a program can be given: anything but NUL. */
const argument = fc.oneof(
  fc.string().filter((text) => !text.includes("\0")),
  fc.string({ unit: "binary" }).filter((text) => !text.includes("\0")),
  fc.constantFrom(
    "$HOME",
    "`id`",
    "$(id)",
    "'",
    '"',
    "\\",
    "\n",
    "*",
    "~",
    "-n",
    "--",
    "!",
    "a b",
    "",
    "$$",
    "%i",
    "{a,b}",
  ),
);

describe("scripts for hosts", () => {
  let bench: Bench;
  beforeEach(() => {
    bench = new Bench();
  });
  afterEach(() => {
    bench.remove();
  });

  it("are bash that parses", () => {
    const attached = { id: "shop-prod", program: "run/x", args: ["it's"], name: "shop x" };
    const from = [{ key: "latest" }, { fileName: "it's $x.dump", bytes: 10 }];
    const scripts = [
      attachedScript({ ...attached, terminal: true }),
      attachedScript({ ...attached, terminal: false }),
      followScript({ unit: "shop-prod-job-x.service", name: "shop x", logs: "homeport logs shop x" }),
      statusScript(["a-b", "c-d"]),
      logsScript({ units: ["a.service"], follow: true }),
      backupsScript("shop-prod"),
      ...from.map((one) => restoreScript({ id: "shop-prod", database: "db", name: "shop db", from: one })),
      restartScript({ id: "shop-prod", services: [{ name: "web", timeoutSeconds: 60 }] }),
      examineScript,
    ];
    for (const script of scripts) {
      const { status, stderr } = spawnSync("bash", ["-n"], { input: script, encoding: "utf8" });
      assert.equal(status, 0, stderr + script);
      assert.doesNotMatch(script, /undefined|\[object/);
    }
  });

  it("reach bash untouched through the login shells that there are, whatever they hold", () => {
    const shells = ["sh", "bash", "dash", "zsh", "fish", "tcsh"].filter(
      (shell) => spawnSync(shell, ["-c", "exit 0"]).error === undefined,
    );
    assert.ok(shells.includes("sh"));
    fc.assert(
      fc.property(argument, fc.constantFrom(...shells), (text, shell) => {
        const heredoc = `cat <<'END_OF_TEXT'\n${text}\nEND_OF_TEXT\n`;
        const { stdout } = spawnSync(shell, ["-c", remoteCommand("root", heredoc)], { encoding: "utf8" });
        assert.equal(stdout, `${text}\n`);
      }),
      { numRuns: 25 },
    );
  });

  it("leave stdin to what they run, and the exit code as it is", () => {
    const command = remoteCommand("root", "cat; exit 7");
    const { status, stdout } = spawnSync("sh", ["-c", command], { input: "line 1\nline 2", encoding: "utf8" });
    assert.deepEqual([status, stdout], [7, "line 1\nline 2"]);
  });

  it("become root by sudo, without a question, for other users", () => {
    assert.match(remoteCommand("deploy", "true"), /^exec sudo -n bash -c /);
    assert.match(remoteCommand("root", "true"), /^exec bash -c /);
  });

  it("hand arguments to the app's program exactly, with and without a terminal", async () => {
    bench.write("etc/homeport/shop-prod/run/x", `#!/bin/bash\nprintf '%s\\0' "$@"\n`, 0o755);
    await fc.assert(
      fc.asyncProperty(fc.array(argument, { maxLength: 4 }), fc.boolean(), async (args, terminal) => {
        const script = attachedScript({ id: "shop-prod", program: "run/x", args, name: "shop x", terminal });
        const { code, stdout } = await ended(bench.start(script), "");
        const expected =
          args.length === 0 ? "\0" : args.map((one) => `${Buffer.from(one).toString("utf8")}\0`).join("");
        assert.deepEqual([code, stdout], [0, expected]);
      }),
      { numRuns: 15 },
    );
  });

  it("say where a program isn't there that it takes a deploy", async () => {
    const script = attachedScript({
      id: "shop-prod",
      program: "exec/web",
      args: [],
      name: "shop web",
      terminal: false,
    });
    assert.deepEqual(await ended(bench.start(script), ""), {
      code: 127,
      stdout: "",
      stderr: "shop web isn't on this host yet; deploy first: pulumi up\n",
    });
  });

  it("pass on what an attached program reads, prints and ends with", async () => {
    bench.write(
      "etc/homeport/shop-prod/exec/web",
      "#!/bin/bash\nread -r line; echo got $line; echo bad >&2; exit 3\n",
      0o755,
    );
    const script = attachedScript({
      id: "shop-prod",
      program: "exec/web",
      args: ["x"],
      name: "shop web",
      terminal: false,
    });
    assert.deepEqual(await ended(bench.start(script), "hello\n"), { code: 3, stdout: "got hello\n", stderr: "bad\n" });
  });

  it("ask for logs by each unit's own name", () => {
    const script = logsScript({ units: ["a@1.service", "b.service"], follow: true, lines: 5, since: 1746086400 });
    for (const part of ["--follow", "--lines=5", "--since=@1746086400", "--unit=a@1.service --unit=b.service"]) {
      assert.ok(script.includes(part), part);
    }
    assert.match(logsScript({ units: [], follow: false }), /--lines=all/);
  });

  it("ask all apps of a host for their status at once, and tell which answer is whose", async () => {
    for (const id of ["a-prod", "b-prod"]) bench.write(`etc/homeport/${id}/alert`, "");
    const tool = `#!/bin/bash\nif [[ $1 == b-prod ]]; then echo "broken: $1" >&2; exit 1; fi\nprintf '{\\n "id": "%s" }\\n' "$1"\n`;
    bench.write("usr/local/lib/homeport/status", tool, 0o755);
    const { stdout } = await ended(bench.start(statusScript(["a-prod", "b-prod", "c-prod"])), "");
    assert.equal(stdout, '@app a-prod\n{\n "id": "a-prod" }\n@app b-prod\n@problem broken: b-prod\n@app c-prod\n');
  });
});

describe("the script that follows a unit", () => {
  let bench: Bench;
  const unit = "shop-prod-job-x.service";
  const script = followScript({ unit, name: "shop x", logs: "homeport logs shop x" });
  beforeEach(() => {
    bench = new Bench();
    bench.write("state", state({}));
    // `start` takes the first of the states that are laid out, and each further look the next.
    bench.program(
      "systemctl",
      `root='${bench.root}'
next() { local all=("$root"/next/*); [[ ! -e \${all[0]} ]] || mv "\${all[0]}" "$root/state"; }
case $1 in
  show)
    [[ $* != *Timestamp* ]] || { echo 'Thu 2025-05-01 08:00:00 UTC'; exit; }
    cat "$root/state"
    [[ ! -e $root/started ]] || next ;;
  start) touch "$root/started"; next ;;
  stop) touch "$root/stopped"; mkdir -p "$root/next"; cp "$root/on-stop" "$root/next/000" ;;
esac`,
    );
    bench.program(
      "journalctl",
      `for word; do [[ $word != --cursor-file=* ]] || cursor=\${word#*=}; done
[[ $1 != --sync ]] || { touch '${bench.root}/more'; exit 0; }
echo "$*" | grep -q '_SYSTEMD_INVOCATION_ID=run2' || exit 1
if [[ ! -e $cursor ]]; then echo first line; echo 1 >"$cursor"; elif [[ $(<"$cursor") == 1 && -e '${bench.root}/more' ]]; then echo last line; echo 2 >"$cursor"; fi`,
    );
  });
  afterEach(() => {
    bench.remove();
  });

  const state = (values: Record<string, string>): string =>
    Object.entries({
      ...{ LoadState: "loaded", ActiveState: "inactive", InvocationID: "run1", Job: "", Result: "success" },
      ...{ ExecMainStatus: "0", ...values },
    })
      .map(([key, value]) => `${key}=${value}\n`)
      .join("");
  const layOut = (...states: Record<string, string>[]): void => {
    for (const [index, one] of states.entries()) bench.write(`next/${String(index + 1).padStart(3, "0")}`, state(one));
  };
  const running = { ActiveState: "activating", InvocationID: "run2" };

  it("shows the log of its own run and ends with 0", async () => {
    // The last line comes to light only when the journal is told to write out what it has.
    layOut({ Job: "12" }, running, running, { InvocationID: "run2" });
    const { code, stdout, stderr } = await ended(bench.start(script));
    assert.deepEqual([code, stdout], [0, "first line\nlast line\n"]);
    assert.match(stderr, /^shop x: done in \d+\.\d s\n$/);
  });

  const results: readonly (readonly [Record<string, string>, number, RegExp])[] = [
    [
      { Result: "exit-code", ExecMainStatus: "3" },
      3,
      /failed after \d+\.\d s with exit code 3; its log again: homeport logs shop x/,
    ],
    [{ Result: "exit-code", ExecMainStatus: "0" }, 1, /with exit code 1/],
    [{ Result: "timeout" }, 124, /which is more than it may take/],
    [{ Result: "signal", ExecMainStatus: "9" }, 137, /by signal 9/],
    [{ Result: "resources" }, 1, /\(resources\)/],
  ];
  for (const [end, expected, message] of results) {
    it(`ends with ${expected} for ${JSON.stringify(end)}`, async () => {
      layOut(running, { ...running, ActiveState: "failed", ...end });
      const { code, stderr } = await ended(bench.start(script));
      assert.equal(code, expected);
      assert.match(stderr, message);
    });
  }

  it("starts nothing that runs already", async () => {
    bench.write("state", state({ ActiveState: "activating" }));
    const { code, stdout, stderr } = await ended(bench.start(script));
    assert.deepEqual([code, stdout], [75, ""]);
    assert.match(
      stderr,
      /it runs already, since Thu 2025-05-01 08:00:00 UTC; nothing was started\..*homeport logs shop x -f/,
    );
    assertMissing("started");
  });

  it("says where the unit isn't there that it takes a deploy", async () => {
    bench.write("state", state({ LoadState: "not-found" }));
    const { code, stderr } = await ended(bench.start(script));
    assert.equal(code, 127);
    assert.match(stderr, /deploy first: pulumi up/);
    assertMissing("started");
  });

  it("doesn't wait for a start that never came", async () => {
    const { code, stderr } = await ended(bench.start(script));
    assert.equal(code, 1);
    assert.match(stderr, /could not be started/);
  });

  it("stops the unit when it is told to, and not before", async () => {
    layOut(running);
    bench.write("on-stop", state({ ...running, ActiveState: "failed", Result: "signal", ExecMainStatus: "15" }));
    const child = bench.start(script);
    const end = ended(child);
    setTimeout(() => child.stdin.write("stop\n"), 600);
    const { code, stderr } = await end;
    assert.equal(code, 130);
    assert.match(stderr, /shop x: stopped after \d/);
  });

  it("leaves the unit alone when its client goes away", async () => {
    layOut(running);
    const { code } = await ended(bench.start(script), "");
    assert.equal(code, 129);
    assertMissing("stopped");
  });

  const assertMissing = (path: string): void => {
    assert.equal(existsSync(join(bench.root, path)), false, path);
  };
});
