import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import fc from "fast-check";
import type { Fly } from "../../../targets/fly/api/fly";
import type { Machine, MachineConfig } from "../../../targets/fly/api/types";
import { backUp, restore } from "../../../targets/fly/backup/backup";
import { Courier } from "../../../targets/fly/backup/courier";
import type { Here } from "../../../targets/fly/backup/here";
import { keyOf, momentOf, surplusOf } from "../../../targets/fly/backup/keys";
import { listObjects, signatureOf, uploadUrl, type BucketAccess } from "../../../targets/fly/backup/s3";
import type { PlannedBackup } from "../../../targets/fly/scheduler/schedule";

const shell = (name: string): string =>
  ["lib", name]
    .map((part) => readFileSync(join(__dirname, "../../../targets/fly/backup/shell", `${part}.sh`), "utf8"))
    .join("");

describe("signatures of S3 calls", () => {
  it("are what the documentation's examples have", () => {
    const access: BucketAccess = {
      bucket: "examplebucket",
      region: "us-east-1",
      accessKeyId: "AKIAIOSFODNN7EXAMPLE",
      secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    };
    const at = new Date("2013-05-24T00:00:00Z");
    const empty = createHash("sha256").update("").digest("hex");
    const headers = {
      host: "examplebucket.s3.amazonaws.com",
      range: "bytes=0-9",
      "x-amz-content-sha256": empty,
      "x-amz-date": "20130524T000000Z",
    };
    const url = new URL("https://examplebucket.s3.amazonaws.com/test.txt");
    assert.equal(
      signatureOf(access, { method: "GET", url, headers, payloadHash: empty, at }),
      "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    );
  });
});

describe("names of backups", () => {
  const at = fc.date({ min: new Date("2001-01-01"), max: new Date("2099-01-01"), noInvalidDate: true });

  it("are where every target has them, and tell their moment", () => {
    const key = keyOf("hotrod-prod", "db", ".dump", new Date("2026-07-31T04:00:00Z"));
    assert.equal(key, "backups/hotrod-prod/db/2026/07/31/db-20260731T040000Z.dump");
    fc.assert(
      fc.property(at, (moment) => {
        const told = momentOf(keyOf("a-b", "d", ".dump", moment));
        assert.equal(told?.getTime(), Math.floor(moment.getTime() / 1000) * 1000);
      }),
    );
  });

  it("keep the newest, and take nothing away that isn't a backup", () => {
    fc.assert(
      fc.property(fc.array(at), fc.nat(10), (moments, keep) => {
        const keys = [...new Set(moments.map((moment) => keyOf("a", "d", ".dump", moment)))];
        const gone = surplusOf([...keys, "backups/a/d/notes.txt"], keep);
        assert.equal(gone.length, Math.max(0, keys.length - keep));
        const left = keys.filter((key) => !gone.includes(key));
        assert.ok(gone.every((old) => left.every((key) => key.slice(-21) >= old.slice(-21))));
        assert.ok(!gone.includes("backups/a/d/notes.txt"));
      }),
    );
  });
});

describe("the courier of backups", () => {
  it("serves who has its word alone", async () => {
    const given: string[] = [];
    const courier = new Courier({
      keep: () => Promise.reject(new Error("full")),
      give: () => Promise.resolve({ body: Readable.from(["content"]), bytes: 7, sha256: undefined }),
      say: (line) => void given.push(line),
    });
    const { port, nonce } = await courier.open();
    const ask = (text: string): Promise<string> =>
      new Promise((resolve) => {
        let answer = "";
        const socket = connect(port, "127.0.0.1", () => socket.write(text));
        socket.on("data", (part) => (answer += part.toString()));
        socket.on("close", () => {
          resolve(answer);
        });
        socket.on("error", () => undefined);
      });
    try {
      assert.equal(await ask("wrong get\n"), "");
      assert.equal(await ask(`${nonce} get\n`), "7 -\ncontent");
      assert.equal(await ask(`${nonce} put 3 abc\nabc`), "refused full\n");
      await ask(`${nonce} say two words\n`);
      assert.deepEqual(given, ["two words"]);
    } finally {
      courier.close();
    }
  });
});

/** A bucket in memory, which takes what has the hash that was announced. */
class PaperBucket {
  readonly objects = new Map<string, { body: Buffer; sha256: string }>();
  /** So many uploads fail first. */
  failing = 0;
  private readonly server: Server = createServer((request, response) => {
    const url = new URL(request.url ?? "", "http://s3");
    const key = decodeURIComponent(url.pathname).replace(/^\/bucket\//, "");
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const body = Buffer.concat(parts);
      if (!/^AWS4-HMAC-SHA256 Credential=AKIA/.test(request.headers.authorization ?? "")) response.statusCode = 403;
      else if (request.method === "PUT") {
        const sha256 = createHash("sha256").update(body).digest("hex");
        if (sha256 !== request.headers["x-amz-content-sha256"] || this.failing-- > 0) response.statusCode = 400;
        else this.objects.set(key, { body, sha256 });
      } else if (request.method === "DELETE") this.objects.delete(key);
      else if (url.searchParams.has("list-type")) {
        const prefix = url.searchParams.get("prefix") ?? "";
        const keys = [...this.objects.keys()].filter((one) => one.startsWith(prefix)).sort();
        const entries = keys.map((one) => `<Contents><Key>${one}</Key><Size>1</Size></Contents>`);
        response.write(`<ListBucketResult>${entries.join("")}</ListBucketResult>`);
      } else {
        const found = this.objects.get(key);
        if (found === undefined) response.statusCode = 404;
        else {
          response.setHeader("x-amz-meta-sha256", found.sha256);
          response.setHeader("content-length", found.body.length);
          response.write(found.body);
        }
      }
      response.end();
    });
  });

  open(): Promise<BucketAccess> {
    return new Promise((resolve) =>
      this.server.listen(0, "127.0.0.1", () => {
        const endpoint = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
        resolve({ bucket: "bucket", region: "fra", endpoint, accessKeyId: "AKIA", secretAccessKey: "secret" });
      }),
    );
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

/** Programs of a database whose content is a file. */
const programs: Record<string, string> = {
  psql: `[[ "$*" != *--file=* ]] || { [[ ! -e $BASE/refuses ]] || exit 3; for a in "$@"; do [[ $a != --file=*/sql ]] || cp "\${a#--file=}" "$BASE/content"; done; exit 0; }
case "$*" in *pg_database_size*) echo 10;; *'count(*)'*) wc -l <"$BASE/content";; *) :;; esac
echo "$PGUSER $PGPASSWORD $PGHOST $PGPORT $PGDATABASE" >>"$BASE/logins"`,
  pg_dump: `[[ ! -e $BASE/broken ]] || { echo "pg_dump: error: out of luck" >&2; exit 1; }
for a in "$@"; do [[ $a != --file=* ]] || cp "$BASE/content" "\${a#--file=}"; done`,
  pg_restore: `[[ "$*" != *--list* ]] || { echo '1; 2 3 TABLE public things owner'; exit 0; }
for a in "$@"; do [[ $a != --file=* || $a == --file=/dev/null ]] || cp "\${!#}" "\${a#--file=}"; done`,
  ...Object.fromEntries(["initdb", "pg_ctl", "createdb", "chown"].map((name) => [name, ":"])),
  setpriv: `while [[ $1 != -- ]]; do shift; done; shift; exec "$@"`,
};

describe("backups of Postgres on Fly", () => {
  let folder: string;
  let bucket: PaperBucket;
  let access: BucketAccess;
  const children: ChildProcess[] = [];
  const destroyed: string[] = [];
  let left: Machine[] = [];

  /** Machines that are processes of this machine. */
  const fly = {
    client: {
      pause: (ms: number) =>
        new Promise((resolve) =>
          setTimeout(() => {
            resolve(true);
          }, ms / 40),
        ),
      world: Date,
    },
    deadline: () => undefined,
    machines: () => Promise.resolve(left),
    createMachine: (_app: string, _launch: string, { config }: { config: MachineConfig }) => {
      const [program = "", flag = ""] = config.init?.entrypoint ?? [];
      const child = spawn(program, [flag, config.init?.cmd?.[0] ?? ""], {
        env: {
          ...config.env,
          PATH: `${folder}/bin:${process.env.PATH ?? ""}`,
          DATABASE_DB: "postgresql://fly-user:a%40b%20c@db.internal:6543/fly-db?sslmode=disable",
        },
        stdio: "ignore",
      });
      children.push(child);
      return Promise.resolve({ id: String(children.length - 1) });
    },
    machine: (_app: string, id: string) => {
      const code = children[Number(id)]?.exitCode ?? null;
      const events = [{ type: "exit", status: "", timestamp: 0, request: { exit_event: { exit_code: code ?? 0 } } }];
      return Promise.resolve({ id, state: code === null ? "started" : "stopped", region: "fra", events });
    },
    destroyMachine: (_app: string, id: string) => {
      destroyed.push(id);
      left = left.filter((machine) => machine.id !== id);
      return Promise.resolve();
    },
  } as unknown as Fly;
  const plan: PlannedBackup = {
    name: "backup.db",
    expression: "0 4 * * *",
    timeZone: "UTC",
    database: "db",
    engine: "postgres",
    keep: 2,
    bucket: { name: "bucket", region: "fra" },
    image: "postgres",
    guest: { cpu_kind: "shared", cpus: 1, memory_mb: 1024 },
    variable: "DATABASE_DB",
  };
  const here = (): Here => ({
    flyFor: () => fly,
    app: "shop-prod--scheduler",
    region: "fra",
    address: "127.0.0.1",
    id: "shop-prod",
    scripts: folder,
    log: () => undefined,
  });
  const content = (text: string): void => {
    writeFileSync(join(folder, "content"), text);
  };
  const at = (day: number): Date => new Date(Date.UTC(2026, 6, day, 4));

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "homeport-backup-"));
    spawnSync("mkdir", [join(folder, "bin")]);
    for (const [name, text] of Object.entries(programs)) {
      const file = join(folder, "bin", name);
      // The proof runs with an environment of its own.
      writeFileSync(file, `#!/usr/bin/env bash\n${text.replaceAll("$BASE", folder)}\n`);
      chmodSync(file, 0o755);
    }
    for (const name of ["dump", "restore"]) writeFileSync(join(folder, `${name}.sh`), shell(name));
    bucket = new PaperBucket();
    access = await bucket.open();
    destroyed.length = 0;
    left = [];
    content("one\ntwo\n");
  });
  afterEach(() => {
    bucket.close();
    for (const child of children) child.kill("SIGKILL");
    rmSync(folder, { recursive: true });
  });

  it("are proven, kept in the bucket with their hash, and so many of them alone", async () => {
    for (const day of [1, 2, 3]) {
      const ending = await backUp(here(), plan, access, at(day));
      assert.deepEqual([ending.reason, ending.code], ["exit", 0], ending.log.join("\n"));
      assert.ok(ending.log.some((line) => line.includes("restored into a scratch database for proof: 2 rows")));
    }
    assert.deepEqual(
      (await listObjects(access, "backups/")).map(({ key }) => key),
      [2, 3].map((day) => keyOf("shop-prod", "db", ".dump", at(day))),
    );
    assert.equal(bucket.objects.get(keyOf("shop-prod", "db", ".dump", at(3)))?.body.toString(), "one\ntwo\n");
    assert.match(readFileSync(join(folder, "logins"), "utf8"), /^fly-user a@b c db\.internal 6543 fly-db$/m);
    assert.equal(destroyed.length, 3, "a machine stayed");
  });

  it("try the bucket again, and fail with the reason where it keeps refusing", async function () {
    this.timeout(60_000);
    bucket.failing = 1;
    assert.equal((await backUp(here(), plan, access, at(1))).code, 0);
    writeFileSync(join(folder, "broken"), "");
    const ending = await backUp(here(), plan, access, at(2));
    assert.equal(ending.code, 1);
    assert.match(ending.log.join("\n"), /pg_dump failed[\s\S]*out of luck/);
    assert.equal(bucket.objects.size, 1);
  });

  it("remove the machine that a scheduler before left behind", async () => {
    left = [
      {
        id: "old",
        state: "started",
        region: "fra",
        config: { image: "i", guest: plan.guest, metadata: { homeport_launch: "x" } },
      },
    ];
    await backUp(here(), plan, access, at(1));
    assert.ok(destroyed.includes("old"));
  });

  it("are restored, the newest or a named one, after the present data was kept aside", async () => {
    await backUp(here(), plan, access, at(1));
    content("three\n");
    await backUp(here(), plan, access, at(2));
    content("lost\n");
    const first = await restore(here(), plan, access, keyOf("shop-prod", "db", ".dump", at(1)));
    assert.equal(first.code, 0, first.log.join("\n"));
    assert.equal(readFileSync(join(folder, "content"), "utf8"), "one\ntwo\n");
    assert.ok(
      [...bucket.objects.values()].some(({ body }) => body.toString() === "lost\n"),
      "what was there is gone",
    );
    for (const [key] of bucket.objects) if (!key.includes("/2026/07/0")) bucket.objects.delete(key);
    await restore(here(), plan, access, "latest");
    assert.equal(readFileSync(join(folder, "content"), "utf8"), "three\n");
  });

  it("aren't restored where the copy isn't there or isn't what was uploaded", async () => {
    const none = await restore(here(), plan, access, "latest");
    assert.deepEqual([none.code, none.log.length], [127, 1]);
    await backUp(here(), plan, access, at(1));
    content("present\n");
    const key = keyOf("shop-prod", "db", ".dump", at(1));
    bucket.objects.set(key, { ...bucket.objects.get(key)!, body: Buffer.from("forged\n") });
    const ending = await restore(here(), plan, access, key);
    assert.equal(ending.code, 1);
    assert.match(ending.log.join("\n"), /isn't what was uploaded; nothing was changed/);
    assert.equal(readFileSync(join(folder, "content"), "utf8"), "present\n");
  });

  it("have shell scripts that shellcheck has nothing against, where it is there", () => {
    for (const name of ["dump", "restore"]) {
      const { status, stdout, error } = spawnSync("shellcheck", ["-s", "bash", "-"], {
        input: shell(name),
        encoding: "utf8",
      });
      assert.ok(error !== undefined || status === 0, stdout);
    }
  });

  it("take a person's file by an address that ends soon", () => {
    const url = new URL(uploadUrl(access, "restores/a b", 60));
    assert.equal(url.pathname, "/bucket/restores/a%20b");
    assert.equal(url.searchParams.get("X-Amz-Expires"), "60");
    assert.ok(!url.toString().includes(access.secretAccessKey));
  });
});
