import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, it } from "mocha";
import { locked } from "../../../drivers/source/lock";
import { refuses, sandbox } from "./support";

const LOCK_MODULE = join(__dirname, "../../../drivers/source/lock.ts");

describe("a lock file", () => {
  const box = sandbox();

  it("lets one task at a time through, of this process and others", async () => {
    const path = join(box.fresh(), "lock");
    const file = join(dirname(path), "count");
    writeFileSync(file, "0");
    const turn = async (): Promise<void> => {
      const value = Number(readFileSync(file, "utf8"));
      await sleep(2);
      writeFileSync(file, String(value + 1));
    };
    const script = `const { locked } = require(${JSON.stringify(LOCK_MODULE)}); const fs = require("fs");
      const turn = async () => { const v = Number(fs.readFileSync(${JSON.stringify(file)}, "utf8"));
        await new Promise((d) => setTimeout(d, 2)); fs.writeFileSync(${JSON.stringify(file)}, String(v + 1)); };
      Promise.all(Array.from({ length: 10 }, () => locked(${JSON.stringify(path)}, 9000, turn)));`;
    const child = spawn(process.execPath, ["-r", "ts-node/register/transpile-only", "-e", script], {
      stdio: "inherit",
    });
    const ended = new Promise((done) => child.once("exit", done));
    await Promise.all(Array.from({ length: 10 }, () => locked(path, 9000, turn)));
    assert.equal(await ended, 0);
    assert.equal(readFileSync(file, "utf8"), "20");
    assert.deepEqual(readdirSync(dirname(path)), ["count"]);
  });

  it("is free again after a task that fails", async () => {
    const path = join(box.fresh(), "lock");
    await assert.rejects(
      locked(path, 100, () => Promise.reject(new Error("no"))),
      /no/,
    );
    assert.equal(await locked(path, 100, () => Promise.resolve(1)), 1);
    assert(!existsSync(path));
  });

  it("is taken over from a dead process and from one that gives no sign of life, not from a living one", async () => {
    const path = join(box.fresh(), "lock");
    mkdirSync(dirname(path), { recursive: true });
    const { pid } = spawnSync("true");
    const hold = (owner: object): void => {
      writeFileSync(path, JSON.stringify({ host: hostname(), token: "x", ...owner }));
    };
    const take = (): Promise<number> => locked(path, 150, () => Promise.resolve(1));
    hold({ pid });
    assert.equal(await take(), 1);
    hold({ pid: process.pid });
    await refuses(take, new RegExp(`process ${process.pid} fetches`));
    const old = new Date(Date.now() - 60_000);
    utimesSync(path, old, old);
    assert.equal(await take(), 1);
    hold({ pid: 1, host: "elsewhere" });
    await refuses(take, /too long/);
    writeFileSync(path, "");
    await refuses(take, /it fetches from the same/);
    utimesSync(path, old, old);
    assert.equal(await take(), 1);
  });
});
