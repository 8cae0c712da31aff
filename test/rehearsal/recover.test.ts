import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Engine, ensureEngine } from "../../engine";
import { eventually, type Outcome, TinyProgram } from "./tinyProgram";

/** Its command does what the file `task` says, and runs again when the file `version` changes. */
const program = `
  import { local } from "@pulumi/command";
  import { readFileSync } from "node:fs";
  const file = (name: string): string => process.env["TINY"] + "/" + name;
  const version = readFileSync(file("version"), "utf8");
  const line = 'echo "begins $VERSION" >> "$TINY/log"; sh "$TINY/task"';
  new local.Command("hotrod-fly", { create: line, update: line, environment: { VERSION: version } });
`;

describe("homeport recover, after a deploy that was killed while it changed an app", function () {
  this.timeout(300_000);
  this.bail(true);
  const home = mkdtempSync(join(tmpdir(), "homeport-recover-home-"));
  const pending = /pending operations/;
  let engine: Engine;
  let tiny: TinyProgram;

  const homeport = (): Promise<Outcome> => tiny.homeport("recover");
  const write = (version: string, task: string): void => {
    writeFileSync(tiny.path("version"), version);
    writeFileSync(tiny.path("task"), task);
  };
  const begun = (): string[] => tiny.read("log").trim().split("\n");

  before(async () => {
    engine = await ensureEngine({ home });
    tiny = new TinyProgram(engine, program);
    await tiny.run("stack", "init", "dev");
    write("1", "true");
    const { code, output } = await tiny.up();
    assert.equal(code, 0, output);
  });
  after(async () => {
    await (tiny as TinyProgram | undefined)?.remove();
    rmSync(home, { recursive: true, force: true });
  });

  it("finds nothing where all went well", async () => {
    const { code, output } = await homeport();
    assert.equal(code, 0, output);
    assert.match(output, /^Stack dev: nothing is left of a run that was cut off\.$/m);
  });

  it("says that a run holds the stack, and which command gives it back", async () => {
    write("2", "exec sleep 300");
    const up = tiny.start("up", "--yes", "--skip-preview", "--non-interactive");
    await eventually(() => begun().includes("begins 2"), "the update doesn't begin");
    const held =
      /Another run holds the stack\.[^]*fix: .*pulumi cancel --yes --stack dev, then homeport recover --stack dev/;
    const during = await homeport();
    assert.equal(during.code, 1, during.output);
    assert.match(during.output, held);
    up.child.kill("SIGKILL");
    await up.ended;
    const after = await homeport();
    assert.equal(after.code, 1, after.output);
    assert.match(after.output, held);
    assert.doesNotMatch(after.output, /nothing is left/);
  });

  it("settles the update: the next `up` runs it, without a warning, though the program has gone back", async () => {
    const { code, output } = await tiny.run("cancel", "--yes", "--stack", "dev");
    assert.equal(code, 0, output);
    const recovered = await homeport();
    assert.equal(recovered.code, 0, recovered.output);
    assert.match(recovered.output, /^hotrod-fly .*: its update was cut off: the next `up` does it again$/m);
    assert.match(recovered.output, /^The stack knows of all that is there\. Now: pulumi up --stack dev$/m);
    write("1", "true");
    const up = await tiny.up();
    assert.equal(up.code, 0, up.output);
    assert.doesNotMatch(up.output, pending);
    assert.deepEqual(begun(), ["begins 1", "begins 2", "begins 1"]);
    assert.match((await homeport()).output, /nothing is left/);
  });
});
