import assert from "node:assert/strict";
import { apps } from "../../../apps";
import { restoreSource } from "../../../cli/acts";
import { checklistText, occasion } from "../../../cli/checklist";
import { doctorText, nodeFinding } from "../../../cli/doctor";
import { BrokenApps, ConfigProblems, explainError, UsageError } from "../../../cli/errors";
import { backedUp, logPart, named, placedApp, stackApp } from "../../../cli/find";
import { logQuery, logText } from "../../../cli/logs";
import { placeApps } from "../../../cli/placed";
import { painter, table } from "../../../cli/table";
import { ago, bytes, clock, shortSpan, until } from "../../../cli/units";
import { DriverError, Interrupted } from "../../../drivers/error";
import { targets } from "../../../targets";
import { workingConfig } from "../../support/config";
import { brokenFile } from "../../../components/declare";
import { plain, sameAsGolden } from "./golden";

const declared = (name: string) => apps.find((one) => one.name === name)!.declare("live");
const usage = (message: RegExp) => (error: unknown) =>
  error instanceof UsageError && message.test(`${error.message} ${error.see}`);

describe("names on the command line", () => {
  const stack = placeApps(apps, targets, workingConfig());

  it("find apps, and the nearest where there is none", () => {
    assert.equal(stackApp(stack, "catscan").declaration.name, "catscan");
    assert.throws(() => stackApp(stack, "catsacn"), usage(/no app "catsacn"; did you mean "catscan"\? .*shopifly/));
    const some = placeApps(apps, targets, workingConfig({ "homeport:apps": '["catscan"]' }));
    assert.throws(() => stackApp(some, "hotrod"), usage(/The stack dev doesn't deploy hotrod, only catscan\./));
  });

  it("find parts, and the nearest where there is none", () => {
    const { services, databases } = declared("hotrod");
    assert.equal(named("service", "worker", services).name, "worker");
    assert.throws(() => named("service", "wroker", services), usage(/no service "wroker"; did you mean "worker"\?/));
    assert.throws(() => named("service", "x", []), usage(/no service "x"\. there is none/));
    assert.equal(databases.length, 2);
  });

  it("find what has a log: services, jobs, databases that are run here", () => {
    const hotrod = declared("hotrod");
    assert.deepEqual(logPart(hotrod, "web"), { kind: "service", name: "web" });
    assert.deepEqual(logPart(hotrod, "ingest"), { kind: "job", name: "ingest" });
    assert.deepEqual(logPart(hotrod, "redis"), { kind: "database", name: "redis" });
    assert.deepEqual(logPart(hotrod, "db"), { kind: "database", name: "db" });
    assert.throws(() => logPart(hotrod, "ingst"), usage(/did you mean "ingest"\?/));
    assert.throws(() => logPart(declared("clausea"), "mongo"), usage(/no service, job or database with a log "mongo"/));
  });

  it("find what is backed up, and say why the rest isn't", () => {
    assert.deepEqual(backedUp(declared("hotrod"), undefined), ["db"]);
    assert.deepEqual(backedUp(declared("hotrod"), "db"), ["db"]);
    assert.throws(() => backedUp(declared("hotrod"), "redis"), usage(/redis isn't backed up here: its declaration/));
    assert.throws(
      () => backedUp(declared("clausea"), "mongo"),
      usage(/mongo isn't backed up here: somebody else runs it/),
    );
    assert.throws(() => backedUp(declared("clausea"), undefined), usage(/clausea has no database that is backed up/));
    assert.throws(() => backedUp(declared("hotrod"), "bd"), usage(/no database "bd"; did you mean "db"\?/));
  });

  it("tell what an app lacks in the stack, and leave the others alone", () => {
    const config = workingConfig({ "catscan:target": "vsp", "hotrod:ports": "[1]" });
    const lacking = placeApps(apps, targets, config);
    assert.throws(
      () => placedApp(stackApp(lacking, "catscan"), "dev"),
      (error) =>
        error instanceof ConfigProblems &&
        /catscan:target: There is no target "vsp"; did you mean "vps"\?/.test(error.message),
    );
    assert.throws(() => placedApp(stackApp(lacking, "hotrod"), "dev"), /hotrod:ports/);
    assert.equal(placedApp(stackApp(lacking, "clausea"), "dev").target.name, "vps");
  });

  it("need to know whether the stack is dev or live", () => {
    for (const value of [undefined, "prod"]) {
      const config = workingConfig({ "homeport:environment": value });
      assert.throws(
        () => placeApps(apps, targets, config),
        (error) => error instanceof ConfigProblems && /homeport:environment/.test(error.message),
      );
    }
  });
});

it("Mistakes of apps' files are told as the person's, without frames", () => {
  const { text, code } = explainError(new BrokenApps(brokenFile(new ReferenceError("crn is not defined"), "apps")));
  assert.equal(code, 1);
  assert.match(text, /^\S+: ReferenceError: crn is not defined\n {2}fix: Mend it in apps/);
  assert.doesNotMatch(text, /mistake of Homeport|^ +at /m);
});

describe("the backup to restore", () => {
  it("is the newest, a file of this machine, or something that is kept", () => {
    assert.deepEqual(restoreSource("latest"), { kind: "latest" });
    assert.deepEqual(restoreSource(__filename), { kind: "file", path: __filename });
    assert.deepEqual(restoreSource("backups/x/db.dump"), { kind: "key", key: "backups/x/db.dump" });
    assert.deepEqual(restoreSource(__dirname), { kind: "key", key: __dirname });
    assert.throws(() => restoreSource("./no-such.dump"), usage(/There is no file \.\/no-such\.dump/));
  });
});

describe("logs on the command line", () => {
  const now = new Date("2025-05-01T10:00:00Z");
  const query = (flags: string[], values: Record<string, string>) =>
    logQuery(new Set(flags), new Map(Object.entries(values)), now);

  it("are the newest hundred, or all since a time, or as many as asked for", () => {
    assert.deepEqual(query([], {}), { follow: false, lines: 100 });
    assert.deepEqual(query(["follow"], { lines: "0" }), { follow: true, lines: 0 });
    const since = new Date("2025-05-01T08:00:00Z");
    assert.deepEqual(query([], { since: "2h" }), { follow: false, since });
    assert.deepEqual(query([], { since: "2h", lines: "5" }), { follow: false, lines: 5, since });
    assert.deepEqual(query([], { since: "2025-05-01T08:00Z" }).since, since);
    assert.deepEqual(query([], { since: "2025-05-01 08:00:00Z" }).since, since);
  });

  it("refuse what is no number and no time", () => {
    for (const lines of ["-1", "ten", "1.5", "99999999"])
      assert.throws(() => query([], { lines }), usage(/whole number/));
    for (const since of ["soon", "2", "yesterday", "2025-13-45"]) {
      assert.throws(() => query([], { since }), usage(/a length of time \(15m, 2h, 1d\) or an instant/));
    }
  });

  it("are lines of time, part and text, further lines set in", () => {
    const line = { time: new Date("2025-05-01T08:00:12.345Z"), part: "web/b1", level: "other" as const };
    assert.equal(logText({ ...line, text: "hello\n" }, 8, plain), "2025-05-01 08:00:12 web/b1    hello");
    assert.equal(logText({ ...line, text: "a\n b" }, 6, plain), `2025-05-01 08:00:12 web/b1  a\n${" ".repeat(28)} b`);
    const red = logText({ ...line, text: "bad", level: "error" }, 6, (text, colour) => `<${colour}>${text}`);
    assert.equal(red, "2025-05-01 08:00:12 web/b1  <red>bad");
  });
});

describe("checklists", () => {
  it("are shown by occasion", () => {
    sameAsGolden("checklist.txt", checklistText(declared("clausea")));
    assert.equal(checklistText(declared("catscan"), "weekly").split("\n")[0], "catscan, weekly:");
    assert.equal(checklistText({ ...declared("catscan"), checklist: [] }), "catscan has no such list.");
  });

  it("name only verbs, apps and parts that there are", () => {
    for (const app of apps) {
      const { checklist, jobs, commands, services } = app.declare("live");
      for (const { command } of checklist) {
        const [program, verb, name, part] = command?.split(" ") ?? [];
        if (program !== "homeport") continue;
        assert.equal(name, app.name, command);
        const parts: readonly { name: string }[] | undefined =
          verb === "run" ? [...jobs, ...commands] : verb === "logs" ? [...services, ...jobs] : undefined;
        if (parts !== undefined && part !== undefined) named("part", part, parts);
      }
    }
  });

  it("take an occasion by its first word or all of it", () => {
    assert.equal(occasion("before"), "before the first deploy");
    assert.equal(occasion("After a deploy"), "after a deploy");
    assert.throws(() => occasion("weekyl"), usage(/did you mean "weekly"\?/));
  });
});

describe("what people read", () => {
  it("has short spans, times and sizes", () => {
    const spans = [0, 1_000, 119_000, 120_000, 7_199_000, 7_200_000, 172_799_000, 172_800_000];
    assert.deepEqual(spans.map(shortSpan), ["0 s", "1 s", "119 s", "2 min", "119 min", "2 h", "47 h", "2 d"]);
    const now = "2025-05-01T10:00:00Z";
    assert.equal(ago("2025-05-01T08:00:00Z", now), "2 h ago");
    assert.equal(ago(undefined, now), "-");
    assert.equal(until("2025-05-01T10:30:00Z", now), "in 30 min");
    assert.equal(until("2025-05-01T09:00:00Z", now), "now");
    assert.equal(clock("2025-05-01T08:00:00Z"), "2025-05-01 08:00");
    assert.deepEqual([0, 1023, 1024, 1536, 104_857_600, 2 ** 50].map(bytes), [
      "0 B",
      "1023 B",
      "1 KiB",
      "1.5 KiB",
      "100 MiB",
      "1024 TiB",
    ]);
  });

  it("has tables without trailing blanks", () => {
    assert.deepEqual(
      table(
        ["a", "bb"],
        [
          ["xyz", ""],
          ["", "y"],
        ],
      ),
      ["  a    bb", "  xyz", "       y"],
    );
    assert.deepEqual(table(["a"], []), []);
  });

  it("has colours at a terminal alone, and not where NO_COLOR is set", () => {
    assert.equal(painter(true, {})("x", "red"), "\u001b[31mx\u001b[0m");
    assert.equal(painter(true, { NO_COLOR: "1" })("x", "red"), "x");
    assert.equal(painter(false, {})("x", "red"), "x");
  });

  it("has errors in four parts, and the exit code that they mean", () => {
    const parts = { what: "W.", where: "here", why: "because", fix: "do" };
    assert.deepEqual(explainError(new DriverError(parts)), {
      text: "W.\n  where: here\n  why: because\n  fix: do",
      code: 1,
    });
    assert.deepEqual(explainError(new UsageError("Wrong.")), { text: "Wrong.\n  fix: homeport --help", code: 2 });
    assert.equal(explainError(new Interrupted()).code, 130);
    assert.match(
      explainError(new TypeError("oops")).text,
      /^This is a mistake of Homeport's own; please report it\.\nTypeError: oops/,
    );
  });

  it("has findings with what mends them", () => {
    const text = doctorText(
      {
        what: "the stack dev",
        findings: [
          { level: "ok", what: "fine" },
          { level: "problem", what: "bad", fix: "mend" },
        ],
      },
      plain,
    );
    assert.equal(text, "the stack dev:\n  ok    fine\n  MEND  bad\n        fix: mend");
    assert.equal(nodeFinding("20.0.0").level, "ok");
    assert.equal(nodeFinding("18.19.1").level, "problem");
  });
});
