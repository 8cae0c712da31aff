import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import type { Fly } from "../../../targets/fly/api/fly";
import { Courier } from "../../../targets/fly/backup/courier";
import { runInMachine } from "../../../targets/fly/backup/inMachine";
import type { SqliteBackup } from "../../../targets/fly/scheduler/schedule";

/** A program on this machine's Python, with the file as its first argument. */
const python = (script: string, file: string): string =>
  execFileSync("python3", ["-c", `import sqlite3, sys\ndb = sqlite3.connect(sys.argv[1])\n${script}`, file], {
    encoding: "utf8",
  }).trim();

describe("backups of SQLite on Fly", () => {
  let folder: string;
  let file: string;
  let kept: Buffer;
  const said: string[] = [];
  const restarted: string[] = [];
  const machine = {
    id: "m1",
    state: "started",
    region: "fra",
    config: { metadata: { homeport_slot: "1" } },
  };

  /** The machine that has the volume is this one. */
  const fly = {
    client: {
      pause: (ms: number) =>
        new Promise((resolve) =>
          setTimeout(() => {
            resolve(true);
          }, ms / 60),
        ),
      world: Date,
    },
    deadline: () => undefined,
    machines: () => Promise.resolve([machine]),
    restart: (_app: string, id: string) => Promise.resolve(restarted.push(id)),
    exec: (_app: string, _id: string, [program = "", ...args]: readonly string[]) =>
      new Promise((resolve) => {
        execFile(program, args, (_error, stdout) => {
          resolve({ exit_code: 0, stdout });
        });
      }),
  } as unknown as Fly;
  const plan = (): SqliteBackup => ({
    name: "backup.db",
    expression: "0 4 * * *",
    timeZone: "UTC",
    engine: "sqlite",
    database: "db",
    keep: 2,
    bucket: { name: "bucket", region: "fra" },
    flyApp: "shop-prod",
    group: "web",
    file,
  });

  async function run(act: "dump" | "restore", given: Buffer = kept, sha256?: string) {
    const courier = new Courier({
      keep: async (body, about) => {
        kept = await buffer(body);
        assert.equal(createHash("sha256").update(kept).digest("hex"), about.sha256);
        assert.equal(kept.length, about.bytes);
      },
      give: () => Promise.resolve({ body: Readable.from([given]), bytes: given.length, sha256 }),
      say: (line) => void said.push(line),
    });
    const meeting = await courier.open();
    const log = () => undefined;
    const here = {
      flyFor: () => fly,
      app: "",
      region: "fra",
      address: "127.0.0.1",
      id: "shop-prod",
      scripts: folder,
      log,
    };
    try {
      return await runInMachine(here, plan(), act, new Date(), meeting);
    } finally {
      courier.close();
    }
  }

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "homeport-sqlite-"));
    cpSync(join(__dirname, "../../../targets/fly/backup/shell/sqlite.py"), join(folder, "sqlite.py"));
    mkdirSync(join(folder, "data"));
    file = join(folder, "data", "it's.db");
    python(
      "db.execute('PRAGMA journal_mode=wal'); db.execute('CREATE TABLE t (n)')\nfor n in range(100): db.execute('INSERT INTO t VALUES (?)', (n,))\ndb.commit()",
      file,
    );
    said.length = restarted.length = 0;
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it("are whole while the file is in use, checked and packed", async () => {
    const ending = await run("dump");
    assert.deepEqual([ending.reason, ending.code], ["exit", 0], said.join("\n"));
    assert.match(said.join("\n"), /integrity_check: ok/);
    const copy = join(folder, "copy");
    writeFileSync(copy, gunzipSync(kept));
    assert.equal(python("print(db.execute('SELECT count(*) FROM t').fetchone()[0])", copy), "100");
    assert.ok(!readdirSync(join(folder, "data")).some((name) => name.startsWith(".homeport")), "something stayed");
    assert.deepEqual(restarted, []);
  });

  it("are restored beside the data of before, and the program starts anew", async () => {
    await run("dump");
    python("db.execute('DELETE FROM t'); db.commit()", file);
    const ending = await run("restore", kept, createHash("sha256").update(kept).digest("hex"));
    assert.equal(ending.code, 0, said.join("\n"));
    assert.equal(python("print(db.execute('SELECT count(*) FROM t').fetchone()[0])", file), "100");
    const [aside = ""] = readdirSync(join(folder, "data")).filter((name) => /before-restore-\d{8}T\d{6}Z$/.test(name));
    assert.equal(python("print(db.execute('SELECT count(*) FROM t').fetchone()[0])", join(folder, "data", aside)), "0");
    assert.deepEqual(restarted, ["m1"]);
  });

  it("change nothing where the copy isn't what was uploaded, or is no database", async () => {
    await run("dump");
    assert.equal((await run("restore", kept, "0".repeat(64))).code, 1);
    assert.equal((await run("restore", Buffer.from("no database at all"))).code, 1);
    assert.match(said.join("\n"), /isn't what was uploaded; nothing was changed[\s\S]*isn't intact/);
    assert.equal(python("print(db.execute('SELECT count(*) FROM t').fetchone()[0])", file), "100");
    assert.deepEqual(restarted, []);
  });

  it("say what lacks where there is no such file", async () => {
    rmSync(file);
    for (const end of ["-wal", "-shm"]) if (existsSync(file + end)) rmSync(file + end);
    assert.equal((await run("dump")).code, 1);
    assert.match(said.join("\n"), /there is no file .*it's\.db/);
  });
});
