import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { AppStatus } from "../../targets/operations";
import { ArgvWatch } from "./support/argvWatch";
import { Cli } from "./support/cli";
import { eventually, factsOf, statusOf } from "./support/http";
import { givenSecrets, secretsIn } from "./support/secrets";
import { World } from "./support/world";

const id = "catscan-prod";
const database = `/var/lib/${id}/data/catscan.db`;

/** What makes the import wait or fail: files that tests put beside the data. */
const switches = `import os, sys, time
print("the import begins", flush=True)
while os.path.exists("/data/hold"):
    time.sleep(0.2)
if os.path.exists("/data/fail"):
    sys.exit(9)
`;

interface StatusJson {
  readonly apps: readonly (AppStatus & { readonly app: string; readonly problems: readonly string[] })[];
}

describe("the homeport command on a stack of one app", function () {
  this.timeout(300_000);
  let world: World;
  let cli: Cli;
  const url = (): string => world.url(8000);
  // As the app's user, who is to own all files of the database.
  const sql = (statements: string): Promise<string> =>
    world.on(`cd / && runuser -u ${id} -- sqlite3 -cmd '.timeout 9000' ${database}`, statements);
  const rows = async (): Promise<number> => Number(await sql("SELECT count(*) FROM notes"));
  const addRow = (): Promise<string> => sql("INSERT INTO notes VALUES (1)");
  const hold = (yes: boolean): Promise<string> =>
    world.on(yes ? `touch /var/lib/${id}/data/hold` : `rm -f /var/lib/${id}/data/hold`);
  const app = async (): Promise<StatusJson["apps"][number]> => {
    const { stdout, stderr } = await cli.call(["status", "catscan", "--json"]);
    const [status] = (stdout === "" ? { apps: [] } : (JSON.parse(stdout) as StatusJson)).apps;
    assert.ok(status !== undefined, stderr);
    return status;
  };
  const jobState = (): Promise<string> =>
    world.on(`systemctl show --property=ActiveState --value ${id}-job-gmail-import.service`);

  before(async () => {
    world = await World.open({ apps: ["catscan"] });
    cli = new Cli(world);
    const script = world.code("catscan", "scripts/gmail_import.py");
    writeFileSync(script, readFileSync(script, "utf8").replace("import csv\n", `${switches}import csv\n`));
  });
  after(async () => {
    cli.stop();
    await world.close();
  });
  afterEach(async function () {
    if (this.currentTest?.state === "failed") await hold(false).catch(() => undefined);
  });

  it("says of an app that was never deployed that it wasn't", async () => {
    const status = await cli.call(["status"]);
    assert.equal(status.code, 1);
    assert.match(status.stdout, /catscan was never deployed there: pulumi up/);
    const doctor = await cli.call(["doctor"]);
    assert.equal(doctor.code, 0, doctor.stdout + doctor.stderr);
    assert.match(doctor.stdout, /look {2}nothing was deployed to it yet/);
    for (const args of [
      ["run", "catscan", "cleanup"],
      ["run", "catscan", "recover"],
      ["exec", "catscan", "api", "--", "true"],
      ["restart", "catscan"],
    ]) {
      const { code, stderr } = await cli.call(args);
      assert.deepEqual([code, /deploy first: pulumi up/.test(stderr)], [127, true], args.join(" ") + stderr);
    }
    const rollback = await cli.call(["rollback", "catscan"]);
    assert.equal(rollback.code, 1);
    assert.match(
      rollback.stderr,
      /There is no earlier version of catscan-prod to go back to\.\n {2}where: .*\n {2}why: .*\n {2}fix: /,
    );
    assert.equal((await cli.call(["backups", "catscan"])).code, 1);
  });

  it("shows an app that is well, for people and as JSON, and lists what lives where", async () => {
    await world.mustUp();
    const { code, stdout } = await cli.call(["status"]);
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^ {2}service +health +release/);
    assert.match(stdout, /api\/a1 +healthy +[0-9a-f]{12}/);
    assert.match(stdout, /gmail-import +- +- +in \d+ (h|min|s) +\d{4}-\d\d-\d\d 08:00/);
    assert.match(stdout, /All is well\.\n$/);
    const status = await app();
    assert.deepEqual(status.problems, []);
    assert.deepEqual(status.schedules.map(({ name, kind }) => `${kind} ${name}`).sort(), [
      "backup db",
      "job cleanup",
      "job gmail-import",
      "watch watch",
    ]);
    assert.match(await cli.must(["apps"]), new RegExp(`catscan +vps +rehearsal \\(${world.host.address}\\) +api`));
    assert.match((await cli.call(["doctor"])).stdout, /live: catscan can be deployed as configured/);
    assert.match(await cli.must(["explain", "catscan"]), /GMAIL_CREDENTIALS .* \(set\) +stack/);
  });

  it("runs a job through its unit, shows its log and ends as it does", async () => {
    const good = await cli.call(["run", "catscan", "gmail-import"]);
    assert.equal(good.code, 0, good.stderr);
    assert.match(good.stdout, /^the import begins\ncatscan-performance-[\d-]+\.csv: 20 rows/);
    assert.match(good.stderr, /^catscan gmail-import: done in \d+\.\d s\n$/);
    const [ran] = (await app()).schedules.filter(({ name }) => name === "gmail-import");
    assert.equal(ran?.result, "success");
    assert.ok(Date.now() - Date.parse(ran.last ?? "") < 120_000, ran.last);

    await world.on(`touch /var/lib/${id}/data/fail`);
    const bad = await cli.call(["run", "catscan", "gmail-import"]);
    await world.on(`rm /var/lib/${id}/data/fail`);
    assert.deepEqual([bad.code, bad.stdout], [9, "the import begins\n"]);
    assert.match(bad.stderr, /failed after .* with exit code 9; its log again: homeport logs catscan gmail-import/);
    const status = await cli.call(["status"]);
    assert.equal(status.code, 1);
    assert.match(status.stdout, /catscan gmail-import: failed \(exit-code\): homeport logs catscan gmail-import/);
    await cli.must(["run", "catscan", "gmail-import"]);
    assert.equal((await cli.call(["status"])).code, 0);
  });

  it("refuses a job that runs already, stops one at Ctrl-C, and leaves one whose connection is lost", async () => {
    await hold(true);
    const first = cli.start(["run", "catscan", "gmail-import"]);
    await first.says(/the import begins/);
    const second = await cli.call(["run", "catscan", "gmail-import"]);
    assert.deepEqual([second.code, second.stdout], [75, ""]);
    assert.match(second.stderr, /it runs already, since .*nothing was started/);
    first.child.kill("SIGINT");
    assert.equal((await first.ended).code, 130);
    assert.match(first.stderr, /Stopping it; .*\ncatscan gmail-import: stopped after/);
    assert.notEqual(await jobState(), "activating");

    const lost = cli.start(["run", "catscan", "gmail-import"]);
    await lost.says(/the import begins/);
    await world.on("for s in $(pgrep -f '^sshd(-session)?: root@notty'); do kill $s; done");
    const { code, stderr } = await lost.ended;
    assert.equal(code, 1);
    assert.match(stderr, /The connection to the host was lost\.[^]*runs on there/);
    assert.equal(await jobState(), "activating");
    await hold(false);
    await eventually("the job is done", 20, async () => (await jobState()) === "inactive");
  });

  it("runs commands with arguments, pipes and their exit code", async () => {
    assert.match(
      await cli.must(["run", "catscan", "cleanup-preview"]),
      /performance_metrics: \d+ rows would be deleted/,
    );
    const { code, stderr } = await cli.call(["run", "catscan", "recover", "--", "/data/it's not there.csv"]);
    assert.notEqual(code, 0);
    assert.match(stderr, /it\\?'s not there\.csv/);
    const words = ["a b", "$HOME", "it's", "*", "", "$$", "\\", "-x"];
    const printed = await cli.must(["exec", "catscan", "api", "--", "printf", "%s|", ...words]);
    assert.equal(printed, `${words.join("|")}|`);
    const piped = await cli.call(
      ["exec", "catscan", "api", "--", "bash", "-c", "wc -c; id -un; echo bad >&2; exit 7"],
      "12345",
    );
    assert.deepEqual([piped.code, piped.stdout, piped.stderr], [7, `5\n${id}\n`, "bad\n"]);
    assert.equal((await cli.call(["exec", "catscan", "ipa", "--", "true"])).code, 2);
  });

  it("interrupts a command's far end with and without a terminal, and leaves nothing of it", async () => {
    const command = ["exec", "catscan", "api", "--", "bash", "-c"];
    const script = `trap 'echo interrupted >/data/interrupted; exit 5' INT; echo ready; for n in {1..200}; do sleep 0.2; done`;
    const gone = async (): Promise<void> => {
      await eventually("nothing of it runs", 15, async () => {
        const units = await world.on(`systemctl list-units --all --plain --no-legend '${id}-run-*'`);
        return units === "";
      });
      assert.equal(
        await world.on(`cat /var/lib/${id}/data/interrupted && rm /var/lib/${id}/data/interrupted`),
        "interrupted",
      );
    };
    const piped = cli.start([...command, script]);
    await piped.says(/ready/);
    // As a terminal does it: to the whole group, ssh included.
    piped.child.kill("SIGINT");
    assert.equal((await piped.ended).code, 130);
    await gone();

    const typed = cli.startAtTerminal([...command, `tty; ${script}`]);
    await typed.says(/ready/);
    typed.child.stdin?.write("\u0003");
    assert.equal((await typed.ended).code, 5);
    assert.match(typed.stdout, /^\/dev\/pts\/\d+\r\nready/);
    await gone();
  });

  it("does all of it as a user who may use sudo", async () => {
    const { address, hostKey, user } = world.host;
    const as = (name: string): Promise<void> =>
      world.stack.configure({ "vps:hosts": { json: { rehearsal: { address, hostKey, user: name } } } });
    await as("deploy");
    try {
      const { code, stdout } = await cli.call(
        ["exec", "catscan", "api", "--", "bash", "-c", "cat; id -un; exit 4"],
        "hi\n",
      );
      assert.deepEqual([code, stdout], [4, `hi\n${id}\n`]);
      assert.match((await cli.call(["run", "catscan", "cleanup"])).stderr, /done in/);
      assert.equal((await cli.call(["status"])).code, 0);
      assert.match((await cli.call(["doctor"])).stdout, /with the configured key as deploy, root's rights included/);
      const held = cli.start(["exec", "catscan", "api", "--", "bash", "-c", "echo ready; sleep 100"]);
      await held.says(/ready/);
      held.child.kill("SIGINT");
      assert.equal((await held.ended).code, 130);
      await eventually(
        "nothing of it runs",
        15,
        async () => (await world.on("pgrep -c -f '^sleep 100' || true")) === "0",
      );
    } finally {
      await as(user);
    }
  });

  it("shows logs by part, number and time, and follows them", async () => {
    const job = await cli.must(["logs", "catscan", "gmail-import"]);
    assert.match(job, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d gmail-import {2}/m);
    assert.match(job, /the import begins/);
    assert.doesNotMatch(job, /Uvicorn/);
    assert.match(await cli.must(["logs", "catscan", "api"]), /api\/a1 +.*Uvicorn running/);
    assert.equal((await cli.must(["logs", "catscan", "-n", "3"])).trim().split("\n").length, 3);
    await delay(1500);
    assert.equal(await cli.must(["logs", "catscan", "gmail-import", "--since", "1s"]), "");
    const follow = cli.start(["logs", "catscan", "-f", "-n", "0"]);
    await delay(1500);
    await cli.must(["run", "catscan", "cleanup"]);
    await follow.says(/cleanup +.*VACUUM done/);
    follow.child.kill("SIGINT");
    assert.equal((await follow.ended).code, 0);
    await eventually("nobody follows the journal any more", 10, async () => {
      return (await world.on("pgrep -c -f '^journalctl.*--follow' || true")) === "0";
    });
  });

  it("backs up, lists, and restores the newest, a key of the archive, and a file of this machine", async () => {
    await sql("CREATE TABLE notes (n)");
    await addRow();
    const before = await rows();
    const backup = await cli.call(["backup", "catscan"]);
    assert.equal(backup.code, 0, backup.stderr);
    assert.match(backup.stdout, /uploaded to s3:\/\/[^]*checked/);
    const list = JSON.parse(await cli.must(["backups", "catscan", "--json"])) as {
      copies: { kept: string; key: string }[];
    };
    assert.deepEqual(list.copies.map(({ kept }) => kept).sort(), ["archive", "place"]);
    assert.match(await cli.must(["backups", "catscan"]), /db +place +.*catscan|db-\d{8}T\d{6}Z\.db\.gz/);

    const unsure = await cli.call(["restore", "catscan", "db", "latest"]);
    assert.deepEqual([unsure.code, /live stack prod.*no terminal to ask at.*\n.*--yes/.test(unsure.stderr)], [2, true]);
    const asked = cli.startAtTerminal(["restore", "catscan", "db", "latest"]);
    await asked.says(/Type catscan to go on: /);
    asked.child.stdin?.write("catsacn\n");
    assert.equal((await asked.ended).code, 1);
    assert.match(asked.stdout, /Nothing was changed\./);

    const key = list.copies.find(({ kept }) => kept === "archive")?.key ?? "";
    const local = world.code("catscan", "copy.db.gz");
    writeFileSync(local, Buffer.from(await world.on(`base64 /var/backups/${id}/db/*.db.gz`), "base64"));
    for (const from of ["latest", key, local]) {
      await addRow();
      assert.equal(await rows(), before + 1);
      const { code, stdout, stderr } = await cli.call(["restore", "catscan", "db", from, "--yes"]);
      assert.equal(code, 0, stdout + stderr);
      assert.match(stdout, /restored; the data of before is at /);
      assert.equal(await rows(), before, from);
      assert.equal(await statusOf(`${url()}/health`), 200);
    }
    assert.equal(await world.on("ls -d /var/backups/.upload* 2>/dev/null || true"), "");
    assert.equal((await cli.call(["status"])).code, 0);
  });

  it("refuses what can't be restored, before anything stops", async () => {
    const text = world.code("catscan", "notes.txt");
    writeFileSync(text, "no backup at all");
    const wrong = await cli.call(["restore", "catscan", "db", text, "--yes"]);
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /it isn't a gzip'd SQLite file/);
    const broken = world.code("catscan", "broken.db.gz");
    writeFileSync(broken, Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 0]), Buffer.alloc(100)]));
    const refused = await cli.call(["restore", "catscan", "db", broken, "--yes"]);
    assert.equal(refused.code, 1);
    assert.match(refused.stdout, /nothing was changed/);
    assert.equal((await cli.call(["restore", "catscan", "db", "no/such/key", "--yes"])).code, 1);
    assert.equal(await statusOf(`${url()}/health`), 200);
  });

  it("goes back to the release before and forward again, which `pulumi up` leaves alone", async () => {
    const { version } = await factsOf(url());
    world.setVersion("catscan", "2-for-rollback");
    await world.mustUp();
    assert.equal((await factsOf(url())).version, "2-for-rollback");
    const back = await cli.call(["rollback", "catscan"]);
    assert.equal(back.code, 0, back.stderr);
    assert.match(back.stdout, /api: release [0-9a-f]{16} on slot [ab]\ncatscan is at the release before\./);
    assert.equal((await factsOf(url())).version, version);
    assert.equal((await world.mustUp()).counts["updated"], undefined);
    assert.equal((await factsOf(url())).version, version);
    await cli.must(["rollback", "catscan"]);
    assert.equal((await factsOf(url())).version, "2-for-rollback");
  });

  it("restarts a service and waits for its health", async () => {
    const { pid } = await factsOf(url());
    assert.match(await cli.must(["restart", "catscan", "api"]), /^api\/[ab]1: restarted, healthy after \d+ s\n$/);
    assert.notEqual((await factsOf(url())).pid, pid);
  });

  it("says what keeps it from a host: another key, nobody there", async () => {
    const hosts = (changes: object): Record<string, { json: unknown }> => ({
      "vps:hosts": {
        json: {
          rehearsal: { address: world.host.address, user: world.host.user, hostKey: world.host.hostKey, ...changes },
        },
      },
    });
    const otherKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEhkZXYwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw";
    try {
      await world.stack.configure(hosts({ hostKey: otherKey }));
      const status = await cli.call(["status"]);
      assert.equal(status.code, 1);
      assert.match(
        status.stdout,
        /catscan: The host isn't the one that is configured: it showed another key\.[^]*expected SHA256:/,
      );
      const doctor = await cli.call(["doctor"]);
      assert.equal(doctor.code, 1);
      assert.match(doctor.stdout, /MEND {2}The host isn't the one that is configured/);
      assert.match((await cli.call(["run", "catscan", "cleanup"])).stderr, /it showed another key\.\n {2}where: /);
      await world.stack.configure(hosts({ port: 1 }));
      assert.match(
        (await cli.call(["exec", "catscan", "api", "--", "true"])).stderr,
        /The host refuses SSH connections\.|can't be reached/,
      );
    } finally {
      await world.stack.configure(hosts({}));
    }
  });

  it("puts no secret on a command line, and prints none", async () => {
    const markers = givenSecrets(world.values);
    assert.ok(markers.length > 5);
    const watch = await ArgvWatch.start();
    await cli.must(["status"]);
    await cli.must(["explain"]).catch(() => undefined);
    await cli.must(["run", "catscan", "cleanup-preview"]);
    await cli.must(["backup", "catscan"]);
    await cli.must(["rollback", "catscan"]);
    const { commandLines, looks } = await watch.stop();
    assert.ok(looks > 20 && commandLines.some((line) => line.includes("homeport-host")), "the watch saw too little");
    assert.deepEqual(secretsIn(commandLines.join("\n"), markers), []);
    assert.deepEqual(secretsIn(cli.output, markers), []);
  });
});
