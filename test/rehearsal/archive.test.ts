import * as sdk from "@aws-sdk/client-s3";
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { catscan } from "../../apps/catscan";
import { ArgvWatch } from "./support/argvWatch";
import { Cli } from "./support/cli";
import { eventually } from "./support/http";
import { givenSecrets, secretsIn } from "./support/secrets";
import { World } from "./support/world";

const id = "catscan-prod";
const bucket = "rtbcat-csv-archive-frankfurt-328614522524";
const data = `/var/lib/${id}/data`;

/** A day's report, as catscan archives it: 20 rows. */
const report = (day: string): string =>
  ["day,name,impressions", ...Array.from({ length: 20 }, (_, row) => `${day},creative-${row},${row}`), ""].join("\n");
const keyOf = (type: string, day: string): string =>
  `${type}/${day.replaceAll("-", "/")}/catscan-${type}-${day}.csv.gz`;

describe("recovery from an archive, by its checklist", function () {
  this.timeout(300_000);
  let world: World;
  let cli: Cli;
  let s3: sdk.S3Client;
  let folder: string;
  const put = (Key: string, Body: Buffer): Promise<unknown> =>
    s3.send(new sdk.PutObjectCommand({ Bucket: bucket, Key, Body }));
  const sql = (statement: string): Promise<string> =>
    world.on(`cd / && runuser -u ${id} -- sqlite3 -cmd '.timeout 9000' ${data}/catscan.db`, statement);
  const there = async (): Promise<string[]> =>
    (await world.on(`cd ${data}/recovery && find . -type f -printf '%P\\n' | sort`))
      .split("\n")
      .filter((one) => one !== "");

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "homeport-archive-"));
    world = await World.open({ apps: ["catscan"] });
    cli = new Cli(world);
    const { endpoint, region, accessKeyId, secretAccessKey } = world.s3;
    const credentials = { accessKeyId, secretAccessKey };
    s3 = new sdk.S3Client({ endpoint, region, forcePathStyle: true, credentials });
    for (const day of ["2025-05-31", "2025-06-01", "2025-06-02", "2025-06-30", "2025-07-01"]) {
      await put(keyOf("performance", day), gzipSync(report(day)));
    }
    await put(keyOf("funnel-geo", "2025-06-01"), gzipSync(report("2025-06-01")));
    await put(`backups/${id}/db/2025/06/01/db-20250601T030000Z.db.gz`, gzipSync("a backup"));
  });
  after(async () => {
    cli.stop();
    s3.destroy();
    await world.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("says of an archive that was never made that it wasn't", async () => {
    const { code, stderr } = await cli.call(["archive", "catscan"]);
    assert.equal(code, 1);
    assert.match(stderr, /The archive archive isn't there yet\.\n {2}where: [^]*fix: pulumi up --stack prod/);
  });

  it("lists what is there by date, without backups of databases", async () => {
    await world.mustUp();
    const { code, stdout, stderr } = await cli.call(["archive", "catscan"]);
    assert.equal(code, 0, stderr);
    const lines = stdout.trimEnd().split("\n");
    assert.match(lines[0] ?? "", /^ {2}date +size +key$/);
    assert.match(
      lines[1] ?? "",
      /^ {2}2025-05-31 +\d+ B +performance\/2025\/05\/31\/catscan-performance-2025-05-31\.csv\.gz$/,
    );
    assert.match(lines.at(-1) ?? "", new RegExp(`^6 files, .*, of 2025-05-31 to 2025-07-01, in s3://${bucket}$`));
    assert.match(stderr, /^A backup of a database is left out: homeport backups catscan$/m);
    const june = ["--prefix", "performance/", "--from", "2025-06", "--to", "2025-06", "--json"];
    const told = JSON.parse(await cli.must(["archive", "catscan", "archive", ...june])) as {
      objects: { date: string }[];
    };
    assert.deepEqual(
      told.objects.map(({ date }) => date),
      ["2025-06-01", "2025-06-02", "2025-06-30"],
    );
    assert.match(await cli.must(["archive", "catscan", "--prefix", "none/"]), /^Nothing in s3:\/\/.* fits\.\n$/);
  });

  it("brings a range of days back into the database, as the checklist says it", async () => {
    const june = "SELECT count(*) FROM performance_metrics WHERE date LIKE '2025-%'";
    await cli.must(["run", "catscan", "gmail-import"]);
    assert.equal(await sql(june), "0");
    const steps = catscan
      .declare("live")
      .checklist.flatMap(({ command = "" }) => (/recover/.test(command) ? [command.split(" ").slice(1)] : []));
    assert.deepEqual(
      steps.map(([verb]) => verb),
      ["fetch", "run", "exec"],
    );
    const [fetching = [], importing = [], clearing = []] = steps;
    // As typed, it brings what was archived today; a person gives the days that they need.
    const typed = await cli.call(fetching);
    assert.equal(typed.code, 0, typed.stderr);
    assert.match(typed.stdout, /^1 file is in \/data\/recovery of api\.\n$/);
    const before = await there();
    const asked = [...fetching, "--from", "2025-06-01", "--to", "2025-06-30"];
    const fetched = await cli.call(asked);
    assert.equal(fetched.code, 0, fetched.stderr);
    assert.match(fetched.stderr, /^1 of 3: performance\/2025\/06\/01\/catscan-performance-2025-06-01\.csv, \d+ B$/m);
    assert.match(fetched.stdout, /^3 files are in \/data\/recovery of api\.\n$/);
    const days = ["2025-06-01", "2025-06-02", "2025-06-30"];
    const files = days.map((day) => keyOf("performance", day).replace(/\.gz$/, ""));
    assert.deepEqual(await there(), [...files, ...before].sort());
    assert.equal(await world.on(`cat ${data}/recovery/${files[0] ?? ""}`), report("2025-06-01").trimEnd());

    const imported = await cli.call(importing);
    assert.equal(imported.code, 0, imported.stderr);
    assert.match(imported.stdout, /catscan-performance-2025-06-30\.csv: 20 rows/);
    assert.equal(await sql(june), "60");
    assert.equal(await sql("SELECT count(*) FROM performance_metrics WHERE date = '2025-06-02'"), "20");

    const again = await cli.call(asked);
    assert.deepEqual([again.code, /3 files .* all of them since before/.test(again.stdout)], [0, true], again.stdout);
    const one = `/data/recovery/${files[1] ?? ""}`;
    assert.match(await cli.must([...importing, "--", one]), /^\/data\/recovery\/.*2025-06-02\.csv: 20 rows\n$/);
    assert.equal((await cli.call([...importing, "--", "/data/it's not there"])).code !== 0, true);

    await cli.must(clearing);
    assert.deepEqual(await there(), []);
    const nothing = await cli.call(importing);
    assert.notEqual(nothing.code, 0);
  });

  it("fetches to this machine, packed or not, and keeps what is there", async () => {
    const call = ["fetch", "catscan", "--prefix", "performance/2025/06/", "--to", "2025-06-02", "--folder", folder];
    await cli.must(call);
    const path = join(folder, keyOf("performance", "2025-06-01"));
    assert.equal(readFileSync(path.slice(0, -3), "utf8"), report("2025-06-01"));
    writeFileSync(path.slice(0, -3), "mine");
    assert.match(await cli.must(call), /all of them since before/);
    assert.equal(readFileSync(path.slice(0, -3), "utf8"), "mine");
    await cli.must([...call, "--overwrite"]);
    assert.equal(readFileSync(path.slice(0, -3), "utf8"), report("2025-06-01"));
    await cli.must([...call, "--packed"]);
    assert.deepEqual(readFileSync(path), gzipSync(report("2025-06-01")));
    const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
    assert.deepEqual(
      names.filter((name) => name.includes("homeport-part")),
      [],
    );
  });

  it("tells of what can't be a file or be unpacked, fetches the rest, and ends with a failure", async () => {
    await put("bad/2025/06/01/text.csv.gz", Buffer.from("no gzip"));
    await put("bad/2025/06/01/\u001b[2Jred.csv", Buffer.from("x"));
    await put("bad/2025/06/02/good.csv.gz", gzipSync("good"));
    for (const to of [
      ["--folder", join(folder, "bad")],
      ["--into", "api:/data/recovery"],
    ]) {
      const { code, stdout, stderr } = await cli.call(["fetch", "catscan", "--prefix", "bad/", ...to]);
      assert.equal(code, 1);
      assert.match(stderr, /bad\/2025\/06\/01\/\\x1b\[2Jred\.csv can't be a file's name: it has a control character/);
      assert.match(
        stderr,
        /"bad\/2025\/06\/01\/text\.csv\.gz" can't be unpacked\.\n {2}where: .*\n {2}why: .*\n {2}fix: /,
      );
      assert.match(stdout, /^1 file is in /);
    }
    assert.deepEqual(await there(), ["bad/2025/06/02/good.csv"]);
    await cli.must(["exec", "catscan", "api", "--", "rm", "-r", "/data/recovery/bad"]);
  });

  it("copies a file of this machine, and leaves nothing of one that was cut off", async () => {
    const path = join(folder, "it's P001.vtt");
    writeFileSync(path, "WEBVTT\n");
    assert.equal(
      await cli.must(["copy", "catscan", "api", path, "/data/recovery/"]),
      "/data/recovery/it's P001.vtt of api is there.\n",
    );
    assert.equal(await world.on(`stat -c %U '${data}/recovery/it'"'"'s P001.vtt'`), id);
    writeFileSync(path, "another");
    const stays = await cli.call(["copy", "catscan", "api", path, "/data/recovery"]);
    assert.deepEqual([stays.code, /there already and stays.*--overwrite/.test(stays.stderr)], [1, true]);
    await cli.must(["copy", "catscan", "api", path, "/data/recovery", "--overwrite"]);
    assert.equal(await cli.must(["exec", "catscan", "api", "--", "cat", "/data/recovery/it's P001.vtt"]), "another");
    for (const wrong of ["/etc", "/data/../etc", "recovery"]) {
      assert.equal((await cli.call(["copy", "catscan", "api", path, wrong])).code, 2, wrong);
    }

    const large = join(folder, "recording.mp4");
    writeFileSync(large, "");
    truncateSync(large, 2 ** 32);
    const parts = async (): Promise<boolean> => (await world.on(`ls -A ${data}/recovery`)).includes(".homeport-part-");
    for (const signal of ["SIGINT", "SIGKILL"] as const) {
      const call = cli.start(["copy", "catscan", "api", large, "/data/recovery"]);
      await eventually("a part of it is there", 20, parts);
      call.child.kill(signal);
      const { code } = await call.ended;
      assert.equal(code, signal === "SIGINT" ? 130 : "SIGKILL");
      await eventually("nothing of it is there", 20, async () => !(await parts()));
    }
    assert.deepEqual(await there(), ["it's P001.vtt"]);
    rmSync(large);
  });

  it("does it as a user who may use sudo, puts no secret on a command line, and prints none", async () => {
    const markers = givenSecrets(world.values);
    assert.ok(markers.length > 5);
    const { address, hostKey, user } = world.host;
    const as = (name: string): Promise<void> =>
      world.stack.configure({ "vps:hosts": { json: { rehearsal: { address, hostKey, user: name } } } });
    await as("deploy");
    const watch = await ArgvWatch.start();
    try {
      await cli.must(["archive", "catscan"]);
      await cli.must(["fetch", "catscan", "--prefix", "funnel-geo/", "--into", "api:/data/recovery"]);
    } finally {
      await as(user);
    }
    const { commandLines, looks } = await watch.stop();
    assert.ok(looks > 10 && commandLines.some((line) => line.includes("homeport-host")), "the watch saw too little");
    assert.deepEqual(secretsIn(commandLines.join("\n"), markers), []);
    assert.deepEqual(secretsIn(cli.output, markers), []);
    assert.ok((await there()).includes(keyOf("funnel-geo", "2025-06-01").replace(/\.gz$/, "")));
  });

  it("says what keeps it from the archive", async () => {
    assert.equal((await cli.call(["fetch", "catscan"])).code, 2);
    assert.equal((await cli.call(["fetch", "catscan", "--folder", "a", "--into", "api:/data"])).code, 2);
    assert.match(
      (await cli.call(["archive", "catscan", "archiv"])).stderr,
      /There is no archive "archiv"; did you mean "archive"\?/,
    );
  });
});
