import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Engine, ensureEngine } from "../../engine";
import { TinyProgram, eventually } from "./tinyProgram";

const source = `
import * as pulumi from "@pulumi/pulumi";
import { local } from "@pulumi/command";
import { RandomId, RandomPassword } from "@pulumi/random";

const config = new pulumi.Config();
if (config.get("mistake")) throw new pulumi.RunError("app x asks for port 80\\n  mend: pulumi config set x:port 81");
const random = new RandomPassword("password", { length: 20, special: false, minNumeric: 3, keepers: { for: config.get("keeper") ?? "" } });
const id = new RandomId("id", { byteLength: 4, prefix: "tiny-" });
const command = new local.Command("command", {
  create: config.get("create") ?? 'cat > $TINY/stdin; echo "create for $WHO" | tee -a $TINY/log',
  update: 'echo "update for $WHO after $PULUMI_COMMAND_STDOUT" | tee -a $TINY/log',
  delete: 'echo "delete after $PULUMI_COMMAND_STDOUT" >> $TINY/log',
  environment: { WHO: config.get("who") ?? "nobody" },
  stdin: config.requireSecret("token"),
  triggers: [config.get("trigger") ?? "never"],
});
if (config.get("other")) new local.Command("other", { create: config.require("other") });
export const stdout = command.stdout;
export const password = random.result;
export const hex = id.hex;
`;
const secret = "s3cret-of-the-test";

describe("The engine", function () {
  this.timeout(300_000);
  const home = mkdtempSync(path.join(tmpdir(), "homeport-engine-home-"));
  let engine: Engine;
  let tiny: TinyProgram;

  before(async () => {
    engine = await ensureEngine({ home });
    tiny = new TinyProgram(engine, source);
  });
  after(async () => {
    await tiny.remove();
    rmSync(home, { recursive: true, force: true });
  });
  const succeeds = async (...args: string[]): Promise<string> => {
    const { code, output } = await tiny.run(...args);
    assert.equal(code, 0, output);
    return output;
  };
  const up = (): Promise<string> => succeeds("up", "--yes", "--skip-preview", "--non-interactive");
  const outputs = async (...options: string[]): Promise<Record<string, string>> =>
    JSON.parse(await succeeds("stack", "output", "--json", ...options)) as Record<string, string>;
  const state = (): string => tiny.read("state/.pulumi/stacks/tiny/dev.json");
  const log = (): string[] => tiny.read("log").split("\n").slice(0, -1);

  it("is ready at once when it is asked for again, and has the private home", async () => {
    const again = await ensureEngine({ home, log: (line) => assert.fail(`something was made: ${line}`) });
    assert.deepEqual(again, engine);
    assert.equal(engine.env["PULUMI_HOME"], home);
  });

  it("keeps a secret of the configuration encrypted", async () => {
    await succeeds("stack", "init", "dev");
    await succeeds("config", "set", "--secret", "token", secret);
    assert.match(tiny.read("Pulumi.dev.yaml"), /tiny:token:\n\s+secure: v1:/);
    assert.equal(await succeeds("config", "get", "token"), `${secret}\n`);
  });

  it("previews without running anything or warning of anything", async () => {
    const output = await succeeds("preview", "--non-interactive");
    assert.match(output, /\+ 4 to create/);
    assert.doesNotMatch(output, /warning/);
    assert.deepEqual(log(), []);
  });

  it("fails a preview on a user's mistake with its text and no stack trace", async () => {
    await succeeds("config", "set", "mistake", "yes");
    const { code, output } = await tiny.run("preview", "--non-interactive");
    assert.notEqual(code, 0);
    assert.match(output, /error: app x asks for port 80\n\s+mend: pulumi config set x:port 81\n/);
    assert.doesNotMatch(output, /index\.ts|\bat .*:\d+:\d+/);
    await succeeds("config", "rm", "mistake");
  });

  it("runs the create command with its input and environment", async () => {
    assert.match(await up(), /\+ 4 created/);
    assert.deepEqual(log(), ["create for nobody"]);
    assert.equal(tiny.read("stdin"), secret);
    assert.ok(!state().includes(secret), "the secret is in the state as plain text");
  });

  it("shows random secrets only when asked to", async () => {
    const hidden = await outputs();
    assert.equal(hidden["password"], "[secret]");
    const shown = await outputs("--show-secrets");
    assert.match(shown["password"]!, /^[A-Za-z0-9]{20}$/);
    assert.ok(shown["password"]!.replace(/\D/g, "").length >= 3);
    assert.match(shown["hex"]!, /^tiny-[0-9a-f]{8}$/);
    assert.equal(shown["stdout"], "create for nobody");
    assert.ok(!state().includes(shown["password"]!));
  });

  it("changes nothing where nothing changed", async () => {
    assert.match(await up(), /4 unchanged/);
    assert.match(await succeeds("refresh", "--yes", "--skip-preview", "--non-interactive"), /4 unchanged/);
    assert.deepEqual(log(), ["create for nobody"]);
  });

  it("runs the update command for changed inputs", async () => {
    const before = await outputs("--show-secrets");
    await succeeds("config", "set", "who", "somebody");
    assert.match(await up(), /~ 1 updated/);
    assert.deepEqual(log().slice(1), ["update for somebody after create for nobody"]);
    assert.equal((await outputs("--show-secrets"))["password"], before["password"]);
  });

  it("replaces a command whose triggers changed: the new one is created before the old one is deleted", async () => {
    await succeeds("config", "set", "trigger", "now");
    assert.match(await up(), /1 replaced\b/);
    assert.deepEqual(log().slice(2), [
      "create for somebody",
      "delete after update for somebody after create for nobody",
    ]);
  });

  it("replaces a password whose keepers changed, and nothing else", async () => {
    const before = await outputs("--show-secrets");
    await succeeds("config", "set", "keeper", "next");
    const output = await up();
    assert.match(output, /1 replaced\b/);
    const after = await outputs("--show-secrets");
    assert.notEqual(after["password"], before["password"]);
    assert.equal(after["hex"], before["hex"]);
    assert.equal(log().length, 4);
  });

  const setOther = (command: string): Promise<string> => succeeds("config", "set", "other", "--", command);

  it("fails with the exit code and the output of a command that fails, and keeps the rest", async () => {
    // Two streams: what comes at the same moment has no order.
    await setOther("echo progress; sleep 1; echo broken >&2; exit 7");
    const { code, output } = await tiny.up();
    assert.notEqual(code, 0);
    assert.match(output, /error: exit status 7: running "echo progress; .*":\n\s+progress\n\s+broken\n/);
    assert.ok(!state().includes("broken"));
    assert.equal((await outputs())["stdout"], "create for somebody");
  });

  // It says when it starts and when it ends, and takes long until it is let through.
  const slow =
    "echo started >> $TINY/slow; [ -e $TINY/through ] || { sleep 301 & sleep 302; wait; }; echo ended >> $TINY/slow";
  const startSlow = async (): Promise<ReturnType<TinyProgram["start"]>> => {
    rmSync(tiny.path("through"), { force: true });
    rmSync(tiny.path("slow"), { force: true });
    const started = tiny.start("up", "--yes", "--skip-preview", "--non-interactive");
    const isRunning = (): boolean => tiny.processes().some((line) => line === "sleep 301");
    await eventually(() => isRunning() && tiny.read("slow") === "started\n", "the slow command didn't start");
    return started;
  };

  it("killed in a command, leaves a lock that cancel removes, and the next up converges", async () => {
    await setOther(slow);
    const { child, ended } = await startSlow();
    child.kill("SIGKILL");
    await ended;
    // The official plugins outlive their engine.
    if (engine.plugins.some(({ origin }) => origin === "understudy")) {
      await eventually(() => tiny.processes().length === 0, "processes outlive the engine");
    }
    writeFileSync(tiny.path("through"), "");
    const locked = await tiny.up();
    assert.notEqual(locked.code, 0);
    assert.match(locked.output, /currently locked by 1 lock.*`pulumi cancel`/s);
    assert.equal(tiny.read("slow"), "started\n");
    await succeeds("cancel", "--yes");
    const output = await up();
    assert.match(output, /warning: .*1 pending operations/);
    assert.match(output, /\+ 1 created/);
    assert.equal(tiny.read("slow"), "started\nstarted\nended\n");
    assert.match(await up(), /^Resources:\n\s+5 unchanged/m);
  });

  it("interrupted in a command, ends all of the command's processes and leaves no lock", async () => {
    await setOther(`${slow} # changed`);
    const { child, ended } = await startSlow();
    child.kill("SIGINT");
    const { code } = await ended;
    assert.notEqual(code, 0);
    await eventually(() => tiny.processes().length === 0, "processes outlive the interruption");
    assert.equal(tiny.read("slow"), "started\n");
    writeFileSync(tiny.path("through"), "");
    assert.match(await up(), /~ 1 updated/);
  });

  it("runs the delete command with what the last command printed", async () => {
    assert.match(await succeeds("destroy", "--yes", "--skip-preview", "--non-interactive"), /- 5 deleted/);
    assert.equal(log().at(-1), "delete after create for somebody");
    await succeeds("stack", "rm", "--yes", "dev");
    assert.equal(existsSync(tiny.path("state/.pulumi/stacks/tiny/dev.json")), false);
  });
});
