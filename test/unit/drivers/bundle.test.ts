import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureDriver, entry, isFresh, stampPath } from "../../../drivers/bundle";
import { rebuild } from "../../../drivers/rebuild";
import { platforms } from "../../../targets/drivers";

const project = join(__dirname, "../../..");

describe("the drivers' bundle", function () {
  this.timeout(30_000);
  let root: string;
  before(async () => {
    root = mkdtempSync(join(tmpdir(), "homeport-bundle-"));
    for (const folder of ["drivers", "targets", "components"])
      cpSync(join(project, folder), join(root, folder), { recursive: true });
    for (const file of ["package-lock.json", "package.json", "tsconfig.json"])
      cpSync(join(project, file), join(root, file));
    mkdirSync(join(root, "engine"));
    cpSync(join(project, "engine/transpiler.cjs"), join(root, "engine/transpiler.cjs"));
    symlinkSync(join(project, "node_modules"), join(root, "node_modules"));
    await rebuild(root);
  });
  after(() => {
    rmSync(root, { recursive: true });
  });
  const bundle = (): string => (JSON.parse(readFileSync(join(root, stampPath), "utf8")) as { bundle: string }).bundle;
  const call = (input: string, ...args: string[]) =>
    spawnSync("node", [entry, ...args], { cwd: root, input, encoding: "utf8", env: { PATH: process.env.PATH } });

  it("is fresh once it is made, and is found in a few milliseconds then", () => {
    assert.equal(ensureDriver(root), ".homeport/driver.cjs");
    const began = process.hrtime.bigint();
    for (let n = 0; n < 10; n++) assert.ok(isFresh(root));
    assert.ok(Number(process.hrtime.bigint() - began) / 1e7 < 50);
  });

  it("stays fresh when files get new times but no other content", () => {
    const file = join(root, "drivers/main.ts");
    utimesSync(file, new Date(), new Date());
    assert.ok(isFresh(root));
  });

  for (const [name, path] of [
    ["TypeScript", "drivers/main.ts"],
    ["shell text", "targets/systemd/host/lock.sh"],
    ["the lock file", "package-lock.json"],
  ] as const) {
    it(`is stale when ${name} changes`, () => {
      const kept = readFileSync(join(root, path));
      appendFileSync(join(root, path), "\n");
      assert.equal(isFresh(root), false);
      writeFileSync(join(root, path), kept);
      assert.ok(isFresh(root));
    });
  }

  it("is stale when a shell file is added or a source is gone", () => {
    const added = join(root, "targets/systemd/host/tools/new-tool");
    writeFileSync(added, "echo new\n");
    assert.equal(isFresh(root), false);
    rmSync(added);
    assert.ok(isFresh(root));
    const kept = readFileSync(join(root, "drivers/error.ts"));
    rmSync(join(root, "drivers/error.ts"));
    assert.equal(isFresh(root), false);
    writeFileSync(join(root, "drivers/error.ts"), kept);
  });

  it("keeps its path when the code changes, and the code of before for runs under way", async () => {
    const before = bundle();
    appendFileSync(join(root, "targets/systemd/host/lock.sh"), "# changed\n");
    await rebuild(root);
    assert.notEqual(bundle(), before);
    assert.ok(readFileSync(join(root, ".homeport/driver", before, "main.cjs")).length > 0);
    assert.ok(readFileSync(join(root, entry), "utf8").includes(bundle()));
  });

  it("is whole when several processes make it at once", async () => {
    rmSync(join(root, ".homeport"), { recursive: true });
    mkdirSync(join(root, ".homeport"));
    const make = () =>
      new Promise<number | null>((done) => {
        const child = spawn("node", ["-r", "ts-node/register", "drivers/rebuild.ts", root], {
          cwd: root,
          stdio: "ignore",
        });
        child.once("close", done);
      });
    assert.deepEqual(await Promise.all([make(), make()]), [0, 0]);
    assert.ok(isFresh(root));
    assert.equal(call("{}", "nobody").status, 1);
  });

  it("tells wrong calls what it knows, and shows nothing of its input", () => {
    for (const [input, args, pattern] of [
      ["{}", [], /fix: node <driver> <platform> <kind> apply\|delete/],
      ["{}", ["nowhere", "app", "apply"], new RegExp(`platforms are ${Object.keys(platforms).join(", ")}`)],
      ["{}", ["systemd", "thing", "apply"], /systemd has app/],
      ["{}", ["systemd", "app", "explode"], /wasn't|doesn't know/],
      ["{}", ["constructor", "app", "apply"], /platforms are/],
      ["sEcReT", ["systemd", "app", "apply"], /spec isn't JSON/],
      ["", ["systemd", "app", "apply"], /nothing came/],
    ] as const) {
      const { status, stdout, stderr } = call(input, ...args);
      assert.equal(status, 1, stderr);
      assert.equal(stdout, "");
      assert.match(stderr, pattern);
      assert.doesNotMatch(stderr, /sEcReT|\bat .*:\d+:\d+/);
    }
  });

  it("loads a platform's code only when it is called", () => {
    const main = readFileSync(join(root, ".homeport/driver", bundle(), "main.cjs"), "utf8");
    assert.ok(main.length < 20_000, `${main.length} bytes`);
    assert.ok(!main.includes("PutBucket"));
  });
});
